"""Times pieces of work against each other on a machine that others use too."""

import time
from collections.abc import Callable, Sequence

import numpy as np

# Work is done in turns of about this length, so that a slow moment of the
# machine meets all of it alike.
_TURN_SECONDS = 0.25


def rates(works: Sequence[Callable[[], object]], seconds: float) -> list[float]:
  """Calls a second of each piece of work, measured in alternation.

  Args:
    works: Each is called once for warming up, then again and again.
    seconds: Time for each of them.

  Returns:
    Median over the turns of calls a second.
  """
  for work in works:
    work()
  turns: list[list[float]] = [[] for _ in works]
  for _ in range(max(3, round(seconds / _TURN_SECONDS))):
    for work, measured in zip(works, turns, strict=True):
      start, calls = time.perf_counter(), 0
      while (now := time.perf_counter()) < start + _TURN_SECONDS or not calls:
        work()
        calls += 1
      now = time.perf_counter()
      measured.append(calls / (now - start))
  return [float(np.median(measured)) for measured in turns]
