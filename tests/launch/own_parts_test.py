"""Runs with a user's own memory, curriculum, environment and tasks.

They are in a module outside the repository, which all processes import.
"""

import json
import os
import pathlib
import subprocess
import sys
from unittest import mock

import pytest
from absl.testing import absltest

from adaland.launch.config import references

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

  def test_local(self):
    used = self.train("local")
    self.assertLen(used["memory"], 2)
    # The actor steps the environments, the learner's process gives out tasks.
    self.assertEmpty(used["environment"] & used["curriculum"])
    self.check_that_a_program_may_continue_the_run()
    self.check_that_another_recipe_is_refused()
    self.check_that_the_agent_needs_its_module()

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

  def check_that_another_recipe_is_refused(self):
    for flags, changes, message in (
      (
        ["--recipe=my_parts:without_tasks"],
        [],
        "the run there has another config: ",
      ),
      (
        ["--recipe=my_parts:experiment"],
        [('"run.max_steps"', '"run.seed": 9, "run.max_steps"')],
        "the run there has another config: run.seed: 9, not 0",
      ),
      (
        ["--recipe=my_parts:experiment"],
        [("class EMA", "class Mean"), ("memory=EMA", "memory=Mean")],
        "factories.memory: 'my_parts:Mean', not 'my_parts:EMA'",
      ),
      ([], [("def fetch", "def carry")], "my_parts has no 'fetch'"),
      (
        [],
        [("import adaland\n", "import no_such_module\n")],
        "No module named",
      ),
      (["--recipe=no_such_module:f"], [], "No module named 'no_such_module'"),
      (["--recipe=my_parts:_USED"], [], "allowed: a function that returns an"),
      (["--recipe=my_parts:used"], [], "TypeError: used() missing 1"),
    ):
      text = _MODULE
      for before, after in changes:
        self.assertIn(before, text)
        text = text.replace(before, after)
      self.module.write_text(text)
      code, out, err = self.call("train", "--workdir=run", *flags)
      self.assertEqual((code, out), (2, ""), err)
      self.assertIn(message, err)
      self.assertEqual(err.count("\n"), 1, err)
    self.module.write_text(_MODULE)

  def check_that_the_agent_needs_its_module(self):
    flags = ("--workdir=run", "--num_tasks=1", "--trials=1")
    code, out, err = self.call("evaluate", *flags)
    self.assertEqual(code, 0, err)
    self.assertIn("| agent |", out)
    self.module.unlink()
    code, _, err = self.call("evaluate", *flags)
    self.assertEqual(code, 2)
    self.assertIn("my_parts can't be imported: ModuleNotFoundError", err)
    self.assertEqual(err.count("\n"), 1, err)

  @pytest.mark.once
  def test_ray(self):
    used = self.train("ray")
    self.assertGreaterEqual(len(used["memory"]), 3)
    self.assertEmpty(used["environment"] & used["curriculum"])

  def test_device(self):
    used = self.train("device")
    self.assertLen(set.union(*used.values()), 1)


class BadMemoryTest(absltest.TestCase):
  def test_a_memory_whose_step_and_unroll_differ_is_refused_at_the_start(self):
    folder = self.create_tempdir()
    text = _MODULE.replace(
      "return base.unroll_by_steps(self, x, first, state)",
      "y, s = base.unroll_by_steps(self, x, first, state); return 2 * y, s",
    )
    folder.create_file("my_parts.py", text)
    done = subprocess.run(
      [
        *(sys.executable, "-m", "adaland", "train", "--workdir=run"),
        "--recipe=my_parts:experiment",
      ],
      cwd=folder.full_path,
      env={**os.environ, "PYTHONPATH": str(_ROOT)},
      capture_output=True,
      text=True,
      timeout=280,
      check=False,
    )
    self.assertEqual(done.returncode, 2, done.stderr)
    self.assertIn("memory EMA: the output of unroll differs from", done.stderr)
    self.assertEqual(done.stderr.count("\n"), 1)
    self.assertFalse(os.path.exists(os.path.join(folder.full_path, "run")))


if __name__ == "__main__":
  absltest.main()
