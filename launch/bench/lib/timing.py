"""Times pieces of work in turns, on a machine that other work disturbs."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Turns have about this length, so that a slow moment of the machine affects all
# pieces of work equally.
_TURN_SECONDS = 0.25


class Speed(NamedTuple):
  """Speed of a piece of work.

  Attributes:
    per_second: Calls per second.
    per_cpu_second: Calls per second of processor time, summed over the
      process's threads.
  """

  per_second: float
  per_cpu_second: float


def rates(works: Sequence[Callable[[], object]], seconds: float) -> list[float]:
  """Returns the calls per second of each piece of work; see `speeds`."""
  return [speed.per_second for speed in speeds(works, seconds)]


def speeds(
  works: Sequence[Callable[[], object]], seconds: float
) -> list[Speed]:
  """Measures the speeds of pieces of work in alternation.

  Args:
    works: Functions; each is called once to warm up, then repeatedly.
    seconds: Time for each function.

  Returns:
    Median speeds over the turns, in the order of `works`.
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
