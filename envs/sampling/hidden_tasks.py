"""The common part of task families that hide which candidate is right.

Several candidates are in a flat room, each of a type of its own. All rules are
hidden, and only trying shows which candidate leads to the goal's object. The
types, the right candidate, the order of rules, the order of objects and all
positions are drawn uniformly and independently of each other.

The halves differ in games and worlds. A hash of the goal's type and the *sets*
of candidates and places decides to which half a game belongs: all choices of
the right one are held out together, so training reveals nothing about which one
is right in a held-out game.
"""

import abc
import dataclasses
import hashlib
import math
from typing import ClassVar, NamedTuple

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.sampling import heldout, task_sets
from adaland.envs.sampling.config import FIRST_TEST_SEED, Range
from adaland.envs.tasks import checks
from adaland.envs.tasks.literals import OBJECT_TYPES
from adaland.envs.tasks.task import (
  Hiding,
  Literal,
  ObjectSpec,
  ObjectType,
  Player,
  PlayerSpec,
  Rule,
  Task,
  World,
)

PLAYER = Player(1)
_MIN_TILES = 4
_MAX_SECONDS = constants.MAX_TRIAL_SECONDS
# Metres between the player and all objects, so that nothing is near at the
# start and there is a way around wrong candidates; and metres to the walls.
_APART = 1.6
_MARGIN = 0.6
# Positions tried for one object before all are drawn again.
_TRIES = 16
# Fraction of a room, including walls, that circles around the positions may
# fill. At 0.55, positions drawn one after another leave no space for the next.
_MOST_FILLED = 0.45
# Positions for which even the smallest room has space: corners and centre.
_FIT_ANYWHERE = 5


class Game(NamedTuple):
  """The game of a task.

  Attributes:
    goal: The rewarded literal.
    objects: The objects at the start of a trial, in random order.
    rules: The rules, all hidden, in random order.
  """

  goal: Literal
  objects: tuple[ObjectSpec, ...]
  rules: tuple[Rule, ...]


def near(a: ObjectType | Player, b: ObjectType) -> Literal:
  """Returns the literal near(a, b)."""
  return Literal("near", a, b)


@dataclasses.dataclass(frozen=True)
class CandidateTasks(abc.ABC):
  """The common part of the families in `candidates`.

  Attributes:
    candidates: Number of candidates, 2 to 7 (from 1 in some families).
    tiles: Size of the room along each side, (first, last), metres.
    trials: Number of trials of an episode, (first, last).
    trial_seconds: Length of a trial.
    num_training: Number of tasks in the training half.
    num_held_out: Number of tasks in the held-out half.
    types: Number of object types in games, at most 12. With fewer types there
      are fewer to distinguish, and fewer games.
  """

  candidates: int = 3
  tiles: Range = (5, 5)
  trials: Range = (4, 4)
  trial_seconds: float = 4.0
  num_training: int = 1_000_000
  num_held_out: int = 100_000
  types: int = len(OBJECT_TYPES)

  name: ClassVar[str]
  fewest_candidates: ClassVar[int] = 2

  def __post_init__(self):
    # With the goal, three places and one more type this makes 12, all types.
    checks.check_range("candidates", self.candidates, self.fewest_candidates, 7)
    for field, first, last in (
      ("tiles", _MIN_TILES, constants.MAX_TILES),
      ("trials", 1, constants.MAX_TRIALS),
    ):
      pair = checks.check_pair(field, getattr(self, field), first, last)
      object.__setattr__(self, field, pair)
    checks.check_number(
      "trial_seconds",
      self.trial_seconds,
      constants.MIN_TRIAL_SECONDS,
      _MAX_SECONDS,
    )
    # A game's types, with the goal's and one that rules make, and two more:
    # with fewer types, a half may have no game.
    most = len(OBJECT_TYPES)
    places = constants.NUM_COLOURS * (self.num_places > 0)
    least = min(most, self.candidates + places + 4)
    checks.check_range("types", self.types, least, most)
    for field in ("num_training", "num_held_out"):
      checks.check_range(field, getattr(self, field), 1, FIRST_TEST_SEED)
    self._check_space()

  def _check_space(self) -> None:
    """Checks that the smallest room has space for the player and all objects.

    Otherwise drawing their positions would take forever.
    """
    side = self.tiles[0] - 2 * _MARGIN + _APART
    filled = _MOST_FILLED * side**2 / (math.pi * (_APART / 2) ** 2)
    most = max(_FIT_ANYWHERE, int(filled)) - 1
    if self.max_objects > most:
      raise ValueError(
        f"tiles is {self.tiles}, allowed: larger rooms for {self.max_objects} "
        f"objects, {_APART} m from each other ({self.tiles[0]} x "
        f"{self.tiles[0]} m are enough for {most})"
      )

  @property
  def num_tasks(self) -> int:
    """Number of tasks in both halves."""
    return self.num_training + self.num_held_out

  @property
  def max_objects(self) -> int:
    """Number of objects of a task."""
    return self.candidates

  @property
  def max_rules(self) -> int:
    """Number of rules of a task."""
    return self.candidates

  @property
  def max_steps(self) -> int:
    """Number of steps of the longest episode."""
    return self.trials[1] * round(self.trial_seconds / constants.STEP_SECONDS)

  def task(self, index: int) -> Task:
    """Returns the task of an index; those of the training half come first."""
    index = task_sets.wrapped(index, self.num_tasks)
    if index < self.num_training:
      return self.training().task(index)
    return self.held_out().task(index - self.num_training)

  def training(self) -> task_sets.TaskSet:
    """Returns the training half."""
    return _Half(self, is_held_out=False)

  def held_out(self) -> task_sets.TaskSet:
    """Returns the held-out half."""
    return _Half(self, is_held_out=True)

  @abc.abstractmethod
  def draw_game(
    self, types: list[ObjectType], rng: np.random.Generator
  ) -> Game:
    """Makes a game from types in random order: the first is the goal's.

    The candidates come next, the right one first, then the places.
    """

  @property
  def num_places(self) -> int:
    """Number of places to which objects may have to be carried."""
    return 0

  def draw_types(self, rng: np.random.Generator) -> list[ObjectType]:
    """Draws the types of a game, in the order of `draw_game`.

    If there are places, they and nothing else are walls: a player can't see
    which objects are frozen or can be carried.
    """
    types = [OBJECT_TYPES[i] for i in rng.permutation(self.types)]
    if not self.num_places:
      return types
    places = [kind for kind in types if kind.row == shapes.WALL]
    others = [kind for kind in types if kind.row != shapes.WALL]
    first = 1 + self.candidates
    return [*others[:first], *places[: self.num_places], *others[first:]]


