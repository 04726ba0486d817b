"""`status.json`: the state of a run's roles, for `launch.status` and others.

{"format": "adaland.status/2", "time": seconds since 1970, "pid": of train,
 "host": ..., "launcher": "ray", "state": "running",
 "counters": {"env_steps": ..., "episodes": ..., "updates": ...,
              "seconds": ...},
 "metrics": the last row of metrics,
 "roles": {"learner": {"kind": "learner", "pid": ..., "host": ...,
                       "memory_mb": ..., "restarts": ...,
                       "heartbeat_age_s": ..., numbers of this role}, ...}}
"""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import platform
import time
from collections.abc import Iterable, Mapping
from typing import Any

from adaland.launch import errors, output
from adaland.launch.run import rundir

FORMAT = "adaland.status/2"
NAME = "status.json"


@dataclasses.dataclass(frozen=True)
class RoleStatus:
  """The state of one role.

  Attributes:
    name: Its name, such as "actor 3".
    kind: learner, actor, replay, curriculum, parameters or evaluator.
    pid: Its process id; 0 before its first answer.
    host: The machine that runs it.
    memory_mb: Resident memory of its process, MiB.
    restarts: Number of restarts.
    heartbeat_age_s: Seconds since its last answer.
    numbers: Further numbers of its kind, by name.
  """

  name: str
  kind: str
  pid: int
  host: str
  memory_mb: float
  restarts: int
  heartbeat_age_s: float
  numbers: Mapping[str, float]


def write(
  run: rundir.RunDir,
  launcher: str,
  state: str,
  counters: Mapping[str, float],
  row: Mapping[str, float | None],
  roles: Iterable[RoleStatus],
) -> None:
  """Replaces a run's status file.

  Args:
    run: Its directory.
    launcher: The launcher's name.
    state: "starting", "running" or "ended".
    counters: The run's counters.
    row: The last row of metrics. Numbers that are not finite are written as
      null, as JSON has none.
    roles: All roles; their numbers are written in the same way.

  Raises:
    OSError: If it can't be written; the error names the file.
  """
  content = {
    "format": FORMAT,
    "time": round(time.time(), 3),
    "pid": os.getpid(),
    "host": platform.node(),
    "launcher": launcher,
    "state": state,
    "counters": _finite(counters),
    "metrics": _finite(row),
    "roles": {role.name: _role_json(role) for role in roles},
  }
  text = json.dumps(content, indent=1, allow_nan=False)
  output.write_atomically(str(run.path / NAME), text)


def starting(run: rundir.RunDir, launcher: str) -> None:
  """Marks a run as starting again, so that its last start's roles are gone.

  Args:
    run: Its directory; without a status file there is nothing to mark.
    launcher: The launcher's name.
  """
  with contextlib.suppress(errors.UserError):
    last = read(run)
    write(run, launcher, "starting", last["counters"], last["metrics"], [])


def end(
  run: rundir.RunDir, launcher: str, counters: Mapping[str, float]
) -> None:
  """Marks a run as ended if it was killed before it could do so itself.

  Args:
    run: Its directory; it has all its steps.
    launcher: The launcher's name.
    counters: The counters of its last checkpoint.
  """
  row: Mapping[str, float | None] = {}
  with contextlib.suppress(errors.UserError):
    last = read(run)
    if last.get("state") == "ended":
      return
    row = last["metrics"]
  write(run, launcher, "ended", counters, row, [])


def _role_json(role: RoleStatus) -> dict[str, Any]:
  shown = {
    field.name: getattr(role, field.name)
    for field in dataclasses.fields(role)
    if field.name not in ("name", "numbers")
  }
  numbers = {name: round(float(x), 6) for name, x in role.numbers.items()}
  return shown | _finite(numbers)


def _finite(row: Mapping[str, Any]) -> dict[str, float | None]:
  """Returns numbers by name, with None for values that are not finite."""
  return {
    name: value
    if isinstance(value, (int, float)) and math.isfinite(value)
    else None
    for name, value in row.items()
  }


def read(run: rundir.RunDir) -> dict[str, Any]:
  """Reads a run's status file.

  Raises:
    UserError: If there is no run or no status file, or the file is broken.
  """
  run.read_config()
  path = run.path / NAME
  if not path.is_file():
    reason = "nothing was trained there yet"
    if run.is_locked():
      reason = "the run is starting; try again when it has started"
    raise errors.ArgumentError(f"workdir={run.path}: no {NAME}: {reason}")
  with errors.user_input(str(path)):
    content = json.loads(path.read_text())
    if not isinstance(content, dict) or content.get("format") != FORMAT:
      raise errors.UserError(f"the format is not {FORMAT!r}")
  for name in ("counters", "metrics", "roles"):
    if not isinstance(content.get(name), dict):
      raise errors.UserError(f"{path}: it has no {name!r}")
  return content


def memory_mb(pid: int | str = "self") -> float:
  """Returns a process's resident memory, MiB; 0 if unknown."""
  try:
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
  except OSError:
    return 0.0
  return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def metrics(roles: Iterable[RoleStatus]) -> dict[str, float]:
  """Returns the roles' numbers for a row of metrics, by kind.

  Over several roles of a kind, restarts and rates are summed, memory is the
  largest, and all else is the mean.
  """
  values: dict[str, list[float]] = {}
  for role in roles:
    numbers = {
      "memory_mb": role.memory_mb,
      "restarts": float(role.restarts),
      **role.numbers,
    }
    for name, value in numbers.items():
      if name.endswith("_pid"):
        continue
      values.setdefault(f"{role.kind}/{name}", []).append(float(value))
  return {name: _combined(name, each) for name, each in values.items()}


def _combined(name: str, values: list[float]) -> float:
  if name.endswith("/memory_mb"):
    return max(values)
  if name.endswith(("/restarts", "_per_s")):
    return sum(values)
  return sum(values) / len(values)
