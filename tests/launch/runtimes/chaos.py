"""Kills random processes of one run at random moments, and checks how it ends.

    python -m tests.launch.runtimes.chaos --kills=20 --minutes=10 --seed=1

The run is bounded by a number of steps: those that its undisturbed speed,
measured before the first kill, would make in part of the given time, because a
disturbed run is slower. The run must end unaided, with the requested steps and
few more; counters must not decrease; unrolls drawn from its store throughout
must be whole episodes; the loss must continue without a jump. Prints one JSON
object; the exit status is 1 if one of these does not hold.
"""

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors
from adaland.launch.bench.lib import live_run
from tests.launch.evaluation import drawer
from tests.launch.runtimes import continuity, random_kills

_SETTINGS = (
  "actor.num_actors=2",
  "curriculum.kind=plr",
  "replay.capacity=500",
  # Rate limits that never wait; unrolls drawn here do not count.
  "replay.samples_per_insert=null",
  "run.max_minutes=0",
  "run.log_seconds=1",
  "run.checkpoint_minutes=0.25",
  "run.eval_tasks=0",
  "run.eval_trials=1",
  "cluster.eval_minutes=0.25",
  "cluster.eval_tasks=1",
  "cluster.hung_seconds=30",
)
_LOOK_SECONDS = 0.1
_MEMORY_SECONDS = 2.0
_START_SECONDS = 240.0
# Time in which actors report their steps and learn that the run has ended.
_OVERSHOOT_SECONDS = 5.0
# A run that is slower than planned by this factor is stuck.
_MAX_SLOWNESS = 3.0


def _say(text: str) -> None:
  print(text, file=sys.stderr, flush=True)


def _at_work(seen: live_run.Seen) -> bool:
  return all(seen.pids.values()) and seen.counters["updates"] > 3


def measure(run: live_run.LiveRun, seconds: float) -> tuple[float, int]:
  """Returns an undisturbed run's steps per second, and its steps at the end."""
  run.start()
  before, _ = run.wait("a run at work", _at_work, _START_SECONDS)
  after, _ = run.wait(
    "a measurement", lambda s: s.time >= before.time + seconds, 4 * seconds
  )
  steps = after.counters["env_steps"] - before.counters["env_steps"]
  if run.stop():
    raise errors.RunError(f"the run failed undisturbed:\n{run.said[-3000:]}")
  status = json.loads((run.path / "status.json").read_text())
  return steps / (after.time - before.time), status["counters"]["env_steps"]


def disturb(
  run: live_run.LiveRun,
  chaos: random_kills.Chaos,
  drawn: drawer.Drawer,
  seconds: float,
) -> float:
  """Disturbs a run until it ends; returns its peak memory, MiB.

  Args:
    run: The run, already training.
    chaos: The source of kills.
    drawn: The thread that draws from the run.
    seconds: Time limit.
  """
  start, peak, next_look = time.monotonic(), 0.0, 0.0
  while not run.ended() and time.monotonic() < start + seconds:
    chaos.step()
    drawn.seen = run.seen() or drawn.seen
    if time.monotonic() >= next_look:
      peak = max(peak, random_kills.memory_mb(run.processes()))
      next_look = time.monotonic() + _MEMORY_SECONDS
    time.sleep(_LOOK_SECONDS)
  return peak


