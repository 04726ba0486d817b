"""The simplest curriculum: all tasks of the pool are equally likely."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from adaland.curriculum import base, statistics


class UniformCurriculum:
  """A curriculum of uniform draws; every episode is learned from.

  In a small pool a task may be drawn again before its first record is reported,
  so an assignment's key is its number and not the task's index.
  """

  def __init__(
    self,
    sample_task: Callable[[int], Any],
    seed: int,
    num_tasks: int = base.POOL_SIZE,
    draw_coplayer: base.DrawCoplayer | None = None,
  ):
    """Makes a curriculum.

    Args:
      sample_task: Returns the task of an index below num_tasks, or a
        placeholder for it; assignments carry it.
      seed: Seed of the draws.
      num_tasks: Size of the pool.
      draw_coplayer: Draws the co-player of a new task, if tasks have one.
    """
    self._sample_task = sample_task
    self._num_tasks = num_tasks
    self._draw_coplayer = draw_coplayer
    self._rng = np.random.Generator(np.random.PCG64(seed))
    self._drawn = 0
    self._reward = statistics.RecentMean()

  def _draw_index(self) -> int:
    return base.draw_index(self._rng, self._num_tasks, self._draw_coplayer)

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    indices = [self._draw_index() for _ in range(n)]
    first, self._drawn = self._drawn, self._drawn + n
    return [
      base.Assignment(first + k, self._sample_task(index), True)
      for k, index in enumerate(indices)
    ]

  def report(self, record: base.EpisodeRecord) -> None:
    """Adds the episode's reward to the recent mean, if the agent earned it."""
    known = 0 <= record.key < self._drawn
    if known and not record.guided:
      self._reward.add(float(np.mean(record.rewards)))

  def state_dict(self) -> dict[str, Any]:
    """See `base.Curriculum`."""
    return {
      "kind": "uniform",
      "generator": copy.deepcopy(self._rng.bit_generator.state),
      "drawn": self._drawn,
      "reward": self._reward.state_dict(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """See `base.Curriculum`."""
    base.check_kind(state, "uniform")
    self._rng.bit_generator.state = copy.deepcopy(state["generator"])
    self._drawn = int(state["drawn"])
    self._reward.load_state_dict(state["reward"])

  def metrics(self) -> dict[str, float]:
    """Returns the tasks drawn and the recent mean reward of a trial."""
    return {
      "tasks_drawn": float(self._drawn),
      "trial_reward_s": self._reward.mean,
    }
