"""Runs with a user's own memory, curriculum, environment and tasks.

They are in a module outside the repository, which all processes import.
`ray_train_test` does the same on Ray.
"""

import contextlib
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys
from unittest import mock

import pytest
from absl.testing import absltest

import adaland
from adaland.launch import errors, train
from adaland.launch.config import references
from adaland.launch.recipes import recipe
from adaland.launch.run import rundir
from tests.launch.recipes import own_module

_ROOT = pathlib.Path(references.__file__).resolve().parents[2]
_FLAGS = "--recipe=my_parts:experiment", "--json=-"


class _Case(absltest.TestCase):
  """A folder outside the repository, with the module."""

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    own_module.write(self.folder)

  def enter(self):
    """Makes this process one that was started in the folder."""
    before = pathlib.Path.cwd()
    os.chdir(self.folder)
    self.addCleanup(os.chdir, before)
    for patch in (
      mock.patch.object(sys, "path", [*sys.path]),
      mock.patch.object(sys, "dont_write_bytecode", True),
      mock.patch.dict(os.environ),
    ):
      self.enter_context(patch)
    self.forget()

  def forget(self):
    """Lets the module be imported again, as it is now."""
    importlib.invalidate_caches()
    sys.modules.pop("my_parts", None)
    self.addCleanup(sys.modules.pop, "my_parts", None)

  def train(self, *flags):
    """Runs the command in this process; returns (code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      code = train.main(["--workdir=run", *flags])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.long
class OwnPartsTest(_Case):
  def command(self):
    """Runs the command in a process; returns (code, stdout, stderr)."""
    done = subprocess.run(
      [sys.executable, "-m", "adaland", "train", "--workdir=run", *_FLAGS],
      cwd=self.folder,
      env={**os.environ, "PYTHONPATH": str(_ROOT)},
      capture_output=True,
      text=True,
      timeout=600,
      check=False,
    )
    return done.returncode, done.stdout, done.stderr

  def check(self, code, out, err):
    """Checks a run's result; returns the processes that used each part."""
    self.assertEqual(code, 0, err)
    result = json.loads(out)
    self.assertGreaterEqual(result["env_steps"], 200)
    [task] = result["evaluation"]["agent"]["tasks"]
    self.assertStartsWith(task["id"], "fetch ")
    content = json.loads((self.folder / "run" / "config.json").read_text())
    self.assertEqual(content["config"]["factories"], own_module.FACTORIES)
    used = own_module.used(self.folder)
    self.assertEqual(
      set(used), {"memory", "curriculum", "environment", "tasks"}
    )
    return used

  def test_local(self):
    used = self.check(*self.command())
    self.assertLen(used["memory"], 2)
    # The actor steps the environments; the process that hands out tasks plays
    # the held-out ones at the end.
    self.assertLen(used["environment"] - used["curriculum"], 1)
    self.assertLen(used["environment"] & used["curriculum"], 1)
    self.check_that_a_program_may_continue_the_run()

  def check_that_a_program_may_continue_the_run(self):
    self.enter()
    before = (self.folder / "run" / "config.json").read_text()
    sys.path.insert(0, str(self.folder))
    experiment = importlib.import_module("my_parts").experiment()
    agent = adaland.train(experiment, "run")
    self.assertEqual(agent.evaluation["agent"]["num_tasks"], 1)
    after = (self.folder / "run" / "config.json").read_text()
    self.assertEqual(after, before)

  def test_device(self):
    self.enter()
    used = self.check(*self.train(*_FLAGS, "--launcher=device"))
    self.assertEqual(set.union(*used.values()), {str(os.getpid())})


class RefusedTest(_Case):
  """A run whose parts have changed."""

  def setUp(self):
    super().setUp()
    self.enter()
    config = recipe.load("my_parts:experiment")
    run = rundir.RunDir("run")
    run.begin(config).close()
    (run.path / "metrics.jsonl").write_text("{}\n")

  def write(self, text):
    own_module.write(self.folder, text)
    self.forget()

  def refused(self, *flags):
    """Returns the one line that the command prints."""
    code, out, err = self.train(*flags)
    self.assertEqual((code, out), (2, ""), err)
    self.assertEqual(err.count("\n"), 1, err)
    return err

  def test_another_recipe(self):
    said = self.refused("--recipe=my_parts:without_tasks")
    self.assertIn("the run there has another config: ", said)

  def test_a_recipe_that_has_changed_since_the_run_began(self):
    flag = "--recipe=my_parts:experiment"
    self.write(
      own_module.TEXT.replace(
        '"run.max_steps"', '"run.seed": 9, "run.max_steps"'
      )
    )
    said = self.refused(flag)
    self.assertIn("has another config: run.seed: 9, not 0", said)
    text = own_module.TEXT.replace("class EMA", "class Mean")
    self.write(text.replace("memory=EMA", "memory=Mean"))
    said = self.refused(flag)
    self.assertIn("factories.memory: 'my_parts:Mean', not 'my_parts:EMA'", said)

  def test_parts_are_imported_only_where_that_is_allowed(self):
    sys.modules.pop("my_parts", None)
    for refused in (
      self.refused(),
      self.refused("--config=run/config.json"),
    ):
      self.assertIn("names code to import (memory my_parts:EMA", refused)
      self.assertIn("--own_parts", refused)
    with self.assertRaisesRegex(errors.UserError, "own_parts=True"):
      adaland.load_agent("run")
    self.assertNotIn("my_parts", sys.modules)

  def test_a_part_that_is_gone(self):
    self.write(own_module.TEXT.replace("def fetch", "def carry"))
    said = self.refused("--own_parts")
    self.assertIn("factories.tasks: my_parts has no 'fetch'", said)
    (self.folder / "my_parts.py").unlink()
    importlib.invalidate_caches()
    sys.modules.pop("my_parts", None)
    said = self.refused("--own_parts")
    self.assertIn("my_parts can't be imported: ModuleNotFoundError", said)

  def test_a_memory_whose_step_and_unroll_differ(self):
    self.write(
      own_module.TEXT.replace(
        "return base.unroll_by_steps(self, x, first, state)",
        "y, s = base.unroll_by_steps(self, x, first, state); return 2 * y, s",
      )
    )
    said = self.refused("--own_parts")
    self.assertIn("memory EMA: the output of unroll differs from", said)


if __name__ == "__main__":
  absltest.main()
