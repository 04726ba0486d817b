"""Growth of the memory that a run's processes hold."""

import contextlib
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import psutil

from adaland.launch import errors
from adaland.launch.bench.lib import (
  live_run,
  run_speed,
  trend,
)
from adaland.launch.run import process_tree, rundir, status_file

_EVERY_SECONDS = 1.0
# A learner's memory varies with each update; its minimum lasts only a moment.
_GLANCE_SECONDS = 0.05
_BLOCK_SECONDS = 15.0
# Share of the time left out at the start: pages are touched for the first time,
# the store fills, allocators reach their sizes.
_WARM_UP = 0.3
# Flat: at most 3 GB in a week.
_FLAT_MB_PER_HOUR = 20.0
# Checkpoints and evaluations within the time; a store that fills up early.
_SETTINGS = (
  "run.checkpoint_minutes=1.5",
  "cluster.eval_minutes=1.5",
  "replay.capacity=128",
)


class Sample(NamedTuple):
  """Memory of a role at one time.

  Attributes:
    seconds: Time since the measurement started.
    pid: The role's process id; 0 for several processes.
    memory: Memory that the role held.
  """

  seconds: float
  pid: int
  memory: process_tree.Memory


def soak(
  preset: str, launcher: str, minutes: float, settings: Sequence[str] = ()
) -> dict[str, float]:
  """Measures the memory of every role of a run under load, and its growth.

  Args:
    preset: The preset that the run starts from.
    launcher: As for --launcher.
    minutes: Length of the measurement, from the learner's first updates on.
    settings: Changes to the preset, as for --set.

  Raises:
    RunError: If a role was restarted meanwhile.
  """
  seconds = 60 * minutes
  with run_speed.training(preset, launcher, (*_SETTINGS, *settings)) as run:
    series, steps_per_s = watch(run, seconds)
  return {
    "soak_minutes": minutes,
    "soak_steps_per_s": steps_per_s,
    **trends(series, _WARM_UP * seconds),
  }


def watch(
  run: live_run.LiveRun, seconds: float
) -> tuple[dict[str, list[Sample]], float]:
  """Samples a run's memory, from the learner's first updates on.

  Args:
    run: The run.
    seconds: Length of the measurement.

  Returns:
    Samples of each role, and environment steps per second.
  """
  series: dict[str, list[Sample]] = {}
  first = last = next(run_speed.samples(run)).row
  directory = rundir.RunDir(str(run.path))
  start = time.monotonic()
  while (passed := time.monotonic() - start) < seconds:
    found = look(directory, run.pid)
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


def look(
  directory: rundir.RunDir, pid: int
) -> dict[str, tuple[int, process_tree.Memory]]:
  """Returns each role's memory; processes without a role count as one.

  Args:
    directory: The run's directory.
    pid: Process id of the run's command, the ancestor of all its processes.

  Returns:
    Process id and memory by the name of the role.
  """
  roles = status_file.read(directory)["roles"]
  pids = {}
  for name, role in roles.items():
    # Roles that are threads of the learner's process are measured with it.
    if int(role["pid"]) != pid or name == "learner":
      pids[name.replace(" ", "_")] = int(role["pid"])
    if "server_pid" in role:
      pids[f"{name}_server"] = int(role["server_pid"])
  if pid not in pids.values():  # With `local` the command is the learner.
    pids["driver"] = pid
  found = {}
  for name, role_pid in pids.items():
    with contextlib.suppress(psutil.NoSuchProcess):
      found[name] = (role_pid, process_tree.memory(role_pid))
  others = set(process_tree.tree(pid)) - set(pids.values())
  if others:
    found["others"] = (0, _sum(others))
  return found


def glance(
  pids: Mapping[str, int],
) -> Iterator[tuple[str, process_tree.Memory]]:
  """Yields the memory of roles with one process each that is still alive.

  Args:
    pids: Process id of each role; 0 for several, which are left out.
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
  """Computes the growth of each role's memory.

  An update takes tens of megabytes for a moment, but leaked memory stays, so
  the line is fitted to the minima of quarters of a minute.

  Args:
    series: Samples of each role.
    warm_up: Time to leave out at the start, seconds.

  Raises:
    RunError: If a role was restarted, or the time was too short.
  """
  result: dict[str, float] = {}
  growing = flat = 0
  for name, samples in series.items():
    kept = [sample for sample in samples if sample.seconds >= warm_up]
    if len({sample.pid for sample in kept}) > 1:
      raise errors.RunError(
        f"{name} was restarted, so its memory can't be compared"
      )
    blocks = [
      list(block)
      for _, block in itertools.groupby(
        kept, lambda sample: sample.seconds // _BLOCK_SECONDS
      )
    ]
    if len(blocks) < 3:
      raise errors.RunError(
        f"{name} was measured for too short a time; raise --minutes"
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
