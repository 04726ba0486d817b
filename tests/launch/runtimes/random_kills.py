"""Kills random processes of a run at random moments."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psutil

from adaland.agent.checkpoint import checkpoint
from adaland.launch.bench.lib import live_run

_ACTORS = ("actor 0", "actor 1")
HANG, _ALL_ACTORS, _MACHINE = "a hang", "all actors", "the whole machine"
# Faults that a run may have.
LOCAL = ("actor", _ALL_ACTORS, "server", "evaluator", HANG, _MACHINE)
RAY = (*LOCAL, "curriculum", "parameters", "replay", "learner")
# Shares of a run, at its start and end, in which nothing is killed.
_QUIET_START, _QUIET_END = 0.05, 0.15


class Kill(NamedTuple):
  """One disturbance of a run.

  Attributes:
    seconds: Its time since the start of the disturbed run.
    what: Kind of role, or of disturbance.
    names: Roles whose processes were killed.
    time: Its time in seconds since 1970.
    updates: Update count of the checkpoint if the learner died; else None.
  """

  seconds: float
  what: str
  names: tuple[str, ...]
  time: float
  updates: int | None


def plan(
  rng: random.Random, kills: int, kinds: Sequence[str]
) -> list[tuple[float, str]]:
  """Draws moments and kinds; each kind comes once before any comes again.

  Args:
    rng: Source of randomness.
    kills: Number of kills.
    kinds: `LOCAL` or `RAY`.

  Returns:
    Times, as fractions of the run in order, and the kinds to kill.
  """
  moments = sorted(
    rng.uniform(_QUIET_START, 1 - _QUIET_END) for _ in range(kills)
  )
  bag: list[str] = []
  while len(bag) < kills:
    bag += rng.sample(kinds, len(kinds))
  return list(zip(moments, bag, strict=False))


class Chaos:
  """A source of random kills of a run.

  Args:
    run: The run.
    rng: Source of randomness.
    planned: Moments and kinds, as `plan` draws them.
    seconds: Expected duration of the run.
    steps: Its first and last step. In a run that is faster than expected,
      kills come sooner, so that all are done before it ends.
    say: Prints a line.

  Attributes:
    kills: Kills done so far.
  """

  def __init__(
    self,
    run: live_run.LiveRun,
    rng: random.Random,
    planned: Sequence[tuple[float, str]],
    seconds: float,
    steps: tuple[float, float],
    say: Callable[[str], None],
  ):
    self._run = run
    self._rng = rng
    self._planned = list(planned)
    self._seconds = seconds
    self._steps = steps
    self._say = say
    self._start = time.monotonic()
    self.kills: list[Kill] = []

  def step(self) -> None:
    """Performs the kills that are due."""
    seen = self._run.seen()
    if not self._planned or seen is None:
      return
    moment, what = self._planned[0]
    first, last = self._steps
    done = max(
      (time.monotonic() - self._start) / self._seconds,
      (seen.counters["env_steps"] - first) / (last - first),
    )
    if done >= moment and self._kill(what, seen):
      del self._planned[0]

  def _kill(self, what: str, seen: live_run.Seen) -> bool:
    """Kills a role or all; returns False if it has no process now."""
    number = signal.SIGSTOP if what == HANG else signal.SIGKILL
    # Only the user watches roles in the command's own process.
    watched = sorted(
      name for name, pid in seen.pids.items() if pid != self._run.pid
    )
    names: tuple[str, ...] = {
      "actor": (self._rng.choice(_ACTORS),),
      _ALL_ACTORS: _ACTORS,
      HANG: (self._rng.choice(watched),),
      _MACHINE: tuple(seen.pids),
    }.get(what, (what,))
    alive = set(self._run.processes())
    if what != _MACHINE and not {seen.pids.get(n) for n in names} <= alive:
      return False
    saved = checkpoint.steps(self._run.path / "checkpoints")
    now = time.time()
    if what == _MACHINE:
      self._run.crash()
      self._run.start()
    else:
      for name in names:
        with contextlib.suppress(ProcessLookupError):
          os.kill(seen.pids[name], number)
    updates = (saved or [0])[-1] if "learner" in names else None
    seconds = time.monotonic() - self._start
    self.kills.append(Kill(seconds, what, names, now, updates))
    hung = f" ({' and '.join(names)})" if what == HANG else ""
    steps = int(seen.counters["env_steps"])
    self._say(f"{seconds:.0f} s, {steps} steps: {what}{hung}")
    return True


def memory_mb(pids: list[int]) -> float:
  """Returns the memory of processes, MiB; shared pages count once."""
  total = 0
  for pid in pids:
    with contextlib.suppress(psutil.Error):
      total += psutil.Process(pid).memory_full_info().pss
  return total / 2**20
