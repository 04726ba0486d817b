"""Tasks from rulesets of XLand-MiniGrid (arXiv 2312.12044).

A ruleset is a goal, rules and initial tiles of a grid world, each a row of
integers: an id, then pairs (tile, colour). The ids of tiles and colours are
those of XLand-MiniGrid 0.7.0 (March 2024) and later; in files of older versions
they have other meanings. Features of a grid that Adaland lacks are rejected or
reported:

- goals on a tile or a position are rejected: no relation of Adaland covers
  them;
- directions, as in "a is above b", are dropped: `near` has none;
- a rule fires in the grid only after an action, in Adaland whenever it holds;
- colours and shapes are Adaland's: kinds of tiles map one-to-one to object
  types.
"""

from typing import Final, NamedTuple

import numpy as np

from adaland.envs import constants
from adaland.envs.tasks import npz_files
from adaland.envs.tasks.literals import (
  OBJECT_TYPES,
  Literal,
  ObjectType,
  Player,
  Rule,
)
from adaland.envs.tasks.task import ObjectSpec, PlayerSpec, Task, World

_PLAYER: Final = Player(1)
# Relations by the ids of goals and rules. Both tables begin with none.
_GOALS: Final = (
  "none",
  "hold",
  "on tile",
  "near",
  "pair",
  "tile on position",
  "on position",
  *["pair"] * 4,  # Up, right, down, left.
  *["near"] * 4,
)
_FIRST_DIRECTED_GOAL: Final = 7
_RULES: Final = ("none", "hold", "near", "pair", *["pair"] * 4, *["near"] * 4)
_FIRST_DIRECTED_RULE: Final = 4
# Tiles that are not objects: empty, floor.
_LAST_GROUND: Final = 1
_LAST_TILE: Final = 12
_LAST_COLOUR: Final = 11
_SHAPES: Final = {3: "sphere", 4: "cube", 5: "pyramid"}
_COLOURS: Final = {4: "purple", 5: "yellow", 7: "black"}
_ARRAYS: Final = ("goals", "rules", "init_tiles")
# Limit for the file and for its arrays: three million rulesets of 20 rules and
# 20 tiles, more than in any published benchmark.
_MAX_BYTES: Final = 600_000_000
# Maximum number of rules, and of tiles, of a ruleset; a task has fewer.
_MAX_ROWS: Final = 100

Kind = tuple[int, int]  # Tile and colour.


class Imported(NamedTuple):
  """A task, and the parts of the ruleset that it lacks.

  Attributes:
    task: The task.
    dropped: The parts that were not carried over, in words.
  """

  task: Task
  dropped: tuple[str, ...]


def load(path: str) -> dict[str, np.ndarray]:
  """Reads the arrays of a benchmark from an npz file.

  XLand-MiniGrid keeps benchmarks as pickles, which run code when they are
  loaded; save their arrays with `numpy.savez(path, goals=..., rules=...,
  init_tiles=...)`.

  Args:
    path: The file.

  Returns:
    Integers: goals [N, 5], rules [N, R, 7] and init_tiles [N, T, 2].

  Raises:
    ValueError: If the file can't be read or has other arrays.
  """
  try:
    with open(path, "rb") as file:
      content = file.read(_MAX_BYTES + 1)
    arrays = npz_files.read(content, _ARRAYS, _MAX_BYTES)
  except OSError as error:
    raise ValueError(f"{path}: {error.strerror}") from None
  except ValueError as why:
    raise ValueError(
      f"{path}: {why}; allowed: an npz file with the arrays goals, rules and "
      "init_tiles"
    ) from None
  count = arrays["goals"].shape[:1]
  for name, shape in (
    ("goals", (*count, 5)),
    ("rules", (*count, *arrays["rules"].shape[1:2], 7)),
    ("init_tiles", (*count, *arrays["init_tiles"].shape[1:2], 2)),
  ):
    array = arrays[name]
    if array.shape != shape or array.dtype.kind not in "iu":
      raise ValueError(
        f"{path}: {name} is {array.dtype} {array.shape}, allowed: integers "
        f"{shape}"
      )
    if not array.size or max(array.shape[1:]) > _MAX_ROWS:
      raise ValueError(
        f"{path}: {name} is {array.shape}, allowed: at least 1 ruleset, of 1 "
        f"to {_MAX_ROWS} rules and tiles"
      )
  return arrays


