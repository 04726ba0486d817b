"""Tests of what commands refuse before they start: one line, exit status 2."""

import contextlib
import io
import json
import pathlib
import shutil

from absl.testing import absltest, parameterized

from adaland.launch import evaluate, train
from adaland.launch.studies import __main__ as study
from tests.launch.agents import examples

_PIXELS = ("env.observation=pixels", "env.pixels=[48,36]")


class RefusalsTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.runs = pathlib.Path(absltest.get_default_test_tmpdir(), "refusals")
    # From an earlier suite, possibly with other settings.
    shutil.rmtree(cls.runs, ignore_errors=True)
    examples.run(cls.runs / "old")

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def refused(self, command, *argv):
    """Runs a command, which must fail with one line; returns the line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      code = command.main([*argv])
    self.assertEqual((code, out.getvalue()), (2, ""), err.getvalue())
    self.assertEqual(err.getvalue().count("\n"), 1, err.getvalue())
    return err.getvalue()

  def copy_of_run(self, **network):
    """Returns a copy of the run whose config has other network settings."""
    target = self.folder / "copy"
    shutil.copytree(self.runs / "old", target)
    config = target / "config.json"
    content = json.loads(config.read_text())
    content["config"]["network"].update(network)
    config.write_text(json.dumps(content))
    return target

  @parameterized.parameters(
    (
      ("network.memory=griffin", "network.local_length=30"),
      "local_length is 30, allowed: less than the longest episode (30 steps)",
    ),
    (
      ("network.memory_length=32",),
      "memory_length is 32, allowed: at most 31, the longest episode and its",
    ),
    (
      ("network.memory_length=31", "network.attention_sinks=2"),
      "memory_length is 31, allowed: less than the longest episode (30 steps)",
    ),
    (
      (*_PIXELS, "network.vision=patches", "network.patches.size=8"),
      "patches.size is 8, allowed: even divisors of the picture's height, 36 "
      "pixels, of which 4 would be left over",
    ),
    (("network.memory=lstm",), "memory is 'lstm', allowed: transformer_xl, "),
    (
      ("curriculum.kind=proxy",),
      "curriculum.kind is 'proxy', allowed: uniform, ",
    ),
    (("tasks.family=wise",), "no family 'wise', allowed: traps, find, fetch"),
    (("teaching.teacher=sage",), "teacher is 'sage', allowed: none, tutor"),
  )
  def test_settings_that_do_not_fit(self, settings, message):
    folder = self.folder / "run"
    argv = (f"--workdir={folder}", "--preset=smoke", "--set", *settings)
    self.assertIn(message, self.refused(train, *argv))
    self.assertFalse(folder.exists())

  def test_a_run_of_another_config(self):
    run = self.copy_of_run()
    (run / "metrics.jsonl").write_text("{}\n")
    argv = (f"--workdir={run}", "--preset=smoke", "--set")
    line = self.refused(train, *argv, "network.d_model=32")
    self.assertIn("the run there has another config: network.d_model", line)

  def test_a_checkpoint_that_does_not_fit_its_config(self):
    run = self.copy_of_run(d_model=32)
    line = self.refused(evaluate, f"--workdir={run}", "--num_tasks=1")
    self.assertIn(str(run), line)

  def test_a_teacher_with_other_heads(self):
    run = self.copy_of_run(action_sizes=[3, 3])
    line = self.refused(
      train,
      f"--workdir={self.folder}/student",
      "--preset=smoke",
      "--set",
      f"teaching.teacher=agent:{run}",
      "learner.privileged.distillation_weight=1",
    )
    self.assertIn("action_sizes", line)
    self.assertFalse((self.folder / "student").exists())

  def test_the_name_of_an_agent_is_no_folder(self):
    line = self.refused(train, "--workdir=agent:laptop")
    self.assertIn("error: --workdir=agent:laptop: means an agent of", line)

  def test_an_unknown_study(self):
    line = self.refused(study, "memory")
    self.assertIn("did you mean 'memories'?", line)


if __name__ == "__main__":
  absltest.main()
