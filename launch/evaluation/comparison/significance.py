"""The paired bootstrap: is one policy better than another, on the same tasks?

A table of scores has a row for each training seed and a column for each task.
Both are resampled with replacement: tasks jointly for all policies, which share
them (they are paired), and seeds for each policy separately (Efron and
Tibshirani, An Introduction to the Bootstrap, chapters 6 and 13). A policy with
one seed has an interval over tasks only: it does not cover other seeds.

S: training seeds, T: tasks, K: numbers of each task, such as its trials, R:
resamples.
"""

import copy
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np

_RESAMPLES = 10_000
_LEVEL = 0.95
# Numbers drawn at once; those of all resamples of many tasks take gigabytes.
_MOST_DRAWS = 2_000_000


class Interval(NamedTuple):
  """An estimate with its percentile interval.

  Attributes:
    mean: The estimate from all seeds and tasks.
    low: Lower end of the 95 % interval.
    high: Upper end of the 95 % interval.
  """

  mean: float
  low: float
  high: float


class Bootstrap:
  """Resamples of several policies' scores on the same tasks.

  Resamples of tasks take most of the time, and are drawn once for all scores.

  Args:
    tables: Scores by name, all [S, T, K] with the same T and K. Policies that
      have the same training seeds, as do an agent and its control, are compared
      by the `mean` of another table, of their differences: their seeds are then
      resampled together.
    resamples: Number of resamples, R.

  Raises:
    ValueError: If a table has no score, or their shapes differ.
  """

  def __init__(
    self, tables: Mapping[Any, np.ndarray], resamples: int = _RESAMPLES
  ):
    _check([*tables.values()])
    self._tables = dict(tables)
    self._rng = np.random.Generator(np.random.PCG64(0))
    joined = np.concatenate([*tables.values()])
    means = _means_over_tasks(self._rng, joined, resamples)
    ends = np.cumsum([len(scores) for scores in tables.values()])
    parts = np.split(means, ends[:-1], axis=1)
    self._means = dict(zip(tables, parts, strict=True))

  def mean(self, name: Hashable) -> list[Interval]:
    """Estimates the means of a table's K numbers."""
    drawn = self._resampled(copy.deepcopy(self._rng), name)
    return _intervals(self._estimates(name), drawn)

  def difference(self, name: Hashable, other: Hashable) -> list[Interval]:
    """Estimates how much more one policy scores than another.

    Args:
      name: Name of one policy's table.
      other: Name of the other's, which has other training seeds.

    Returns:
      For each of the K numbers, the mean of `name` minus the mean of `other`.
    """
    rng = copy.deepcopy(self._rng)
    drawn = self._resampled(rng, name) - self._resampled(rng, other)
    return _intervals(self._estimates(name) - self._estimates(other), drawn)

  def _estimates(self, name: Hashable) -> np.ndarray:
    return self._tables[name].mean(axis=(0, 1))

  def _resampled(self, rng: np.random.Generator, name: Hashable) -> np.ndarray:
    """Returns the means of each resample, [R, K]; draws the seeds."""
    means = self._means[name]
    seeds = _weights(rng, means.shape[1], len(means))
    return np.einsum("rs,rsk->rk", seeds, means)


def _check(tables: list[np.ndarray]) -> None:
  for scores in tables:
    if scores.ndim != 3 or not scores.size:
      raise ValueError(
        f"scores have shape {scores.shape}, allowed: [seeds, tasks, numbers] "
        "with at least one of each"
      )
    if scores.shape[1:] != tables[0].shape[1:]:
      raise ValueError(
        f"scores have shapes {tables[0].shape} and {scores.shape}, allowed: "
        "the same tasks and numbers"
      )


def _weights(
  rng: np.random.Generator, count: int, resamples: int
) -> np.ndarray:
  """Returns how often each of `count` items is drawn, as shares, [R, count]."""
  equal = np.full(count, 1 / count)
  return rng.multinomial(count, equal, size=resamples) / count


def _means_over_tasks(
  rng: np.random.Generator, scores: np.ndarray, resamples: int
) -> np.ndarray:
  """Returns the means over the tasks of each resample, [R, S, K].

  Args:
    rng: Draws the tasks.
    scores: [S, T, K].
    resamples: Number of resamples, R.
  """
  seeds, tasks, numbers = scores.shape
  columns = np.moveaxis(scores, 1, 0).reshape(tasks, -1)
  at_once = max(1, _MOST_DRAWS // tasks)
  means = [
    _weights(rng, tasks, min(at_once, resamples - done)) @ columns
    for done in range(0, resamples, at_once)
  ]
  return np.concatenate(means).reshape(resamples, seeds, numbers)


def _intervals(estimates: np.ndarray, drawn: np.ndarray) -> list[Interval]:
  """Returns the intervals of K numbers.

  Args:
    estimates: [K].
    drawn: The same in each resample, [R, K].
  """
  tail = (1 - _LEVEL) / 2
  low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
  columns = zip(estimates, low, high, strict=True)
  return [Interval(*map(float, column)) for column in columns]
