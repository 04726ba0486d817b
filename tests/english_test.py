"""Tests of the first words of docstrings, in every package that is done."""

import pathlib
import textwrap

from absl.testing import absltest, parameterized

from tests import english

# Folders and modules whose docstrings keep to it.
_DONE = (
  "adaland/__init__.py",
  "agent",
  "curriculum",
  "envs/adaptors",
  "envs/constants.py",
  "envs/expert",
  "envs/game",
  "envs/land.py",
  "envs/land_state.py",
  "envs/land_types.py",
  "envs/observations",
  "envs/physics",
  "envs/sampling",
  "envs/shapes.py",
  "envs/stepping",
  "envs/tasks",
  "envs/worlds",
  "launch/bench/__init__.py",
  "launch/bench/__main__.py",
  "launch/bench/all_gpu.py",
  "launch/bench/distributed.py",
  "launch/bench/env.py",
  "launch/bench/env_gpu.py",
  "launch/bench/flags.py",
  "launch/bench/soak.py",
  "launch/bench/train.py",
  "launch/bench/vision_gpu.py",
  "launch/bench/lib",
  "launch/caches.py",
  "launch/cli.py",
  "launch/errors.py",
  "launch/evaluation/demo.py",
  "launch/evaluation/episode.py",
  "launch/evaluation/human.py",
  "launch/evaluation/picture.py",
  "launch/evaluation/report.py",
  "launch/evaluation/scores.py",
  "launch/evaluation/video.py",
  "launch/play.py",
  "launch/prompt.py",
  "launch/roles",
  "launch/run",
  "launch/runtimes",
  "launch/scale.py",
  "launch/status.py",
  "launch/tasks.py",
  "launch/train.py",
  "results",
  "tests/agent",
  "tests/curriculum",
  "tests/english.py",
  "tests/english_test.py",
  "tests/envs/adaptors",
  "tests/envs/expert",
  "tests/envs/game",
  "tests/envs/observations",
  "tests/envs/physics",
  "tests/envs/sampling",
  "tests/envs/stepping",
  "tests/envs/tasks",
  "tests/envs/worlds",
  "tests/fake_clock.py",
  "tests/fuzz",
  "tests/import_graph.py",
  "tests/imports_test.py",
  "tests/launch/bench",
  "tests/launch/evaluation",
  "tests/launch/roles",
  "tests/launch/run",
  "tests/launch/runtimes",
)


class EnglishTest(parameterized.TestCase):
  @parameterized.parameters(*_DONE)
  def test_docstrings_begin_with_a_noun_or_a_verb(self, folder):
    self.assertTrue(pathlib.Path(english.ROOT, folder).exists(), folder)
    found = english.complaints(folder)
    self.assertEmpty(found, "\n" + "\n".join(found))

  @parameterized.parameters(
    ('"""What a module does."""', "begins with 'What'"),
    ('class A:\n  """Holds tasks."""', "a class begins with a verb, 'Holds'"),
    ('def f():\n  """The tasks."""', "does not begin with a verb in -s"),
    ('def f():\n  """Return the tasks."""', "but 'Return'"),
    ('def f():\n  """Whether it runs."""', "begins with 'Whether'"),
    ('class A:\n  def _f(self):\n    """Of it."""', "begins with 'Of'"),
    ('def f():\n  """"""', "is empty"),
  )
  def test_faults_are_found(self, source, message):
    [(line, found)] = english.complaints_of(source)
    self.assertIn(message, found)
    self.assertEqual(line, source[: source.index('"""')].count("\n") + 1)

  def test_allowed_forms(self):
    source = textwrap.dedent('''
      """A module."""

      class Batch:
        """A batch of tasks."""

        def step(self):
          """Steps all tasks."""

        def load(self):
          """See `Physics`."""

        @property
        def size(self):
          """Number of tasks."""

        def test_tasks(self):
          """The first task is special."""

      def no_docstring():
        pass
    ''')
    self.assertEmpty(list(english.complaints_of(source)))


if __name__ == "__main__":
  absltest.main()
