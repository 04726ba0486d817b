"""Whether a run's processes hold ever more memory the longer it lasts."""

import contextlib
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import psutil

from adaland.launch import errors
from adaland.launch.bench.lib import bench_run, process_tree, trend
from adaland.launch.run import status_file

_EVERY_SECONDS = 1.0
# What a learner holds comes and goes with each update: its least is a moment.
_GLANCE_SECONDS = 0.05
_BLOCK_SECONDS = 15.0
# Of the time: pages are touched for the first time, the store fills, allocators
# find their sizes.
_WARM_UP = 0.3
# Flat: a week of it is 3 GB at most.
_FLAT_MB_PER_HOUR = 20.0
# Load of every kind, within the time; a store that is full early on.
_SETTINGS = (
  "run.checkpoint_minutes=1.5",
  "cluster.eval_minutes=1.5",
  "replay.capacity=128",
)


class Sample(NamedTuple):
  """Memory of a role at a time.

  Attributes:
    seconds: Since the measurement began.
    pid: The role's process; 0 for several.
    memory: What it held.
  """

  seconds: float
  pid: int
  memory: process_tree.Memory


def soak(
  preset: str, launcher: str, minutes: float, settings: Sequence[str] = ()
) -> dict[str, float]:
  """Memory of every role of a run under load, and how it grows.

  Args:
    preset: Where the run's config starts from.
    launcher: As for --launcher.
    minutes: That are measured, from the learner's first updates.
    settings: What is changed of the preset, as for --set.

  Raises:
    RunError: If a role was started again meanwhile.
  """
  seconds = 60 * minutes
  with bench_run.training(preset, launcher, (*_SETTINGS, *settings)) as run:
    series, steps_per_s = watch(run, seconds)
  return {
    "soak_minutes": minutes,
    "soak_steps_per_s": steps_per_s,
    **trends(series, _WARM_UP * seconds),
  }


def watch(
  run: bench_run.Run, seconds: float
) -> tuple[dict[str, list[Sample]], float]:
  """Looks at a run's memory now and then, from the learner's first updates.

  Args:
    run: Under way.
    seconds: How long.

  Returns:
    What was seen of each role, and environment steps a second.
  """
  series: dict[str, list[Sample]] = {}
  first = last = next(run.samples()).row
  start = time.monotonic()
  while (passed := time.monotonic() - start) < seconds:
    found = look(run)
    for name, (pid, held) in found.items():
      series.setdefault(name, []).append(Sample(passed, pid, held))
    until = min(passed + _EVERY_SECONDS, seconds)
    while (now := time.monotonic() - start) < until:
      for name, held in glance({name: pid for name, (pid, _) in found.items()}):
        series[name].append(Sample(now, found[name][0], held))
      time.sleep(_GLANCE_SECONDS)
    last = (run.new_rows() or [last])[-1]
  steps = last["env_steps"] - first["env_steps"]
  return series, steps / max(last["seconds"] - first["seconds"], 1e-9)


def look(run: bench_run.Run) -> dict[str, tuple[int, process_tree.Memory]]:
  """Memory of each role now; that of processes without a role as one."""
  roles = status_file.read(run.directory)["roles"]
  pids = {}
  for name, role in roles.items():
    # Roles that are threads of the learner's process are measured with it.
    if int(role["pid"]) != run.pid or name == "learner":
      pids[name.replace(" ", "_")] = int(role["pid"])
    if "server_pid" in role:
      pids[f"{name}_server"] = int(role["server_pid"])
  if run.pid not in pids.values():  # With `local` it is the learner.
    pids["driver"] = run.pid
  found = {}
  for name, pid in pids.items():
    with contextlib.suppress(psutil.NoSuchProcess):
      found[name] = (pid, process_tree.memory(pid))
  others = set(process_tree.tree(run.pid)) - set(pids.values())
  if others:
    found["others"] = (0, _sum(others))
  return found


def glance(
  pids: Mapping[str, int],
) -> Iterator[tuple[str, process_tree.Memory]]:
  """Memory of the roles that are one process each, if they still live.

  Args:
    pids: Of each role; 0 for several, which are left out.
  """
  for name, pid in pids.items():
    if pid:
      with contextlib.suppress(psutil.NoSuchProcess):
        yield name, process_tree.memory(pid)


def _sum(pids: Iterable[int]) -> process_tree.Memory:
  held = []
  for pid in pids:
    with contextlib.suppress(psutil.NoSuchProcess):
      held.append(process_tree.memory(pid))
  return process_tree.Memory(
    sum((each.own for each in held), 0.0),
    sum((each.shared for each in held), 0.0),
  )


def trends(
  series: Mapping[str, Sequence[Sample]], warm_up: float
) -> dict[str, float]:
  """How each role's memory grows.

  What an update needs for a moment comes and goes, tens of megabytes of it,
  but what leaks stays: the line is fitted to the least of each quarter of a
  minute.

  Args:
    series: Of each role.
    warm_up: Seconds to leave out at the start.

  Raises:
    RunError: If a role was started again, or too little was measured.
  """
  result: dict[str, float] = {}
  growing = flat = 0
  for name, samples in series.items():
    kept = [sample for sample in samples if sample.seconds >= warm_up]
    if len({sample.pid for sample in kept}) > 1:
      raise errors.RunError(
        f"{name} was started again: that tells nothing of its memory"
      )
    blocks = [
      list(block)
      for _, block in itertools.groupby(
        kept, lambda sample: sample.seconds // _BLOCK_SECONDS
      )
    ]
    if len(blocks) < 3:
      raise errors.RunError(
        f"{name} was looked at for too short a time: give it more --minutes"
      )
    hours = [block[0].seconds / 3600 for block in blocks]
    own = trend.fit(hours, [min(x.memory.own for x in b) for b in blocks])
    shared = trend.fit(hours, [min(x.memory.shared for x in b) for b in blocks])
    growing += own.slope - 2 * own.stderr > _FLAT_MB_PER_HOUR
    flat += own.slope + 2 * own.stderr <= _FLAT_MB_PER_HOUR
    result |= {
      f"soak_{name}_memory_mb": own.mean,
      f"soak_{name}_peak_mb": max(sample.memory.own for sample in kept),
      f"soak_{name}_slope_mb_per_hour": own.slope,
      f"soak_{name}_slope_stderr_mb_per_hour": own.stderr,
      f"soak_{name}_shared_memory_mb": shared.mean,
      f"soak_{name}_shared_slope_mb_per_hour": shared.slope,
    }
  return {
    "soak_roles_count": len(series),
    "soak_flat_roles_count": flat,
    "soak_growing_roles_count": growing,
    **result,
  }
