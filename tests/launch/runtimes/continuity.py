"""Checks that counters and loss continue after kills.

Counters must not decrease. The loss must not jump by more than the run's own
noise. It varies from row to row, and it drifts as the agent learns, so a
difference between the rows before and after a kill counts as a jump only if it
is larger than both explain.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.launch.bench.lib import live_run

# Number of rows before and after a kill.
WINDOW = 8
# Standard errors of a difference of two means, if rows were independent.
_STANDARD_ERRORS = 4.0


class Moment(NamedTuple):
  """The moment of a kill.

  Attributes:
    time: Time of the kill, on the clock of the rows.
    updates: Update count of the checkpoint that a killed learner resumes from;
      None if it was not killed.
  """

  time: float
  updates: int | None = None


def falls(
  rows: Sequence[Mapping[str, Any]], moments: Sequence[Moment]
) -> list[str]:
  """Returns messages about counters that decrease without a learner's death.

  Args:
    rows: Rows of `metrics.jsonl`, in order.
    moments: When something was killed.
  """
  found = []
  for name in (*live_run.COUNTERS, "updates"):
    values = [row[name] for row in rows]
    for i in np.flatnonzero(np.diff(values) < 0):
      allowed = name == "updates" and any(
        moment.updates is not None
        and moment.updates <= values[i + 1]
        and moment.time <= rows[i + 1]["time"]
        for moment in moments
      )
      if not allowed:
        found.append(f"{name} falls from {values[i]} to {values[i + 1]}")
  return found


class Shifts(NamedTuple):
  """The differences between the mean loss after and before kills.

  Attributes:
    allowed: The largest absolute difference that is not a break: four standard
      errors, or the largest difference elsewhere in the run if that is larger.
    spread: Standard deviation of a row around its neighbours.
    quiet: The largest absolute difference where nothing was killed.
    at: The difference at each moment; None where rows are lacking.
  """

  allowed: float
  spread: float
  quiet: float
  at: list[float | None]

  def breaks(self) -> list[int]:
    """Returns the indices of the moments at which the loss breaks."""
    return [
      i
      for i, shift in enumerate(self.at)
      if shift is not None and not abs(shift) <= self.allowed
    ]


def shifts(
  rows: Sequence[Mapping[str, Any]],
  moments: Sequence[Moment],
  name: str = "loss/total",
) -> Shifts:
  """Compares a few rows after each moment with as many before it.

  If the learner died, the rows before are the last ones up to its checkpoint:
  later updates are lost and repeated.

  Args:
    rows: Rows of `metrics.jsonl`, in order.
    moments: When something was killed, in order.
    name: Name of the value to compare; rows without it are skipped. None, which
      stands for a number that is not finite, is a break.
  """
  rows = [row for row in rows if name in row]
  values = np.array(
    [math.nan if row[name] is None else row[name] for row in rows], float
  )
  times = np.array([row["time"] for row in rows])
  killed = np.array([moment.time for moment in moments])
  # Successive differences, which contain little of a slow drift.
  steps = [
    values[i + 1] - values[i]
    for i in range(len(rows) - 1)
    if not np.any((killed > times[i]) & (killed <= times[i + 1]))
  ]
  spread = float(np.sqrt(np.mean(np.square(steps)) / 2)) if steps else math.nan
  quiet = 0.0
  for i in range(WINDOW, len(rows) - WINDOW + 1):
    start, end = times[i - WINDOW], times[i + WINDOW - 1]
    if not np.any((killed > start) & (killed <= end)):
      quiet = max(quiet, abs(_shift(values[i - WINDOW : i + WINDOW])))
  at: list[float | None] = []
  for moment in moments:
    is_before = times <= moment.time
    if moment.updates is not None:
      is_before &= np.array([row["updates"] <= moment.updates for row in rows])
    before = values[is_before][-WINDOW:]
    after = values[times > moment.time][:WINDOW]
    whole = len(before) == len(after) == WINDOW
    at.append(_shift(np.concatenate([before, after])) if whole else None)
  error = _STANDARD_ERRORS * spread * math.sqrt(2 / WINDOW)
  return Shifts(max(error, quiet), spread, quiet, at)


def _shift(values: np.ndarray) -> float:
  return float(values[WINDOW:].mean() - values[:WINDOW].mean())
