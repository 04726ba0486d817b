"""An environment and acting functions whose numbers all encode their step."""

import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from adaland.agent import acting
from adaland.curriculum import base
from adaland.envs import land
from tests.launch import fakes

SIZES = (2, 3)
# `goal` is a row's task, `at` its number and step.
SPEC: Any = {"at": ((2,), np.float32), "goal": ((1,), np.int32)}
GAMMA = 0.5
PARAMS = {"logits": np.arange(5, dtype=np.float32)[None]}
FIRST_MEMORY = -1.0


def _act(params, state, observation, first, key):
  """Outputs tell the step; memory is the sum of the episode's steps."""
  del key
  at = observation["at"][:, 1]
  memory = jnp.where(first, 0.0, state.memory["m"][:, 0]) + at
  output = acting.ActorOutput(
    action=jnp.stack([at % 2, at % 3], -1).astype(jnp.int32),
    behaviour_logits=params["logits"] + at[:, None],
    value=10 * at,
    value_error=at,
    policy_error=100 * at,
  )
  return output, state._replace(memory={"m": memory[:, None]})


FUNCTIONS = acting.Actor(
  init=lambda n: acting.ActorState(
    {"m": jnp.full((n, 1), FIRST_MEMORY)},
    jnp.zeros(n),
    jnp.zeros((n, sum(SIZES))),
  ),
  act=_act,
)


class CountingEnvironment:
  """An environment that shows its number and step; step t pays t + 1.

  Episodes are as long as their tasks. Observation and reward are on the device
  if asked.
  """

  tasks: list[Any]

  def __init__(self, num_envs, next_task, on_device=False):
    self._num_envs = num_envs
    self._next_task = next_task
    self._put: Any = jnp.asarray if on_device else np.asarray
    self._at = np.zeros(num_envs, np.int64)
    self._ended = np.ones(num_envs, bool)
    self.tasks = [None] * num_envs

  def reset(self):
    return self.step(None)

  def step(self, actions):
    del actions
    first = self._ended
    for row in np.flatnonzero(first):
      self.tasks[row] = self._next_task(int(row))
    self._at = np.where(first, 0, self._at + 1)
    lengths = np.array([task.trial_steps for task in self.tasks])
    trials = np.array([task.trials for task in self.tasks])
    last = ~first & (self._at == lengths * trials)
    self._ended = last
    shown = np.stack([np.arange(self._num_envs), self._at], -1)
    names = np.array([[int(task.name)] for task in self.tasks], np.int32)
    return land.Step(
      {"at": self._put(shown.astype(np.float32)), "goal": self._put(names)},
      self._put(self._at.astype(np.float32)),
      first,
      last,
      ~first & (self._at % lengths == 0),
      1.0 - last.astype(np.float32),
    )

  def load(self, now, tasks):
    """Continues from a step of an equal environment."""
    self._at = np.asarray(now.observation["at"])[:, 1].astype(np.int64)
    self._ended = np.asarray(now.last)
    self.tasks = list(tasks)


class Assignments:
  """Tasks of 15 or 22 steps a trial; every fourth is not to be learned from."""

  def __init__(self):
    self._keys = itertools.count()

  def next_task(self):
    """Returns the next one."""
    key = next(self._keys)
    task = fakes.make_task(
      str(key), trials=1 + key % 3, seconds=2.0 if key % 2 else 3.0
    )
    return base.Assignment(key, task, key % 4 != 3)
