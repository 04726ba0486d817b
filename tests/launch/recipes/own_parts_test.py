"""Runs with a user's own memory, curriculum, environment and tasks.

They are in a module outside the repository, which all processes import.
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

_ROOT = pathlib.Path(references.__file__).resolve().parents[2]
_MODULE = '''
import os
import pathlib

import adaland
from adaland.curriculum import base as curricula
from adaland.curriculum import uniform
from adaland.agent.memory import base
from adaland.envs import land
import haiku as hk
import jax.numpy as jnp

_USED = pathlib.Path(__file__).with_name("used")


def used(name):
  """Leaves a file that says which process used what."""
  _USED.mkdir(exist_ok=True)
  (_USED / f"{name}.{os.getpid()}").touch()


class EMA(hk.Module):
  def __init__(self, config):
    super().__init__(name="ema")
    used("memory")
    self._config = config
    self._out = hk.Linear(config.d_model)

  def initial_state(self, batch_size):
    shape = (batch_size, self._config.d_model)
    return {"mean": jnp.zeros(shape, self._config.compute_dtype)}

  def step(self, x, first, state):
    mean = jnp.where(first[:, None] != 0, 0, state["mean"])
    mean = 0.9 * mean + 0.1 * x
    return x + self._out(mean), {"mean": mean}

  def unroll(self, x, first, state):
    return base.unroll_by_steps(self, x, first, state)


class InOrder(uniform.UniformCurriculum):
  def __init__(self, sample_task, seed):
    super().__init__(sample_task, seed)
    self._sample, self._next = sample_task, 0

  def next_tasks(self, n):
    used("curriculum")
    indices = range(self._next, self._next + n)
    self._next += n
    return [curricula.Assignment(i, self._sample(i), True) for i in indices]

  def state_dict(self):
    return super().state_dict() | {"next": self._next}

  def load_state_dict(self, state):
    super().load_state_dict(state)
    self._next = state["next"]


class MyLand(land.Land):
  def reset(self):
    used("environment")
    return super().reset()


def fetch(index):
  used("tasks")
  return adaland.Task.of(
    "near(player1, black cube)", ["black cube", "purple cube"],
    name=f"fetch {index}", world_seed=index, tiles=(4, 4), levels=1,
    trials=2, trial_seconds=2,
  )


def experiment():
  return adaland.presets.smoke(
    memory=EMA, curriculum=InOrder, environment=MyLand, tasks=fetch,
    settings={
      "run.max_steps": 300, "run.eval_tasks": 1, "run.eval_trials": (1,),
      "cluster.eval_minutes": 0,
    },
  )


def without_tasks():
  return adaland.presets.smoke(memory=EMA, curriculum=InOrder)
'''


@pytest.mark.long
class OwnPartsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.module = self.folder / "my_parts.py"
    self.module.write_text(_MODULE)

  def call(self, command, *flags):
    """Runs a command; returns (code, stdout, stderr)."""
    return self.python("-m", "adaland", command, *flags)

  def python(self, *arguments):
    """Runs Python outside of the repository; returns the same as `call`."""
    done = subprocess.run(
      [sys.executable, *arguments],
      cwd=self.folder,
      env={**os.environ, "PYTHONPATH": str(_ROOT)},
      capture_output=True,
      text=True,
      timeout=280,
      check=False,
    )
    return done.returncode, done.stdout, done.stderr

  def train(self, launcher):
    code, out, err = self.call(
      "train",
      "--workdir=run",
      "--recipe=my_parts:experiment",
      f"--launcher={launcher}",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    result = json.loads(out)
    self.assertGreaterEqual(result["env_steps"], 300)
    [task] = result["evaluation"]["agent"]["tasks"]
    self.assertStartsWith(task["id"], "fetch ")
    content = json.loads((self.folder / "run" / "config.json").read_text())
    self.assertEqual(
      content["config"]["factories"],
      {
        "recipe": "my_parts:experiment",
        "memory": "my_parts:EMA",
        "curriculum": "my_parts:InOrder",
        "environment": "my_parts:MyLand",
        "tasks": "my_parts:fetch",
      },
    )
    used: dict[str, set[str]] = {}
    for path in (self.folder / "used").iterdir():
      name, _, pid = path.name.partition(".")
      used.setdefault(name, set()).add(pid)
    self.assertEqual(
      set(used), {"memory", "curriculum", "environment", "tasks"}
    )
    return used

  # On newer Pythons CI trains with own parts from the installed package.
  @pytest.mark.once
  def test_local(self):
    used = self.train("local")
    self.assertLen(used["memory"], 2)
    # The actor steps the environments, the learner's process gives out tasks.
    self.assertEmpty(used["environment"] & used["curriculum"])
    self.check_that_a_program_may_continue_the_run()

  def check_that_a_program_may_continue_the_run(self):
    before = (self.folder / "run" / "config.json").read_text()
    program = self.folder / "program.py"
    program.write_text(
      "import adaland, my_parts\n"
      "if __name__ == '__main__':\n"
      "  agent = adaland.train(my_parts.experiment(), 'run')\n"
      "  print(agent.evaluation['agent']['num_tasks'])\n"
    )
    self.assertEqual(self.python("program.py"), (0, "1\n", mock.ANY))
    after = (self.folder / "run" / "config.json").read_text()
    self.assertEqual(after, before)

  @pytest.mark.once
  def test_ray(self):
    used = self.train("ray")
    self.assertGreaterEqual(len(used["memory"]), 3)
    self.assertEmpty(used["environment"] & used["curriculum"])

  def test_device(self):
    used = self.train("device")
    self.assertLen(set.union(*used.values()), 1)


class RefusedTest(absltest.TestCase):
  """A run whose parts have changed."""

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    before = pathlib.Path.cwd()
    os.chdir(self.folder)
    self.addCleanup(os.chdir, before)
    for patch in (
      mock.patch.object(sys, "path", [*sys.path]),
      mock.patch.object(sys, "dont_write_bytecode", True),
      mock.patch.dict(os.environ),
    ):
      self.enter_context(patch)
    self.write(_MODULE)
    config = recipe.load("my_parts:experiment")
    run = rundir.RunDir("run")
    run.begin(config).close()
    (run.path / "metrics.jsonl").write_text("{}\n")

  def write(self, text):
    (self.folder / "my_parts.py").write_text(text)
    importlib.invalidate_caches()
    sys.modules.pop("my_parts", None)
    self.addCleanup(sys.modules.pop, "my_parts", None)

  def refused(self, *flags):
    """Returns the one line that the command says."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      code = train.main(["--workdir=run", *flags])
    self.assertEqual((code, out.getvalue()), (2, ""), err.getvalue())
    self.assertEqual(err.getvalue().count("\n"), 1, err.getvalue())
    return err.getvalue()

  def test_another_recipe(self):
    said = self.refused("--recipe=my_parts:without_tasks")
    self.assertIn("the run there has another config: ", said)

  def test_a_recipe_that_has_changed_since_the_run_began(self):
    flag = "--recipe=my_parts:experiment"
    self.write(
      _MODULE.replace('"run.max_steps"', '"run.seed": 9, "run.max_steps"')
    )
    said = self.refused(flag)
    self.assertIn("has another config: run.seed: 9, not 0", said)
    text = _MODULE.replace("class EMA", "class Mean")
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
    self.write(_MODULE.replace("def fetch", "def carry"))
    said = self.refused("--own_parts")
    self.assertIn("factories.tasks: my_parts has no 'fetch'", said)
    (self.folder / "my_parts.py").unlink()
    importlib.invalidate_caches()
    sys.modules.pop("my_parts", None)
    said = self.refused("--own_parts")
    self.assertIn("my_parts can't be imported: ModuleNotFoundError", said)

  def test_a_memory_whose_step_and_unroll_differ(self):
    self.write(
      _MODULE.replace(
        "return base.unroll_by_steps(self, x, first, state)",
        "y, s = base.unroll_by_steps(self, x, first, state); return 2 * y, s",
      )
    )
    said = self.refused("--own_parts")
    self.assertIn("memory EMA: the output of unroll differs from", said)


if __name__ == "__main__":
  absltest.main()