def judge(
  run: live_run.LiveRun,
  kills: list[random_kills.Kill],
  max_steps: int,
  speed: float,
) -> tuple[dict[str, Any], list[str]]:
  """Checks a run that has ended.

  Args:
    run: The run.
    kills: All kills.
    max_steps: Its bound in steps.
    speed: Its steps per second while undisturbed.

  Returns:
    Facts about the run by name, and the faults found.
  """
  rows = run.rows()
  moments = [continuity.Moment(kill.time, kill.updates) for kill in kills]
  shifts = continuity.shifts(rows, moments)
  end = json.loads((run.path / "status.json").read_text())["counters"]
  kept = checkpoint.steps(run.path / "checkpoints")[-1]
  overshoot = (end["env_steps"] - max_steps) / speed
  wrong = continuity.falls(rows, moments)
  wrong += [f"the loss breaks at kill {i}" for i in shifts.breaks()]
  if not 0 <= overshoot <= _OVERSHOOT_SECONDS:
    wrong.append(f"{end['env_steps']} steps, not {max_steps}")
  if kept != end["updates"]:
    wrong.append(f"{end['updates']} updates, but {kept} in the checkpoint")
  result = {
    "kills": [
      {"at_s": round(kill.seconds, 1), "what": kill.what, "loss_shift": shift}
      | ({"hung": kill.names[0]} if kill.what == random_kills.HANG else {})
      for kill, shift in zip(kills, shifts.at, strict=True)
    ],
    "loss_spread": shifts.spread,
    "loss_shift_quiet": shifts.quiet,
    "loss_shift_allowed": shifts.allowed,
    "max_steps": max_steps,
    "env_steps": int(end["env_steps"]),
    "overshoot_s": round(overshoot, 2),
    "updates": int(end["updates"]),
    "unhurt_steps_per_s": round(speed, 1),
  }
  return result, wrong


def main() -> None:
  """Starts the run, disturbs it, and prints the outcome."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--kills", type=int, default=20)
  parser.add_argument("--minutes", type=float, default=10.0)
  parser.add_argument("--seed", type=int, default=1)
  parser.add_argument("--launcher", choices=("ray", "local"), default="ray")
  parser.add_argument("--measure_seconds", type=float, default=20.0)
  parser.add_argument("--share", type=float, default=0.5, help="of the steps")
  args = parser.parse_args()
  seconds = 60.0 * args.minutes
  ray = args.launcher == "ray"
  folder = f"{tempfile.mkdtemp(prefix='adaland-chaos-')}/run"

  def make(max_steps: int) -> live_run.LiveRun:
    settings = (*_SETTINGS, f"run.max_steps={max_steps}")
    command = (*live_run.COMMAND[:-1], f"--launcher={args.launcher}")
    return live_run.LiveRun(folder, settings, command=command)

  run = make(0)
  try:
    speed, before = measure(run, args.measure_seconds)
  finally:
    run.crash()
  max_steps = int(before + args.share * speed * seconds)
  _say(f"{speed:.0f} steps/s undisturbed; from {before} to {max_steps} steps")
  run, rng = make(max_steps), random.Random(args.seed)
  drawn = drawer.Drawer(_SETTINGS, "server")
  try:
    run.start()
    run.wait("a run at work", _at_work, _START_SECONDS)
    start = time.monotonic()
    kinds = random_kills.RAY if ray else random_kills.LOCAL
    planned = random_kills.plan(rng, args.kills, kinds)
    chaos = random_kills.Chaos(
      run, rng, planned, seconds, (before, max_steps), _say
    )
    peak = disturb(run, chaos, drawn, _MAX_SLOWNESS * seconds)
    lasted = time.monotonic() - start
    status = run.end(1.0)
    with contextlib.suppress(errors.RunError):
      run.await_gone()
    left = len(run.processes())
  finally:
    drawn.close()
    run.crash()
  result, wrong = judge(run, chaos.kills, max_steps, speed)
  wrong += drawn.wrong
  for ok, what in (
    (status == 0, f"exit status {status}: {run.said[-500:]}"),
    (len(chaos.kills) == args.kills, f"only {len(chaos.kills)} kills"),
    (left == 0, f"{left} processes are left"),
    (drawn.count > 0, "no unroll was drawn"),
  ):
    if not ok:
      wrong.append(what)
  result |= {
    "launcher": args.launcher,
    "seed": args.seed,
    "exit_status": status,
    "lasted_s": round(lasted, 1),
    "unrolls_checked": drawn.count,
    "processes_left": left,
    "peak_memory_mb": round(peak, 1),
    "load": [round(load, 1) for load in os.getloadavg()],
    "wrong": wrong,
  }
  print(json.dumps(result, indent=1))
  _say(f"the run is in {folder}")
  sys.exit(bool(wrong))


if __name__ == "__main__":
  main()
