"""Task families in which a player finds out which candidate is the right one.

All of them hide all rules::

  Traps   the right one becomes the goal's object when the player comes near;
          a wrong one becomes an object at whose sight the right one vanishes
  Find    like Traps, in a larger room, but wrong ones merely vanish
  Fetch   the right one, carried to the right place, becomes the goal's object;
          both objects of a wrong pair vanish
  Chain   the right one becomes an object that has to be carried to the right
          place; wrong candidates vanish, as do both objects of a wrong pair

The score of a player without memory of earlier trials does not rise over the
trials; `adaland tasks worth` measures the value of memory.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from adaland.envs import constants
from adaland.envs.sampling import hidden_tasks
from adaland.envs.sampling.config import Range
from adaland.envs.tasks import checks
from adaland.envs.tasks.task import Literal, ObjectSpec, ObjectType, Rule


@dataclasses.dataclass(frozen=True)
class Traps(hidden_tasks.CandidateTasks):
  """The family in which a wrong candidate spoils the trial.

  A: the right candidate, D: each wrong one, Y: the goal's object, H: another
  type::

    near(player1, A) -> Y
    near(player1, D) -> H
    see(H, A) -> nothing

  Going near a wrong candidate makes the right one vanish, unless something is
  between the two; which object vanished shows which one was right.
  """

  name: ClassVar[str] = "traps"

  @property
  def max_rules(self) -> int:
    """Number of rules of a task."""
    return self.candidates + 1

  def draw_game(
    self, types: list[ObjectType], rng: np.random.Generator
  ) -> hidden_tasks.Game:
    goal, right, *wrong = types[: self.candidates + 1]
    spoiler = types[self.candidates + 1]
    rules = [
      Rule(hidden_tasks.near(hidden_tasks.PLAYER, right), (goal,)),
      Rule(Literal("see", spoiler, right)),
      *(
        Rule(hidden_tasks.near(hidden_tasks.PLAYER, kind), (spoiler,))
        for kind in wrong
      ),
    ]
    objects = [ObjectSpec(kind) for kind in (right, *wrong)]
    return hidden_tasks.in_any_order(rng, goal, objects, rules)


@dataclasses.dataclass(frozen=True)
class Find(hidden_tasks.CandidateTasks):
  """The family in which candidates are far apart, and wrong ones vanish.

  A: the right candidate, D: each wrong one, Y: the goal's object::

    near(player1, A) -> Y
    near(player1, D) -> nothing
  """

  candidates: int = 4
  tiles: Range = (9, 9)
  trial_seconds: float = 6.0

  name: ClassVar[str] = "find"
  fewest_candidates: ClassVar[int] = 1

  def draw_game(
    self, types: list[ObjectType], rng: np.random.Generator
  ) -> hidden_tasks.Game:
    goal, right, *wrong = types[: self.candidates + 1]
    rules = [
      Rule(hidden_tasks.near(hidden_tasks.PLAYER, right), (goal,)),
      *(Rule(hidden_tasks.near(hidden_tasks.PLAYER, kind)) for kind in wrong),
    ]
    objects = [ObjectSpec(kind) for kind in (right, *wrong)]
    return hidden_tasks.in_any_order(rng, goal, objects, rules)


@dataclasses.dataclass(frozen=True)
class Fetch(hidden_tasks.CandidateTasks):
  """The family in which the right candidate has to be carried.

  A, D: the right and each wrong candidate, P, Q: the right and each wrong
  place (frozen walls), Y: the goal's object::

    near(A, P) -> Y
    near(D, P) -> nothing, near(A, Q) -> nothing, near(D, Q) -> nothing

  A wrong pair vanishes; it may include the right candidate, the right place, or
  neither.

  Attributes:
    places: Number of places, 1 to 3.
  """

  candidates: int = 2
  tiles: Range = (6, 6)
  trial_seconds: float = 10.0
  places: int = 2

  name: ClassVar[str] = "fetch"

  def __post_init__(self):
    checks.check_range("places", self.places, 1, 3)
    super().__post_init__()
    if self.max_rules > constants.MAX_RULES:
      raise ValueError(
        f"candidates is {self.candidates} and places is {self.places}, which "
        f"makes {self.max_rules} rules, allowed: at most {constants.MAX_RULES}"
      )

  @property
  def max_objects(self) -> int:
    """Number of objects of a task."""
    return self.candidates + self.places

  @property
  def max_rules(self) -> int:
    """Number of rules of a task."""
    return self.candidates * self.places

  @property
  def num_places(self) -> int:
    """See `CandidateTasks`."""
    return self.places

  def draw_game(
    self, types: list[ObjectType], rng: np.random.Generator
  ) -> hidden_tasks.Game:
    goal, *rest = types
    movable, rest = rest[: self.candidates], rest[self.candidates :]
    places = rest[: self.places]
    rules = [
      Rule(hidden_tasks.near(kind, place), (goal,) * ((i, j) == (0, 0)))
      for i, kind in enumerate(movable)
      for j, place in enumerate(places)
    ]
    objects = [
      *(ObjectSpec(kind) for kind in movable),
      *(ObjectSpec(kind, frozen=True) for kind in places),
    ]
    return hidden_tasks.in_any_order(rng, goal, objects, rules)


@dataclasses.dataclass(frozen=True)
class Chain(Fetch):
  """The family in which two hidden rules have to fire in a row.

  A, D: the right and each wrong candidate, P, Q: the right and each wrong
  place (frozen walls), M: another type, Y: the goal's object::

    near(player1, A) -> M
    near(player1, D) -> nothing
    near(M, P) -> Y
    near(M, Q) -> nothing
  """

  tiles: Range = (7, 7)
  trial_seconds: float = 12.0

  name: ClassVar[str] = "chain"

  @property
  def max_rules(self) -> int:
    """Number of rules of a task."""
    return self.candidates + self.places

  def draw_game(
    self, types: list[ObjectType], rng: np.random.Generator
  ) -> hidden_tasks.Game:
    goal, *rest = types
    tried, rest = rest[: self.candidates], rest[self.candidates :]
    places, thing = rest[: self.places], rest[self.places]
    rules = [
      *(
        Rule(hidden_tasks.near(hidden_tasks.PLAYER, x), (thing,) * (i == 0))
        for i, x in enumerate(tried)
      ),
      *(
        Rule(hidden_tasks.near(thing, x), (goal,) * (i == 0))
        for i, x in enumerate(places)
      ),
    ]
    objects = [
      ObjectSpec(kind, frozen=kind in places) for kind in tried + places
    ]
    return hidden_tasks.in_any_order(rng, goal, objects, rules)
