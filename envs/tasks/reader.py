"""Reading of the parts of a task from a file decoded by `json.loads`.

People write these files by hand, so anything unknown is rejected with an error
that names the field, its value and what is allowed.
"""

from collections.abc import Callable
from typing import Any, Final, NotRequired, TypedDict, TypeVar

from adaland.envs import constants
from adaland.envs.tasks import checks, json_checks
from adaland.envs.tasks.literals import (
  ObjectType,
  Rule,
  parse_literal,
  parse_rule,
)
from adaland.envs.tasks.parts import (
  Hiding,
  ObjectSpec,
  PlayerSpec,
  Position,
  World,
)

# Version 2 has the fields of version 1. It defines a touch (any contact within
# a step) and where spawns appear, and forbids overlapping bodies.
FORMAT: Final = "adaland.task/2"
READABLE: Final = (FORMAT, "adaland.task/1")

_T = TypeVar("_T")


class TaskFields(TypedDict):
  """The keyword arguments of `task.Task`, with its defaults for trials."""

  world: World
  objects: tuple[ObjectSpec, ...]
  players: tuple[PlayerSpec, ...]
  rules: tuple[Rule, ...]
  hiding: tuple[Hiding, ...]
  name: str
  trials: NotRequired[int]
  trial_seconds: NotRequired[float]


def _position(value: Any, path: str) -> Position:
  if value is None:
    return None
  if not isinstance(value, list) or len(value) != 2:
    raise json_checks.refusal(path, value, "[x, y] in metres, or null")
  return json_checks.read_number(
    value[0], f"{path}[0]"
  ), json_checks.read_number(value[1], f"{path}[1]")


def with_path(
  path: str, make: Callable[..., _T], *args: Any, **kwargs: Any
) -> _T:
  """Calls `make`; prefixes its errors with `path`, if given."""
  try:
    return make(*args, **kwargs)
  except ValueError as error:
    raise ValueError(f"{path}: {error}" if path else str(error)) from None


def _read_level(value: Any, what: str) -> int:
  level = json_checks.read_whole(value, what)
  checks.check_range(what, level, 0, constants.MAX_LEVELS - 1)
  return level


def _read_world(value: Any) -> World:
  fields = json_checks.read_fields(
    value,
    "world",
    ("seed", "tiles", "levels", "heights", "walls", "diagonals"),
  )
  default = World()
  seed = json_checks.read_whole(fields.get("seed", default.seed), "world.seed")
  tiles, levels, heights = default.tiles, default.levels, None
  if "heights" in fields:
    columns = json_checks.read_list(
      fields["heights"], "world.heights", "lists of levels"
    )
    heights = tuple(
      tuple(
        _read_level(level, f"world.heights[{i}][{j}]")
        for j, level in enumerate(
          json_checks.read_list(column, f"world.heights[{i}]", "levels")
        )
      )
      for i, column in enumerate(columns)
    )
    if not heights or not heights[0]:
      raise json_checks.refusal(
        "world.heights", fields["heights"], "lists of levels"
      )
    tiles = len(heights), len(heights[0])
    levels = 1 + max(max(column, default=0) for column in heights)
  if "tiles" in fields:
    sizes = json_checks.read_list(
      fields["tiles"], "world.tiles", "two whole numbers"
    )
    if len(sizes) != 2:
      raise json_checks.refusal(
        "world.tiles", sizes, "a list of two whole numbers"
      )
    tiles = (
      json_checks.read_whole(sizes[0], "world.tiles[0]"),
      json_checks.read_whole(sizes[1], "world.tiles[1]"),
    )
  if "levels" in fields:
    levels = json_checks.read_whole(fields["levels"], "world.levels")
  walls, diagonals = (
    json_checks.read_whole(
      fields.get(name, getattr(default, name)), f"world.{name}"
    )
    for name in ("walls", "diagonals")
  )
  return World(seed, tiles, levels, heights, walls, diagonals)


