"""The simplest curriculum: every task of the pool is as likely as any other."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from curriculum import base
from envs import task as task_lib

# Tasks are functions of an index, so a pool has no cost; this is the size of
# the paper's larger pool (section 1.6).
POOL_SIZE = 25_000_000_000


class UniformCurriculum:
  """Draws task indices uniformly; every episode is learned from.

  An assignment's key is the task's index in the pool.
  """

  def __init__(self, sample_task: Callable[[int], task_lib.Task], seed: int):
    """Makes a curriculum.

    Args:
      sample_task: Gives the task of an index in [0, POOL_SIZE).
      seed: Seed of the draws.
    """
    self._sample_task = sample_task
    self._rng = np.random.Generator(np.random.PCG64(seed))
    self._drawn = 0
    self._reward = RecentMean()

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    self._drawn += n
    indices = self._rng.integers(POOL_SIZE, size=n).tolist()
    return [base.Assignment(i, self._sample_task(i), True) for i in indices]

  def report(self, record: base.EpisodeRecord) -> None:
    """Notes the episode's reward."""
    self._reward.add(float(np.mean(record.rewards)))

  def state_dict(self) -> dict[str, Any]:
    """Returns numbers and strings that restore this curriculum."""
    return {
      "kind": "uniform",
      "generator": copy.deepcopy(self._rng.bit_generator.state),
      "drawn": self._drawn,
      "reward": self._reward.state_dict(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores what `state_dict` returned."""
    check_kind(state, "uniform")
    self._rng.bit_generator.state = copy.deepcopy(state["generator"])
    self._drawn = int(state["drawn"])
    self._reward.load_state_dict(state["reward"])

  def metrics(self) -> dict[str, float]:
    """Returns the tasks drawn and the recent mean reward of a trial."""
    return {
      "tasks_drawn": float(self._drawn),
      "trial_reward_s": self._reward.mean,
    }


class RecentMean:
  """Mean of what was added lately: exponential, without a start-up bias."""

  def __init__(self, rate: float = 0.01):
    """Makes an empty mean; `rate` is the newest value's weight."""
    self._rate = rate
    self._sum = 0.0
    self._weight = 0.0

  def add(self, value: float) -> None:
    """Takes in one value; one that is not finite is left out."""
    if np.isfinite(value):
      self._sum += self._rate * (value - self._sum)
      self._weight += self._rate * (1.0 - self._weight)

  @property
  def mean(self) -> float:
    """The mean, 0 before the first value."""
    return self._sum / self._weight if self._weight else 0.0

  def state_dict(self) -> dict[str, float]:
    """Returns the numbers that restore it."""
    return {"sum": self._sum, "weight": self._weight}

  def load_state_dict(self, state: dict[str, float]) -> None:
    """Restores what `state_dict` returned."""
    self._sum, self._weight = float(state["sum"]), float(state["weight"])


def check_kind(state: dict[str, Any], kind: str) -> None:
  """Raises unless the state was saved by a curriculum of this kind."""
  if state.get("kind") != kind:
    raise ValueError(
      f"The saved curriculum is {state.get('kind')!r}, this run has {kind!r}."
    )
