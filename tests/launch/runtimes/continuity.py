"""Does a run go on where it was when something was killed?

Counters must not go back. The loss must not jump, beyond what is the run's own
noise: it differs from row to row, and it drifts as the agent learns, so a
difference between what comes before and after a moment says nothing unless it
is larger than both would make it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.launch.bench.lib import live_run

# Rows on either side of a moment.
WINDOW = 8
# Of a difference of two means, if rows were independent.
_STANDARD_ERRORS = 4.0


class Moment(NamedTuple):
  """The moment of a kill.

  Attributes:
    time: In the rows' time.
    updates: Of the learner that goes on from then: those of the checkpoint if
      it died; None if it did not.
  """

  time: float
  updates: int | None = None


def falls(
  rows: Sequence[Mapping[str, Any]], moments: Sequence[Moment]
) -> list[str]:
  """Says where counters go back; updates may, to a dead learner's checkpoint.

  Args:
    rows: Of `metrics.jsonl`, in order.
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
  """The differences of the mean loss after and before kills.

  Attributes:
    allowed: The largest absolute difference that is no break: four standard
      errors, or what is found elsewhere in the run, if that is more.
    spread: Standard deviation of a row around its neighbours.
    quiet: The largest absolute difference where nothing was killed.
    at: The difference at each moment; None where rows are lacking.
  """

  allowed: float
  spread: float
  quiet: float
  at: list[float | None]

  def breaks(self) -> list[int]:
    """Indices of the moments at which the loss breaks."""
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

  Where the learner died those before are the last ones up to its checkpoint:
  what came after that is lost, and done again.

  Args:
    rows: Of `metrics.jsonl`, in order.
    moments: When something was killed, in order.
    name: Of the value that is looked at; rows without it are left out. None,
      as a number that is not finite is written, is a break.
  """
  rows = [row for row in rows if name in row]
  values = np.array(
    [math.nan if row[name] is None else row[name] for row in rows], float
  )
  times = np.array([row["time"] for row in rows])
  hurt = np.array([moment.time for moment in moments])
  # Successive differences: a slow drift is in them only a little.
  steps = [
    values[i + 1] - values[i]
    for i in range(len(rows) - 1)
    if not np.any((hurt > times[i]) & (hurt <= times[i + 1]))
  ]
  spread = float(np.sqrt(np.mean(np.square(steps)) / 2)) if steps else math.nan
  quiet = 0.0
  for i in range(WINDOW, len(rows) - WINDOW + 1):
    start, end = times[i - WINDOW], times[i + WINDOW - 1]
    if not np.any((hurt > start) & (hurt <= end)):
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