def _read_object(value: Any, path: str) -> ObjectSpec:
  fields = json_checks.read_fields(
    value, path, ("type", "count", "at", "frozen"), ("type",)
  )
  name = json_checks.read_text(fields["type"], f"{path}.type")
  at = ()
  if "at" in fields:
    given = json_checks.read_list(
      fields["at"], f"{path}.at", "positions [x, y], one each"
    )
    at = tuple(
      _position(entry, f"{path}.at[{i}]") for i, entry in enumerate(given)
    )
    if not at:
      raise json_checks.refusal(
        f"{path}.at", given, "a position for each object"
      )
  return with_path(
    path,
    ObjectSpec,
    type=with_path(f"{path}.type", ObjectType.from_name, name),
    count=json_checks.read_whole(
      fields.get("count", max(1, len(at))), f"{path}.count"
    ),
    at=at,
    frozen=json_checks.read_flag(fields.get("frozen", False), f"{path}.frozen"),
  )


def _read_player(value: Any, path: str) -> PlayerSpec:
  fields = json_checks.read_fields(value, path, ("goal", "at"), ("goal",))
  goal = json_checks.read_text(fields["goal"], f"{path}.goal")
  return PlayerSpec(
    goal=with_path(f"{path}.goal", parse_literal, goal),
    at=_position(fields.get("at"), f"{path}.at"),
  )


def _read_hiding(value: Any, path: str) -> Hiding:
  fields = json_checks.read_fields(
    value, path, ("rules", "objects", "predicates")
  )

  def entries(key: str, what: str) -> list[tuple[str, Any]]:
    given = json_checks.read_list(fields.get(key, []), f"{path}.{key}", what)
    return [(f"{path}.{key}[{i}]", entry) for i, entry in enumerate(given)]

  return with_path(
    path,
    Hiding,
    rules=tuple(
      json_checks.read_whole(x, at)
      for at, x in entries("rules", "rule numbers")
    ),
    objects=tuple(
      with_path(at, ObjectType.from_name, json_checks.read_text(x, at))
      for at, x in entries("objects", "object types")
    ),
    predicates=tuple(
      json_checks.read_text(x, at)
      for at, x in entries("predicates", "predicates")
    ),
  )


def _read_hide(value: Any, num_players: int) -> tuple[Hiding, ...]:
  names = [f"player{i + 1}" for i in range(num_players)]
  if isinstance(value, dict) and any(key.startswith("player") for key in value):
    fields = json_checks.read_fields(value, "hide", names)
    return tuple(
      _read_hiding(fields.get(name, {}), f"hide.{name}") for name in names
    )
  return (_read_hiding(value, "hide"),) * num_players


def read_task_fields(value: Any) -> TaskFields:
  """Reads the arguments of a task.

  Raises:
    ValueError: If a field violates the format; the error names the field and
      what is allowed.
  """
  fields = json_checks.read_fields(
    value,
    "the task",
    (
      "format",
      "name",
      "world",
      "objects",
      "players",
      "rules",
      "hide",
      "trials",
      "trial_seconds",
    ),
    ("format", "players", "objects"),
  )
  if fields["format"] not in READABLE:
    allowed = " or ".join(f'"{name}"' for name in READABLE)
    raise json_checks.refusal("format", fields["format"], allowed)
  objects = json_checks.read_list(fields["objects"], "objects", "objects")
  players = json_checks.read_list(fields["players"], "players", "players")
  rules = json_checks.read_list(
    fields.get("rules", []), "rules", "texts in quotes"
  )
  read: TaskFields = {
    "world": _read_world(fields.get("world", {})),
    "objects": tuple(
      _read_object(x, f"objects[{i}]") for i, x in enumerate(objects)
    ),
    "players": tuple(
      _read_player(x, f"players[{i}]") for i, x in enumerate(players)
    ),
    "rules": tuple(
      with_path(
        f"rules[{i}]", parse_rule, json_checks.read_text(x, f"rules[{i}]")
      )
      for i, x in enumerate(rules)
    ),
    "hiding": _read_hide(fields.get("hide", {}), len(players)),
    "name": json_checks.read_text(fields.get("name", ""), "name"),
  }
  if "trials" in fields:
    read["trials"] = json_checks.read_whole(fields["trials"], "trials")
  if "trial_seconds" in fields:
    read["trial_seconds"] = json_checks.read_number(
      fields["trial_seconds"], "trial_seconds"
    )
  return read
