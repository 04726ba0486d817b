"""The parts of a task, each of which is checked when it is made."""

import dataclasses
import math
import numbers
from collections.abc import Sequence

from adaland.envs import constants
from adaland.envs.tasks import checks, json_checks
from adaland.envs.tasks.literals import Literal, ObjectType

MIN_TILES = 2
MAX_WALLS = 8
MAX_DIAGONALS = 8
MAX_SEED = 2**31 - 1
MAX_NAME = 80

# Metres from the centre of the arena; None if drawn from the world's seed.
Position = tuple[float, float] | None


def _check_distinct(what: str, values: Sequence[object]) -> None:
  if len(set(values)) != len(values):
    raise ValueError(
      f"{what} are {', '.join(map(str, values))}, allowed: each once"
    )


def _position(what: str, at: Position) -> Position:
  """Returns a position of Python floats, without negative zeros.

  Equal tasks must have equal `repr`, from which the yaws of their trials are
  drawn, and the `repr` of NumPy numbers, integers and -0.0 is different.
  """
  if at is None:
    return None
  given = checks.as_tuple(what, at, "two finite numbers")
  if len(given) != 2 or not all(
    isinstance(x, numbers.Real) and math.isfinite(x) for x in given
  ):
    raise json_checks.refusal(what, at, "two finite numbers")
  return float(given[0]) + 0.0, float(given[1]) + 0.0


@dataclasses.dataclass(frozen=True)
class World:
  """Terrain, and the seed of everything placed at random.

  Attributes:
    seed: Seed of the terrain and of the start positions, 0 to MAX_SEED.
    tiles: Size of the arena along x and y, in tiles.
    levels: Number of ground heights, 1 is a flat room.
    heights: Level of each tile, heights[x][y], instead of generated terrain.
      Ramps are added where they are needed to connect levels.
    walls: Number of inner walls in generated terrain, fewer if there is no
      room, 0 to MAX_WALLS.
    diagonals: Number of diagonal cliffs in generated terrain, fewer if levels
      leave no corners to cut, 0 to MAX_DIAGONALS.
  """

  seed: int = 0
  tiles: tuple[int, int] = (8, 8)
  levels: int = 1
  heights: tuple[tuple[int, ...], ...] | None = None
  # These are not in `repr`, from which the yaws of a task's trials are drawn.
  walls: int = dataclasses.field(default=0, repr=False)
  diagonals: int = dataclasses.field(default=0, repr=False)

  def __post_init__(self):
    tiles = checks.as_tuple("world.tiles", self.tiles, "two numbers")
    object.__setattr__(self, "tiles", tiles)
    if self.heights is not None:
      columns = checks.as_tuple("world.heights", self.heights, "columns")
      heights = tuple(
        checks.as_tuple(f"world.heights[{i}]", column, "levels")
        for i, column in enumerate(columns)
      )
      object.__setattr__(self, "heights", heights)
    checks.check_range("world.seed", self.seed, 0, MAX_SEED)
    if len(self.tiles) != 2:
      raise json_checks.refusal("world.tiles", self.tiles, "two numbers")
    for axis, size in zip("xy", self.tiles, strict=True):
      checks.check_range(
        f"world.tiles along {axis}", size, MIN_TILES, constants.MAX_TILES
      )
    checks.check_range("world.levels", self.levels, 1, constants.MAX_LEVELS)
    checks.check_range("world.walls", self.walls, 0, MAX_WALLS)
    checks.check_range("world.diagonals", self.diagonals, 0, MAX_DIAGONALS)
    if self.heights is None:
      return
    for name in ("walls", "diagonals"):
      if count := getattr(self, name):
        raise ValueError(
          f"world.{name} is {count}, allowed: 0 with world.heights, which has "
          "all terrain"
        )
    if {(len(self.heights), len(column)) for column in self.heights} != {
      self.tiles
    }:
      raise ValueError(
        f"world.heights has {len(self.heights)} columns of "
        f"{sorted({len(column) for column in self.heights})} tiles, allowed: "
        f"as tiles, {self.tiles[0]} of {self.tiles[1]}"
      )
    for column in self.heights:
      for level in column:
        checks.check_range(
          "a level in world.heights", level, 0, self.levels - 1
        )


@dataclasses.dataclass(frozen=True)
class ObjectSpec:
  """Objects of one type that exist when a trial starts.

  Attributes:
    type: Shape and colour.
    count: Number of objects.
    at: Start position of each object, None where it is drawn from the seed;
      an empty tuple draws all.
    frozen: If true, the objects never move.
  """

  type: ObjectType
  count: int = 1
  at: tuple[Position, ...] = ()
  frozen: bool = False

  def __post_init__(self):
    checks.check_type("type of an object", self.type, ObjectType)
    checks.check_range(
      f"count of {self.type}", self.count, 1, constants.MAX_OBJECTS
    )
    at = checks.as_tuple(f"at of {self.type}", self.at, "positions")
    at = at or (None,) * self.count
    if len(at) != self.count:
      raise ValueError(
        f"{self.type} has {len(at)} positions, allowed: as many as its count, "
        f"{self.count}"
      )
    what = f"position of {self.type}"
    object.__setattr__(self, "at", tuple(_position(what, x) for x in at))
    checks.check_flag(f"frozen of {self.type}", self.frozen)


@dataclasses.dataclass(frozen=True)
class PlayerSpec:
  """A player's goal and start position.

  Attributes:
    goal: The literal that is rewarded while it holds.
    at: Start position; None if it is drawn from the world's seed.
  """

  goal: Literal
  at: Position = None

  def __post_init__(self):
    checks.check_type("goal of a player", self.goal, Literal)
    object.__setattr__(self, "at", _position("position of a player", self.at))


@dataclasses.dataclass(frozen=True)
class Hiding:
  """The parts of the rules that are hidden from one player.

  Attributes:
    rules: Numbers, from 1, of rules of which only the existence is shown.
    objects: Types shown as "hidden object n", numbered in this order.
    predicates: Predicates shown as "hidden predicate n", in this order.
  """

  rules: tuple[int, ...] = ()
  objects: tuple[ObjectType, ...] = ()
  predicates: tuple[str, ...] = ()

  def __post_init__(self):
    for name, entries in (
      ("rules", "numbers"),
      ("objects", "ObjectTypes"),
      ("predicates", "texts"),
    ):
      values = checks.as_tuple(f"hidden {name}", getattr(self, name), entries)
      object.__setattr__(self, name, values)
    for rule in self.rules:
      checks.check_range("a hidden rule", rule, 1, constants.MAX_RULES)
    for kind in self.objects:
      checks.check_type("a hidden object", kind, ObjectType)
    for predicate in self.predicates:
      checks.check_text("a hidden predicate", predicate)
      if predicate not in constants.PREDICATES:
        raise ValueError(
          f"hidden predicate is {predicate!r}, allowed: "
          f"{', '.join(constants.PREDICATES)}"
        )
    for name in ("rules", "objects", "predicates"):
      _check_distinct(f"hidden {name}", getattr(self, name))
    object.__setattr__(self, "rules", tuple(sorted(self.rules)))
    for name, last in (
      ("objects", constants.MAX_HIDDEN_OBJECTS),
      ("predicates", constants.MAX_HIDDEN_PREDICATES),
    ):
      checks.check_range(
        f"number of hidden {name}", len(getattr(self, name)), 0, last
      )
