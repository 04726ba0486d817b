"""The archive of tasks from which prioritised level replay draws."""

from typing import Any

import numpy as np


class Archive:
  """The fittest of the evaluated tasks, at most `capacity` of them.

  Tasks are identified by their index in the pool.
  """

  def __init__(self, capacity: int):
    """Makes an empty archive."""
    self._capacity = capacity
    self._indices = np.zeros(0, np.int64)
    self._fitness = np.zeros(0, np.float64)
    self._trials = np.zeros(0, np.int64)
    # When each task was last played, counted in draws of the curriculum.
    self._played = np.zeros(0, np.int64)

  def __len__(self) -> int:
    """Returns the number of tasks kept."""
    return len(self._indices)

  def __contains__(self, index: int) -> bool:
    """Returns True if a task is kept."""
    return bool(np.any(self._indices == index))

  @property
  def indices(self) -> list[int]:
    """Indices of the kept tasks, in no particular order."""
    return self._indices.tolist()

  @property
  def mean_fitness(self) -> float:
    """Mean fitness, 0 when empty."""
    return float(self._fitness.mean()) if len(self) else 0.0

  @property
  def mean_trials(self) -> float:
    """Mean number of trials of the tasks' episodes, 0 when empty."""
    return float(self._trials.mean()) if len(self) else 0.0

  def trials(self, index: int) -> int:
    """Returns the number of trials in a kept task's episodes."""
    [trials] = self._trials[self._indices == index]
    return int(trials)

  def offer(self, index: int, fitness: float, trials: int, now: int) -> str:
    """Adds a task if there is room, or replaces the worst one if it is fitter.

    Returns:
      "room", "better" or, if the task is not kept, "".
    """
    if len(self) < self._capacity:
      self._indices = np.append(self._indices, index)
      self._fitness = np.append(self._fitness, fitness)
      self._trials = np.append(self._trials, trials)
      self._played = np.append(self._played, now)
      return "room"
    worst = int(np.argmin(self._fitness))
    if not fitness > self._fitness[worst]:
      return ""
    self._indices[worst] = index
    self._fitness[worst] = fitness
    self._trials[worst] = trials
    self._played[worst] = now
    return "better"

  def refresh(self, index: int, fitness: float) -> None:
    """Sets a kept task's fitness."""
    self._fitness[self._indices == index] = fitness

  def probabilities(
    self, now: int, beta: float, staleness: float
  ) -> np.ndarray:
    """Returns each task's probability of being drawn, [len].

    P = (1 - s) P_S + s P_C, with P_S proportional to (1 / rank)^(1 / beta),
    where the fittest has rank 1, and P_C proportional to the draws since the
    task was last played (prioritised level replay, arXiv 2010.03934).

    Args:
      now: Draws of the curriculum so far.
      beta: Temperature of the ranks; small prefers the fittest more.
      staleness: Weight s of P_C.
    """
    rank = np.empty(len(self), np.float64)
    # Among equals, the one in the earlier row ranks higher.
    order = np.argsort(-self._fitness, kind="stable")
    rank[order] = np.arange(1, len(self) + 1)
    by_rank = (1.0 / rank) ** (1.0 / beta)
    by_rank /= by_rank.sum()
    age = (now - self._played).astype(np.float64)
    if age.sum() == 0.0:
      return by_rank
    return (1.0 - staleness) * by_rank + staleness * age / age.sum()

  def draw(
    self, rng: np.random.Generator, now: int, beta: float, staleness: float
  ) -> int:
    """Draws a task to play with `probabilities`; returns its index."""
    p = self.probabilities(now, beta, staleness)
    row = int(rng.choice(len(self), p=p))
    self._played[row] = now
    return int(self._indices[row])

  def state_dict(self) -> dict[str, Any]:
    """Returns the archive's state, as lists."""
    return {
      "indices": self._indices.tolist(),
      "fitness": self._fitness.tolist(),
      "trials": self._trials.tolist(),
      "played": self._played.tolist(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state from `state_dict`; keeps the fittest that fit."""
    fitness = np.array(state["fitness"], np.float64)
    kept = np.sort(np.argsort(-fitness, kind="stable")[: self._capacity])
    self._fitness = fitness[kept]
    self._indices = np.array(state["indices"], np.int64)[kept]
    self._trials = np.array(state["trials"], np.int64)[kept]
    self._played = np.array(state["played"], np.int64)[kept]
