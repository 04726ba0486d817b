"""A task: a world, a game in it, and how often and how long it is tried.

task = world x game (x co-player), §1.1. Everything is checked when it is
made, so a Task that exists can be run, but for the room in its world, which
`worlds.build_scene` finds out.
"""

import dataclasses
import math
from collections.abc import Sequence

from envs import constants, shapes
from envs.literals import (
  Argument,
  Literal,
  ObjectType,
  Player,
  Rule,
)

__all__ = [
  "Argument",
  "Hiding",
  "Literal",
  "ObjectSpec",
  "ObjectType",
  "Player",
  "PlayerSpec",
  "Position",
  "Rule",
  "Task",
  "World",
  "describe",
]

MIN_TILES = 2
MAX_SEED = 2**31 - 1
MAX_NAME = 80

# Metres from the centre of the arena; None is drawn from the world's seed.
Position = tuple[float, float] | None


def _check_range(what: str, value: int, first: int, last: int) -> None:
  if isinstance(value, bool) or not isinstance(value, int):
    raise ValueError(f"{what} is {value!r}, allowed: a whole number")
  if not first <= value <= last:
    raise ValueError(f"{what} is {value}, allowed: {first} to {last}")


def _check_distinct(what: str, values: Sequence[object]) -> None:
  if len(set(values)) != len(values):
    raise ValueError(
      f"{what} are {', '.join(map(str, values))}, allowed: each once"
    )


def _check_position(what: str, at: Position) -> None:
  if at is not None and (len(at) != 2 or not all(map(math.isfinite, at))):
    raise ValueError(f"{what} is {at}, allowed: two finite numbers")


@dataclasses.dataclass(frozen=True)
class World:
  """Terrain, and the seed of all that is placed at random.

  Attributes:
    seed: Of the terrain and of the start positions, 0 to MAX_SEED.
    tiles: Size of the arena along x and y, in tiles.
    levels: Number of ground heights, 1 is a flat room.
    heights: Level of each tile, heights[x][y], instead of generated terrain.
      Ramps are set between levels where they are needed to connect them.
  """

  seed: int = 0
  tiles: tuple[int, int] = (8, 8)
  levels: int = 1
  heights: tuple[tuple[int, ...], ...] | None = None

  def __post_init__(self):
    _check_range("world.seed", self.seed, 0, MAX_SEED)
    if len(self.tiles) != 2:
      raise ValueError(f"world.tiles is {self.tiles}, allowed: two numbers")
    for axis, size in zip("xy", self.tiles, strict=True):
      _check_range(
        f"world.tiles along {axis}", size, MIN_TILES, constants.MAX_TILES
      )
    _check_range("world.levels", self.levels, 1, constants.MAX_LEVELS)
    if self.heights is None:
      return
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
        _check_range("a level in world.heights", level, 0, self.levels - 1)


@dataclasses.dataclass(frozen=True)
class ObjectSpec:
  """Objects of one type that are there when a trial starts.

  Attributes:
    type: Shape and colour.
    count: How many.
    at: Start position of each; one None stands for all drawn from the seed.
    frozen: Whether they never move.
  """

  type: ObjectType
  count: int = 1
  at: tuple[Position, ...] = ()
  frozen: bool = False

  def __post_init__(self):
    _check_range(f"count of {self.type}", self.count, 1, constants.MAX_OBJECTS)
    if not self.at:
      object.__setattr__(self, "at", (None,) * self.count)
    if len(self.at) != self.count:
      raise ValueError(
        f"{self.type} has {len(self.at)} positions, allowed: as many as its "
        f"count, {self.count}"
      )
    for at in self.at:
      _check_position(f"position of {self.type}", at)


@dataclasses.dataclass(frozen=True)
class PlayerSpec:
  """What a player shall reach and where it starts."""

  goal: Literal
  at: Position = None

  def __post_init__(self):
    _check_position("position of a player", self.at)


@dataclasses.dataclass(frozen=True)
class Hiding:
  """What one player is not told about the rules (§1.2).

  Attributes:
    rules: Numbers of rules, from 1, of which only the existence is shown.
    objects: Types shown as "hidden object n", n counting in this order.
    predicates: Predicates shown as "hidden predicate n", in this order.
  """

  rules: tuple[int, ...] = ()
  objects: tuple[ObjectType, ...] = ()
  predicates: tuple[str, ...] = ()

  def __post_init__(self):
    _check_distinct("hidden rules", self.rules)
    _check_distinct("hidden objects", self.objects)
    _check_distinct("hidden predicates", self.predicates)
    object.__setattr__(self, "rules", tuple(sorted(self.rules)))
    for rule in self.rules:
      _check_range("a hidden rule", rule, 1, constants.MAX_RULES)
    for predicate in self.predicates:
      if predicate not in constants.PREDICATES:
        raise ValueError(
          f"hidden predicate is {predicate!r}, allowed: "
          f"{', '.join(constants.PREDICATES)}"
        )


