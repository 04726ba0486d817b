"""Tests of docstrings' first words, and of plurals in messages."""

import pathlib
import textwrap

from absl.testing import absltest, parameterized

from tests import english

_FOLDERS = (
  "adaland",
  "agent",
  "curriculum",
  "envs",
  "examples",
  "launch",
  "results",
  "tests",
)


class EnglishTest(parameterized.TestCase):
  @parameterized.parameters(*_FOLDERS)
  def test_strings_follow_the_rules(self, folder):
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

  def test_a_plural_for_any_number_is_found(self):
    source = 'n = 2\nprint(f"{n} task_ left")'.replace("_", "(s)")
    [(line, found)] = english.complaints_of(source)
    self.assertEqual(line, 2)
    self.assertStartsWith(found, "'task" + "(s)': write")

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
