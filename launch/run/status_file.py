"""`status.json`: what a run says of its roles, for `launch.status` and others.

{"format": "adaland.status/1", "time": seconds since 1970, "pid": of train,
 "host": ..., "launcher": "ray", "state": "running",
 "counters": {"env_steps": ..., "episodes": ..., "updates": ...,
              "seconds": ...},
 "metrics": the last row of metrics,
 "roles": {"learner": {"kind": "learner", "pid": ..., "host": ...,
                       "memory_mb": ..., "restarts": ...,
                       "silent_s": ..., numbers of this role}, ...}}
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import time
from collections.abc import Iterable, Mapping
from typing import Any

from adaland.launch import cli, errors
from adaland.launch.run import rundir

FORMAT = "adaland.status/1"
NAME = "status.json"


@dataclasses.dataclass(frozen=True)
class RoleStatus:
  """One role.

  Attributes:
    name: Its name, such as "actor 3".
    kind: What it is: learner, actor, replay, curriculum, evaluator, board.
    pid: Its process; 0 if there is none now.
    host: The machine that runs it.
    memory_mb: Resident memory of its process, MiB.
    restarts: How often it was started again.
    silent_s: Seconds since it last said something.
    numbers: Numbers of its own, by name.
  """

  name: str
  kind: str
  pid: int
  host: str
  memory_mb: float
  restarts: int
  silent_s: float
  numbers: Mapping[str, float]


def write(
  run: rundir.RunDir,
  launcher: str,
  state: str,
  counters: Mapping[str, float],
  row: Mapping[str, float],
  roles: Iterable[RoleStatus],
) -> None:
  """Replaces a run's status file.

  Args:
    run: Its directory.
    launcher: Which one runs it.
    state: "running" or "ended".
    counters: Of the whole run.
    row: The last row of metrics.
    roles: All there are.

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
    "counters": dict(counters),
    "metrics": dict(row),
    "roles": {role.name: _role_json(role) for role in roles},
  }
  cli.write_atomically(str(run.path / NAME), json.dumps(content, indent=1))


def end(
  run: rundir.RunDir, launcher: str, counters: Mapping[str, float]
) -> None:
  """Says that a run has ended, if it was killed before it said so itself.

  Args:
    run: Its directory; it has all its steps.
    launcher: Which one found it so.
    counters: Of its last checkpoint.
  """
  row: Mapping[str, float] = {}
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
  return shown | {name: round(float(x), 6) for name, x in role.numbers.items()}


def read(run: rundir.RunDir) -> dict[str, Any]:
  """Reads a run's status file.

  Raises:
    UserError: If there is no run, or it has none, or it is broken.
  """
  run.read_config()
  path = run.path / NAME
  if not path.is_file():
    raise errors.UserError(
      f"--workdir={run.path}: no {NAME}: nothing was trained there yet"
    )
  with errors.user_input(str(path)):
    content = json.loads(path.read_text())
    if not isinstance(content, dict) or content.get("format") != FORMAT:
      raise errors.UserError(f"the format is not {FORMAT!r}")
  for name in ("counters", "metrics", "roles"):
    if not isinstance(content.get(name), dict):
      raise errors.UserError(f"{path}: it has no {name!r}")
  return content


def memory_mb(pid: int | str = "self") -> float:
  """Resident memory of a process, MiB; 0 where the system does not tell."""
  try:
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
  except OSError:
    return 0.0
  return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def metrics(roles: Iterable[RoleStatus]) -> dict[str, float]:
  """Numbers of the roles for a row of metrics, by kind.

  Of several roles of a kind, restarts and rates are added up; memory is that
  of the largest; all else is the mean.
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
