"""Tasks as readable JSON, the exact inverse of `task.Task`.

`task_reader` reads what JSON gave; here are files and texts, and writing.
"""

import json
import os
import pathlib
from typing import Any

from envs import json_checks, task_reader
from envs.task import Hiding, ObjectSpec, Task

FORMAT = task_reader.FORMAT
MAX_BYTES = 1_000_000


def from_json(obj: Any, source: str = "") -> Task:
  """Reads a task.

  Args:
    obj: What `json.loads` made of the text.
    source: File name to begin errors with.

  Raises:
    ValueError: If anything in it is not as it must be; says what and where.
  """
  if not source:
    return task_reader.read_task(obj)
  return task_reader.at_place(source, task_reader.read_task, obj)


def _write_hiding(hiding: Hiding) -> dict[str, Any]:
  return {
    "rules": list(hiding.rules),
    "objects": [kind.name for kind in hiding.objects],
    "predicates": list(hiding.predicates),
  }


def _write_object(spec: ObjectSpec) -> dict[str, Any]:
  written: dict[str, Any] = {"type": spec.type.name, "count": spec.count}
  if any(at is not None for at in spec.at):
    written["at"] = [None if at is None else list(at) for at in spec.at]
  written["frozen"] = spec.frozen
  return written


def to_json(task: Task) -> dict[str, Any]:
  """Writes a task as what `json.dumps` takes, all fields included."""
  world: dict[str, Any] = {
    "seed": task.world.seed,
    "tiles": list(task.world.tiles),
    "levels": task.world.levels,
  }
  if task.world.heights is not None:
    world["heights"] = [list(column) for column in task.world.heights]
  players = []
  for player in task.players:
    written: dict[str, Any] = {"goal": str(player.goal)}
    if player.at is not None:
      written["at"] = list(player.at)
    players.append(written)
  if len(set(task.hiding)) == 1:
    hide = _write_hiding(task.hiding[0])
  else:
    hide = {
      f"player{i + 1}": _write_hiding(hiding)
      for i, hiding in enumerate(task.hiding)
    }
  return {
    "format": FORMAT,
    "name": task.name,
    "world": world,
    "objects": [_write_object(spec) for spec in task.objects],
    "players": players,
    "rules": [str(rule) for rule in task.rules],
    "hide": hide,
    "trials": task.trials,
    "trial_seconds": task.trial_seconds,
  }


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
  found: dict[str, Any] = {}
  for key, value in pairs:
    if key in found:
      raise ValueError(
        f"the field {json_checks.shown(key)} is given twice, allowed: once"
      )
    found[key] = value
  return found


def _no_constant(name: str) -> float:
  raise ValueError(f"{name} is given, allowed: finite numbers")


def loads(text: str, source: str = "") -> Task:
  """Reads a task from text; see `from_json`."""
  prefix = f"{source}: " if source else ""
  try:
    obj = json.loads(
      text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant
    )
  except json.JSONDecodeError as error:
    raise ValueError(
      f"{prefix}line {error.lineno}, column {error.colno}: no JSON: {error.msg}"
    ) from None
  except RecursionError:
    raise ValueError(
      f"{prefix}lists or objects are nested too deeply"
    ) from None
  except ValueError as error:
    raise ValueError(f"{prefix}{error}") from None
  return from_json(obj, source)


def load(path: str | os.PathLike[str]) -> Task:
  """Reads a task file.

  Raises:
    ValueError: If it can't be read or is no task; begins with the file's name.
  """
  source = os.fspath(path)
  try:
    with open(source, "rb") as file:
      data = file.read(MAX_BYTES + 1)
  except OSError as error:
    raise ValueError(f"{source}: {error.strerror}") from None
  if len(data) > MAX_BYTES:
    raise ValueError(
      f"{source}: larger than {MAX_BYTES} bytes, allowed for a task file"
    )
  try:
    text = data.decode("utf-8")
  except UnicodeDecodeError:
    raise ValueError(f"{source}: not UTF-8 text") from None
  return loads(text, source)


def save(path: str | os.PathLike[str], task: Task) -> None:
  """Writes a task file, whole or not at all."""
  target = pathlib.Path(path)
  aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
  try:
    aside.write_text(json.dumps(to_json(task), indent=1) + "\n", "utf-8")
    aside.replace(target)
  finally:
    aside.unlink(missing_ok=True)
