"""Environments without physics, and a policy.

Every step of trial k (from 0) of a task named "x" pays x + k seconds, so a
trial's reward is its number of steps times that.
"""

import types

import numpy as np

from adaland.envs import land
from adaland.envs.tasks import task


def make_task(name: str = "1", trials: int = 2, seconds: float = 2.0, **more):
  """Returns a task whose name is its reward per step; 2 s are 15 steps."""
  cube = task.ObjectType.from_name("black cube")
  goal = task.Literal("near", task.Player(1), cube)
  return task.Task(
    world=more.pop("world", task.World()),
    objects=more.pop("objects", (task.ObjectSpec(cube),)),
    players=more.pop("players", (task.PlayerSpec(goal),)),
    trials=trials,
    trial_seconds=seconds,
    name=name,
    **more,
  )


class FakeLand:
  """A stand-in for `adaland.envs.land.Land` that records its actions."""

  def __init__(self, num_envs, config, next_task, seed=0):
    self.num_envs = num_envs
    self.config = config
    self.seed = seed
    self.actions = []
    self.seeds = (
      tuple(range(seed, seed + num_envs))
      if isinstance(seed, int)
      else tuple(seed)
    )
    self.episodes = np.zeros(num_envs, int)
    self._next_task = next_task
    self._ended = np.zeros(num_envs, bool)

  def reset(self):
    self.tasks = [self._next_task(i) for i in range(self.num_envs)]
    self.episodes += 1
    self._trial = np.zeros(self.num_envs, int)
    self._time = np.zeros(self.num_envs, int)
    none = np.zeros(self.num_envs, bool)
    return self._step(np.zeros(self.num_envs), ~none, none, none)

  def step(self, actions):
    assert np.shape(actions) == (self.num_envs, 6), np.shape(actions)
    self.actions.append(np.array(actions))
    first = self._ended
    reward = np.zeros(self.num_envs)
    last, trial_last = np.zeros((2, self.num_envs), bool)
    for i in range(self.num_envs):
      if first[i]:
        self.tasks[i] = self._next_task(i)
        self.episodes[i] += 1
        self._trial[i] = self._time[i] = 0
        continue
      reward[i] = float(self.tasks[i].name) + self._trial[i]
      self._time[i] += 1
      trial_last[i] = self._time[i] == self.tasks[i].trial_steps
      if trial_last[i]:
        self._time[i] = 0
        self._trial[i] += 1
        last[i] = self._trial[i] == self.tasks[i].trials
    self._ended = last
    return self._step(reward, first, last, trial_last)

  def state_view(self, i):
    return types.SimpleNamespace(trial=self._trial[i], step=self._time[i])

  def _step(self, reward, first, last, trial_last):
    return land.Step(
      observation={"time": self._time.copy()},
      reward=np.asarray(reward, np.float32),
      first=first,
      last=last,
      trial_last=trial_last,
      discount=np.where(last, 0, 1).astype(np.float32),
    )


class Constant:
  """A policy with one action, which counts its calls."""

  def __init__(self, value: int):
    self._value = value
    self.num_calls = 0

  def act(self, step):
    self.num_calls += 1
    return np.full((len(step.first), 6), self._value, np.int32)
