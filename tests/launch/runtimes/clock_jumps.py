"""Clock jumps during a run, and the conditions that must hold after them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.agent.checkpoint import checkpoint
from adaland.launch.bench.lib import live_run
from tests import fake_clock

# An hour ahead, then two hours back; seconds relative to the machine's time.
AHEAD, BACK = 3600, -3600
# Longest time between a status or a row and the next, seconds.
_OLD_SECONDS = 60.0


def jump(
  run: live_run.LiveRun,
  clock: fake_clock.FakeClock,
  offset: int,
  seconds: float,
) -> live_run.Seen:
  """Sets the clock; waits until all roles use it and a checkpoint is written.

  Args:
    run: The run, started.
    clock: The clock of its processes.
    offset: Seconds by which the clock is to run ahead.
    seconds: Longest time to wait.

  Raises:
    AssertionError: If a role was restarted, or its last answer seems to come
      from another time.
  """
  before, _ = run.wait("a status", lambda seen: True, seconds)
  clock.set(offset)
  folder = run.path / "checkpoints"
  saved = (checkpoint.steps(folder) or [0])[-1]
  first: list[live_run.Seen] = []

  def works(seen):
    if abs(seen.time - time.time() - offset) > _OLD_SECONDS:
      return False
    first.append(seen)
    return (
      seen.counters["env_steps"] > first[0].counters["env_steps"] + 200
      and seen.counters["updates"] > first[0].counters["updates"] + 3
      and checkpoint.steps(folder)[-1:] > [saved]
    )

  seen, _ = run.wait(f"work at {offset:+d} s", works, seconds)
  for name, role in seen.roles.items():
    age = role["heartbeat_age_s"]
    _require(0.0 <= age <= _OLD_SECONDS, f"{name} answered {age} s ago")
  _require(seen.restarts == before.restarts, f"restarts: {seen.restarts}")
  return seen


def check_rows(rows: Sequence[Mapping[str, Any]]) -> None:
  """Raises AssertionError unless a run has seen its clock jump both ways.

  Args:
    rows: Its metrics, from before the first jump to after the second.
  """
  jumps = np.diff([row["time"] for row in rows])
  _require(abs(max(jumps) - AHEAD) <= _OLD_SECONDS, f"ahead: {max(jumps)} s")
  _require(
    abs(min(jumps) - (BACK - AHEAD)) <= _OLD_SECONDS, f"back: {min(jumps)} s"
  )


def _require(ok: bool, fault: str) -> None:
  if not ok:
    raise AssertionError(fault)
