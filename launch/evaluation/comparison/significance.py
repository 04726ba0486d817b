"""The paired bootstrap: is one policy better than another, on the same tasks?

A table of scores has a row for each training seed and a column for each task.
Both are resampled with replacement: tasks jointly for all policies, which share
them (they are paired), and seeds for each policy separately (Efron and
Tibshirani, An Introduction to the Bootstrap, chapters 6 and 13). A policy with
one seed has an interval over tasks only: it does not cover other seeds.

S: training seeds, T: tasks, R: resamples.
"""

from typing import NamedTuple

import numpy as np

_RESAMPLES = 10_000
_LEVEL = 0.95


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


def difference(
  ours: np.ndarray,
  theirs: np.ndarray,
  same_seeds: bool = False,
  resamples: int = _RESAMPLES,
) -> Interval:
  """Estimates how much more one policy scores than another.

  Args:
    ours: Scores of one policy, [S, T].
    theirs: Scores of the other on the same tasks, [S', T].
    same_seeds: Whether both have the same training seeds, in the same order, as
      do an agent and its control, or two evaluations of the same agents; seeds
      are then resampled together.
    resamples: Number of resamples, R.

  Returns:
    Mean of `ours` minus mean of `theirs`.

  Raises:
    ValueError: If there is no score, or the numbers of tasks, or of the same
      seeds, differ.
  """
  _check(ours)
  _check(theirs)
  if same_seeds:
    if ours.shape != theirs.shape:
      raise ValueError(
        f"scores have shapes {ours.shape} and {theirs.shape}, allowed: the "
        "same seeds and tasks"
      )
    return mean(ours - theirs, resamples)
  if ours.shape[1] != theirs.shape[1]:
    raise ValueError(
      f"scores are of {ours.shape[1]} and of {theirs.shape[1]} tasks, allowed: "
      "the same tasks"
    )
  rng = np.random.Generator(np.random.PCG64(0))
  tasks = _weights(rng, ours.shape[1], resamples)
  drawn = _means(rng, ours, tasks) - _means(rng, theirs, tasks)
  return _interval(float(ours.mean() - theirs.mean()), drawn)


def mean(scores: np.ndarray, resamples: int = _RESAMPLES) -> Interval:
  """Estimates a policy's mean score, or mean gain.

  Args:
    scores: Scores, or differences of two trials' scores, [S, T].
    resamples: Number of resamples, R.

  Raises:
    ValueError: If there is no score.
  """
  _check(scores)
  rng = np.random.Generator(np.random.PCG64(0))
  tasks = _weights(rng, scores.shape[1], resamples)
  return _interval(float(scores.mean()), _means(rng, scores, tasks))


def _check(scores: np.ndarray) -> None:
  if scores.ndim != 2 or not scores.size:
    raise ValueError(
      f"scores have shape {scores.shape}, allowed: [seeds, tasks] with at "
      "least one of each"
    )


def _weights(
  rng: np.random.Generator, count: int, resamples: int
) -> np.ndarray:
  """Returns how often each of `count` items is drawn, as shares, [R, count]."""
  equal = np.full(count, 1 / count)
  return rng.multinomial(count, equal, size=resamples) / count


def _means(
  rng: np.random.Generator, scores: np.ndarray, tasks: np.ndarray
) -> np.ndarray:
  """Returns the mean score of each resample, [R].

  Args:
    rng: Draws the seeds.
    scores: [S, T].
    tasks: Weights of the tasks in each resample, [R, T].
  """
  seeds = _weights(rng, len(scores), len(tasks))
  return np.sum(seeds * (tasks @ scores.T), axis=1)


def _interval(estimate: float, drawn: np.ndarray) -> Interval:
  tail = (1 - _LEVEL) / 2
  low, high = np.quantile(drawn, [tail, 1 - tail])
  return Interval(estimate, float(low), float(high))