@dataclasses.dataclass(frozen=True)
class Task:
  """All that makes an episode, but for the avatars' yaw.

  Attributes:
    world: Terrain and seed.
    objects: What is there when a trial starts.
    players: One or two, with a goal each.
    rules: Production rules, at most MAX_RULES, read in this order.
    hiding: What each player is not told; empty means all is told to all.
    trials: Tries in an episode.
    trial_seconds: Length of a trial, rounded to whole steps.
    name: For people, at most MAX_NAME characters.
  """

  world: World
  objects: tuple[ObjectSpec, ...]
  players: tuple[PlayerSpec, ...]
  rules: tuple[Rule, ...] = ()
  hiding: tuple[Hiding, ...] = ()
  trials: int = 3
  trial_seconds: float = 20.0
  name: str = ""

  def __post_init__(self):
    _check_range("number of players", len(self.players), 1, 2)
    _check_range("number of rules", len(self.rules), 0, constants.MAX_RULES)
    _check_range(
      "number of objects", self.num_objects, 0, constants.MAX_OBJECTS
    )
    _check_range("trials", self.trials, 1, constants.MAX_TRIALS)
    if not self.hiding:
      object.__setattr__(self, "hiding", (Hiding(),) * len(self.players))
    if len(self.hiding) != len(self.players):
      raise ValueError(
        f"hiding is given for {len(self.hiding)} players, allowed: for each "
        f"of {len(self.players)}"
      )
    for hiding in self.hiding:
      for rule in hiding.rules:
        if rule > len(self.rules):
          raise ValueError(
            f"hide: rules has {rule}, allowed: 1 to {len(self.rules)}, the "
            "number of rules"
          )
    self._check_literals()
    self._check_time()
    self._check_positions()
    if len(self.name) > MAX_NAME or not self.name.isprintable():
      raise ValueError(
        f"name is {self.name[:MAX_NAME]!r}, allowed: at most {MAX_NAME} "
        "printable characters"
      )

  def _check_literals(self) -> None:
    places = {
      f"players[{i}].goal": player.goal for i, player in enumerate(self.players)
    }
    for i, rule in enumerate(self.rules):
      places[f"rules[{i}]"] = rule.condition
    known = [f"player{i + 1}" for i in range(len(self.players))]
    for place, literal in places.items():
      for argument in literal.arguments:
        if isinstance(argument, Player) and argument.name not in known:
          raise ValueError(
            f"{place}: '{literal}' names {argument}, allowed: "
            f"{', '.join(known)}"
          )

  def _check_time(self) -> None:
    first, last = constants.MIN_TRIAL_SECONDS, constants.MAX_TRIAL_SECONDS
    if not first <= self.trial_seconds <= last:
      raise ValueError(
        f"trial_seconds is {self.trial_seconds}, allowed: {first:g} to {last:g}"
      )
    # Multiplied before divided, so that 150 steps are 20.0 exactly.
    seconds = self.trial_steps * 2 / 15
    object.__setattr__(self, "trial_seconds", seconds)

  def _check_positions(self) -> None:
    room = [constants.TILE_METRES * size / 2 for size in self.world.tiles]
    placed: list[tuple[str, Position, Sequence[float]]] = [
      (f"players[{i}].at", player.at, (constants.AVATAR_RADIUS,) * 2)
      for i, player in enumerate(self.players)
    ]
    for i, spec in enumerate(self.objects):
      half = shapes.shape_of_type(spec.type.type_id).half_extents
      placed += [
        (f"objects[{i}].at[{n}]", at, half) for n, at in enumerate(spec.at)
      ]
    for place, at, half in placed:
      if at is None:
        continue
      for axis in range(2):
        limit = room[axis] - half[axis]
        if abs(at[axis]) > limit + 1e-9:
          raise ValueError(
            f"{place} is ({at[0]:g}, {at[1]:g}), allowed: "
            f"{'xy'[axis]} from {-limit:g} to {limit:g}, inside the arena"
          )

  @property
  def num_objects(self) -> int:
    """Objects that are there when a trial starts."""
    return sum(spec.count for spec in self.objects)

  @property
  def trial_steps(self) -> int:
    """Length of a trial in agent steps."""
    return round(self.trial_seconds / constants.STEP_SECONDS)


def describe(task: Task) -> str:
  """Tells a task in words, what is hidden from whom included."""
  world = task.world
  ground = "flat" if world.levels == 1 else f"{world.levels} levels"
  lines = [task.name] if task.name else []
  lines.append(
    f"World: {world.tiles[0]} x {world.tiles[1]} tiles, {ground}, "
    f"seed {world.seed}"
  )
  for i, player in enumerate(task.players):
    lines.append(f"Goal of player{i + 1}: {player.goal}")
  lines.append("Objects:" if task.objects else "Objects: none")
  for spec in task.objects:
    placed = [f"({at[0]:g}, {at[1]:g})" for at in spec.at if at is not None]
    lines.append(
      f"  {spec.count} x {spec.type}"
      + (", frozen" if spec.frozen else "")
      + (f", at {', '.join(placed)}" if placed else "")
    )
  lines.append("Rules:" if task.rules else "Rules: none")
  for number, rule in enumerate(task.rules, start=1):
    unaware = [
      f"player{i + 1}"
      for i, hiding in enumerate(task.hiding)
      if number in hiding.rules
    ]
    hidden = f"  [hidden from {' and '.join(unaware)}]" if unaware else ""
    lines.append(f"  {number}. {rule}{hidden}")
  for i, hiding in enumerate(task.hiding):
    masked = [*map(str, hiding.objects), *hiding.predicates]
    if masked:
      lines.append(
        f"Masked in the rules for player{i + 1}: {', '.join(masked)}"
      )
  lines.append(
    f"Trials: {task.trials} of {task.trial_seconds:g} s "
    f"({task.trial_steps} steps)"
  )
  return "\n".join(lines)
