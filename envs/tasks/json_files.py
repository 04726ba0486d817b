"""Task files: readable JSON, exactly convertible to and from `task.Task`."""

import json
import os
import pathlib
from typing import Any

from adaland.envs.tasks import json_checks, reader
from adaland.envs.tasks.task import Hiding, ObjectSpec, Task

FORMAT = reader.FORMAT


def from_json(obj: Any, source: str = "") -> Task:
  """Reads a task.

  Args:
    obj: The text, decoded by `json.loads`.
    source: Name of the file, with which errors begin.

  Raises:
    ValueError: If it violates the format; the error names the field and what is
      allowed.
  """
  return reader.with_path(source, lambda: Task(**reader.read_task_fields(obj)))


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
  """Returns a task, with all its fields, as an argument for `json.dumps`."""
  world: dict[str, Any] = {
    "seed": task.world.seed,
    "tiles": list(task.world.tiles),
    "levels": task.world.levels,
  }
  if task.world.heights is not None:
    world["heights"] = [list(column) for column in task.world.heights]
  for name in ("walls", "diagonals"):
    if count := getattr(task.world, name):
      world[name] = count
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


def loads(data: bytes | str, source: str = "") -> Task:
  """Reads a task from text; see `from_json`."""
  obj = reader.with_path(source, json_checks.parse, data)
  return from_json(obj, source)


def load(path: str | os.PathLike[str]) -> Task:
  """Reads a task file.

  Raises:
    ValueError: If the file can't be read or violates the format; the error
      begins with its name.
  """
  source = os.fspath(path)
  try:
    obj = reader.with_path(source, json_checks.load, source)
  except OSError as error:
    raise ValueError(f"{source}: {error.strerror}") from None
  return from_json(obj, source)


def save(path: str | os.PathLike[str], task: Task) -> None:
  """Writes a task file atomically."""
  target = pathlib.Path(path)
  aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
  try:
    aside.write_text(json.dumps(to_json(task), indent=1) + "\n", "utf-8")
    aside.replace(target)
  finally:
    aside.unlink(missing_ok=True)
