"""Sets of tasks, each a pure function of an index."""

import dataclasses
import functools
from typing import Protocol

import numpy as np

from adaland.envs.tasks.task import Task

MAX_WEIGHT = 1000


class TaskSet(Protocol):
  """Tasks as functions of an index."""

  @property
  def num_tasks(self) -> int:
    """Number of tasks, some of which may be equal."""
    ...

  def task(self, index: int) -> Task:
    """Returns the task of an index.

    Args:
      index: Not negative, taken modulo `num_tasks`.
    """
    ...


@dataclasses.dataclass(frozen=True)
class TaskList:
  """A task set that consists of given tasks, at least one."""

  tasks: tuple[Task, ...]

  def __post_init__(self):
    if not self.tasks:
      raise ValueError("there are 0 tasks, allowed: 1 or more")
    for i, task in enumerate(self.tasks):
      if not isinstance(task, Task):
        raise ValueError(f"tasks[{i}] is {task!r}, allowed: a Task")

  @property
  def num_tasks(self) -> int:
    """Number of tasks."""
    return len(self.tasks)

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    return self.tasks[wrapped(index, self.num_tasks)]


@dataclasses.dataclass(frozen=True)
class MixedSet:
  """Task sets that take turns.

  Attributes:
    weighted: The sets, each with its weight: its number of turns in a cycle.
  """

  weighted: tuple[tuple[TaskSet, int], ...]

  @property
  def num_tasks(self) -> int:
    """Number of tasks in the fewest cycles that include every task."""
    return len(self._turns) * max(
      -(-tasks.num_tasks // weight) for tasks, weight in self.weighted
    )

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    cycle, turn = divmod(wrapped(index, self.num_tasks), len(self._turns))
    which, rank = self._turns[turn]
    tasks, weight = self.weighted[which]
    return tasks.task(cycle * weight + rank)

  @functools.cached_property
  def _turns(self) -> list[tuple[int, int]]:
    """The set of each turn, and the turn's rank among that set's turns.

    The turns of a set are evenly spread over the cycle.
    """
    turns = [
      ((rank + 0.5) / weight, which, rank)
      for which, (_, weight) in enumerate(self.weighted)
      for rank in range(weight)
    ]
    return [(which, rank) for _, which, rank in sorted(turns)]


def wrapped(index: int, num_tasks: int) -> int:
  """Returns an index modulo a number of tasks; ValueError if it is negative."""
  if index < 0:
    raise ValueError(f"task index is {index}, allowed: 0 and up")
  return int(index) % num_tasks


class Draws:
  """An endless sequence of tasks, drawn uniformly from a set."""

  def __init__(self, tasks: TaskSet, seed: int):
    """Initializes the sequence; see `seed`."""
    self._tasks = tasks
    self.seed(seed)

  def seed(self, seed: int) -> None:
    """Restarts the sequence; equal seeds give equal sequences."""
    self._rng = np.random.default_rng(seed)

  def next(self) -> Task:
    """Returns the next task."""
    # NumPy draws 64-bit integers, but families may have more tasks than that.
    bound = min(self._tasks.num_tasks, 2**62)
    return self._tasks.task(int(self._rng.integers(bound)))
