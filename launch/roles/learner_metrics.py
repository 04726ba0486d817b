"""Sums of the learner's metrics over its updates."""

import threading
from collections.abc import Mapping
from typing import Any

import jax


class Sums:
  """Sums over updates, for a reader that takes differences.

  Values stay on the device that computed them until they are read.
  """

  def __init__(self):
    self._lock = threading.Lock()
    self._reading = threading.Lock()
    self._waiting: list[Mapping[str, Any]] = []
    self._sums: dict[str, float] = {}
    # Number of updates with each name: two kinds of updates may alternate.
    self._counts: dict[str, int] = {}
    self._steps = 0
    self._lag = 0.0
    self._count = 0

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """See `learner_state.Report.add`."""
    with self._lock:
      self._waiting.append(values)
      self._steps += steps
      # If a learner died, unrolls of its lost parameters have a version ahead
      # of its successor's.
      self._lag += max(0.0, lag)
      self._count += 1

  def read(self) -> dict[str, Any]:
    """Returns the number of updates, steps learned from, and sums by name.

    "counts" has the number of updates summed, by name.
    """
    with self._reading:
      with self._lock:
        waiting, self._waiting = self._waiting, []
        count, steps, lag = self._count, self._steps, self._lag
      # This waits for the current update, so that the learner need not.
      for values in jax.device_get(waiting):
        for name, value in values.items():
          self._sums[name] = self._sums.get(name, 0.0) + float(value)
          self._counts[name] = self._counts.get(name, 0) + 1
      return {
        "count": count,
        "learned": steps,
        "lag_sum": lag,
        "sums": dict(self._sums),
        "counts": dict(self._counts),
      }