def make_task(
  goal: np.ndarray,
  rules: np.ndarray,
  init_tiles: np.ndarray,
  seed: int = 0,
  trials: int = 3,
  trial_seconds: float = 30.0,
) -> Imported:
  """Makes a task from a ruleset.

  Args:
    goal: The goal, int [5].
    rules: The rules, rows of zeros for none, int [R, 7].
    init_tiles: Tiles at the start, rows of zeros for none, int [T, 2].
    seed: Seed of the world, a flat room.
    trials: Number of trials.
    trial_seconds: Length of a trial.

  Raises:
    ValueError: If the goal can't be carried over, or the ruleset is too large.
  """
  goal_id = int(goal[0])
  relation = _name(goal_id, _GOALS, "goal")
  if relation not in ("hold", "near", "pair"):
    raise ValueError(
      f"the goal is {relation!r}, allowed: to hold, to be near or to put side "
      "by side"
    )
  kinds = _Kinds()
  dropped = []
  if goal_id >= _FIRST_DIRECTED_GOAL:
    dropped.append("the goal's direction")
  wanted = _literal(relation, goal[1:], kinds)
  made = []
  for number, row in enumerate(rules, start=1):
    rule_id = int(row[0])
    relation = _name(rule_id, _RULES, f"rule {number}")
    if relation == "none":
      continue
    condition = _literal(relation, row[1:], kinds)
    product = _kind(row[5:7] if relation == "pair" else row[3:5])
    spawns = () if product[0] <= _LAST_GROUND else (kinds.type_of(product),)
    made.append(Rule(condition, spawns))
    if rule_id >= _FIRST_DIRECTED_RULE:
      dropped.append(f"the direction of rule {number}")
  objects: dict[ObjectType, int] = {}
  for row in init_tiles:
    kind = _kind(row)
    if kind[0] > _LAST_GROUND:
      found = kinds.type_of(kind)
      objects[found] = objects.get(found, 0) + 1
  room = max(6, int(np.ceil(np.sqrt(4 * sum(objects.values())))))
  task = Task(
    world=World(seed, (room, room)),
    objects=tuple(ObjectSpec(kind, n) for kind, n in objects.items()),
    players=(PlayerSpec(wanted),),
    rules=tuple(made),
    trials=trials,
    trial_seconds=trial_seconds,
    name=f"xland-minigrid {seed}",
  )
  return Imported(task, tuple(dropped))


class _Kinds:
  """The object types that represent kinds of tiles, one-to-one."""

  def __init__(self):
    self._types: dict[Kind, ObjectType] = {}

  def type_of(self, kind: Kind) -> ObjectType:
    """Returns the type of a kind: the most similar one that is still free."""
    if kind not in self._types:
      free = [x for x in OBJECT_TYPES if x not in self._types.values()]
      if not free:
        raise ValueError(
          f"the ruleset has more than {len(OBJECT_TYPES)} kinds of tiles, "
          f"allowed: {len(OBJECT_TYPES)}, the number of object types"
        )
      shape, colour = _SHAPES.get(kind[0], "wall"), _COLOURS.get(kind[1])
      self._types[kind] = max(
        free,
        key=lambda x: (
          2 * (x.row.name == shape)
          + (constants.COLOURS[x.colour - 1] == colour)
        ),
      )
    return self._types[kind]


def _name(number: int, names: tuple[str, ...], what: str) -> str:
  if not 0 <= number < len(names):
    raise ValueError(
      f"the id of {what} is {number}, allowed: 0 to {len(names) - 1}"
    )
  return names[number]


def _kind(row: np.ndarray) -> Kind:
  tile, colour = int(row[0]), int(row[1])
  if not (0 <= tile <= _LAST_TILE and 0 <= colour <= _LAST_COLOUR):
    raise ValueError(
      f"a tile and its colour are {tile} and {colour}, allowed: tiles 0 to "
      f"{_LAST_TILE} and colours 0 to {_LAST_COLOUR}, the ids of "
      "XLand-MiniGrid 0.7.0 and later"
    )
  return tile, colour


def _object(row: np.ndarray) -> Kind:
  """Returns the kind of an object."""
  kind = _kind(row)
  if kind[0] <= _LAST_GROUND:
    raise ValueError(
      f"a goal or a condition is on tile {kind[0]}, which is ground, allowed: "
      f"objects, from {_LAST_GROUND + 1}"
    )
  return kind


def _literal(relation: str, row: np.ndarray, kinds: _Kinds) -> Literal:
  first = kinds.type_of(_object(row[:2]))
  if relation == "pair":
    return Literal("near", first, kinds.type_of(_object(row[2:4])))
  return Literal(relation, _PLAYER, first)
