"""A module with a user's own memory, curriculum, environment and tasks.

They write files that say which processes used them.
"""

import pathlib

NAME = "my_parts"
TEXT = '''
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
  draws = False

  def __init__(self, sample_task, seed):
    super().__init__(sample_task, seed)
    self._sample, self._next = sample_task, 0

  def next_tasks(self, n):
    indices = range(self._next, self._next + n)
    self._next += n
    InOrder.draws = True
    tasks = [self._sample(i) for i in indices]
    InOrder.draws = False
    return [curricula.Assignment(*x, True) for x in zip(indices, tasks)]

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
  # The check of the curriculum when a run starts does not draw from here.
  if InOrder.draws:
    used("curriculum")
  return adaland.Task.of(
    "near(player1, black cube)", ["black cube", "purple cube"],
    name=f"fetch {index}", world_seed=index, tiles=(4, 4), levels=1,
    trials=2, trial_seconds=2,
  )


def experiment():
  return adaland.presets.smoke(
    memory=EMA, curriculum=InOrder, environment=MyLand, tasks=fetch,
    settings={
      # Tracing takes seconds: few operations, and one environment in training
      # as in the evaluation.
      "learner.algorithm": "vtrace", "actor.envs_per_actor": 1,
      "run.max_steps": 200, "run.eval_tasks": 1, "run.eval_trials": (1,),
      "cluster.eval_minutes": 0,
    },
  )


def without_tasks():
  return adaland.presets.smoke(memory=EMA, curriculum=InOrder)
'''


def write(folder: pathlib.Path, text: str = TEXT) -> None:
  """Writes the module."""
  (folder / f"{NAME}.py").write_text(text)


def used(folder: pathlib.Path) -> dict[str, set[str]]:
  """Returns the ids of the processes that used each part of it."""
  found: dict[str, set[str]] = {}
  for path in (folder / "used").iterdir():
    name, _, pid = path.name.partition(".")
    found.setdefault(name, set()).add(pid)
  return found


# The parts, as named in a run's config.
FACTORIES = {
  "recipe": "my_parts:experiment",
  "memory": "my_parts:EMA",
  "curriculum": "my_parts:InOrder",
  "environment": "my_parts:MyLand",
  "tasks": "my_parts:fetch",
}