@dataclasses.dataclass(frozen=True)
class _Half:
  """One half of a family, with its own games and worlds."""

  family: CandidateTasks
  is_held_out: bool

  @property
  def num_tasks(self) -> int:
    if self.is_held_out:
      return self.family.num_held_out
    return self.family.num_training

  def task(self, index: int) -> Task:
    index = task_sets.wrapped(index, self.num_tasks)
    family = self.family
    # Each family, half and index has a random stream of its own.
    kind = (family.name, family.candidates, family.num_places)
    stream = _hash(repr((kind, self.is_held_out)))
    key = np.array([stream, index], np.uint64)
    rng = np.random.Generator(np.random.Philox(key=key))
    while True:
      types = family.draw_types(rng)
      if self._has(types):
        break
    game = family.draw_game(types, rng)
    first, last = family.tiles
    tiles = rng.integers(first, last + 1, 2)
    start, *at = _spread(rng, tiles, 1 + len(game.objects))
    x, y = tiles.tolist()
    return Task(
      world=World(
        seed=index + FIRST_TEST_SEED * self.is_held_out, tiles=(x, y)
      ),
      objects=tuple(
        dataclasses.replace(spec, at=(xy,))
        for spec, xy in zip(game.objects, at, strict=True)
      ),
      players=(PlayerSpec(game.goal, start),),
      rules=game.rules,
      hiding=(Hiding(rules=tuple(range(1, len(game.rules) + 1))),),
      trials=int(rng.integers(family.trials[0], family.trials[1] + 1)),
      trial_seconds=family.trial_seconds,
      name=f"{family.name} {'test' if self.is_held_out else 'train'} {index}",
    )

  def _has(self, types: list[ObjectType]) -> bool:
    """Returns True if the game of types (see `draw_game`) is in this half."""
    places = 1 + self.family.candidates
    last = places + self.family.num_places
    return self.is_held_out == is_held_out(
      types[0], types[1:places], types[places:last]
    )


def is_held_out(
  goal: ObjectType, candidates: list[ObjectType], places: list[ObjectType]
) -> bool:
  """Returns True for sets of types in the held-out half, one in HELDOUT_ONE_IN.

  Args:
    goal: The type of the goal's object.
    candidates: The candidates' types, in any order.
    places: The places' types, in any order.
  """
  ids = [
    sorted(kind.type_id for kind in kinds) for kinds in (candidates, places)
  ]
  return _hash(repr((goal.type_id, *ids))) % heldout.HELDOUT_ONE_IN == 0


def _hash(text: str) -> int:
  """Returns 64 bits of a text, the same in every process."""
  digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
  return int.from_bytes(digest, "big")


def _spread(
  rng: np.random.Generator, tiles: np.ndarray, count: int
) -> list[tuple[float, float]]:
  """Draws positions in a room, at least _APART from each other.

  They are drawn one after another; if there is no space for the next one, all
  are drawn again.

  Args:
    rng: Source of randomness.
    tiles: Size of the room along x and y, metres, int [2].
    count: Number of positions.
  """
  reach = tiles / 2 - _MARGIN
  at: list[tuple[float, float]] = []
  while len(at) < count:
    # The values of `rng.uniform`, which is slower with arrays as bounds.
    drawn = rng.random((_TRIES, 2)) * (2 * reach) - reach
    for x, y in drawn.round(2).tolist():
      if all(math.dist((x, y), other) >= _APART for other in at):
        at.append((x, y))
        break
    else:
      at = []
  return at


def in_any_order(
  rng: np.random.Generator,
  goal: ObjectType,
  objects: list[ObjectSpec],
  rules: list[Rule],
) -> Game:
  """Returns a game whose objects and rules are in random order."""
  return Game(
    goal=near(PLAYER, goal),
    objects=tuple(objects[i] for i in rng.permutation(len(objects))),
    rules=tuple(rules[i] for i in rng.permutation(len(rules))),
  )
