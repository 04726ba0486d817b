"""Times pieces of work against each other on a machine that others use too."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Work is done in turns of about this length, so that a slow moment of the
# machine meets all of it alike.
_TURN_SECONDS = 0.25


class Speed(NamedTuple):
  """How fast a piece of work was done.

  Attributes:
    per_second: Calls a second.
    per_cpu_second: Calls for a second of processor time, of all the process's
      threads.
  """

  per_second: float
  per_cpu_second: float


def rates(works: Sequence[Callable[[], object]], seconds: float) -> list[float]:
  """Calls a second of each piece of work; see `speeds`."""
  return [speed.per_second for speed in speeds(works, seconds)]


def speeds(
  works: Sequence[Callable[[], object]], seconds: float
) -> list[Speed]:
  """Speeds of pieces of work, measured in alternation.

  Args:
    works: Each is called once for warming up, then again and again.
    seconds: Time for each of them.

  Returns:
    Of each, medians over the turns.
  """
  for work in works:
    work()
  turns: list[list[Speed]] = [[] for _ in works]
  for _ in range(max(3, round(seconds / _TURN_SECONDS))):
    for work, measured in zip(works, turns, strict=True):
      cpu, start, calls = time.process_time(), time.perf_counter(), 0
      while time.perf_counter() < start + _TURN_SECONDS or not calls:
        work()
        calls += 1
      measured.append(
        Speed(
          calls / (time.perf_counter() - start),
          calls / max(1e-9, time.process_time() - cpu),
        )
      )
  return [Speed(*np.median(measured, axis=0).tolist()) for measured in turns]
