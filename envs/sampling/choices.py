"""The random choices of which a game is drawn."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np

from adaland.envs import tables
from adaland.envs.sampling.config import Range, SamplerConfig
from adaland.envs.tasks.literals import (
  OBJECT_TYPES,
  Argument,
  Literal,
  ObjectType,
  Player,
)

PLAYER: Final = Player(1)
TRIES: Final = 20
# Probability that the second of two objects is of the type of the first, as if
# both were drawn from all types.
_SAME_TYPE: Final = 1 / len(OBJECT_TYPES)

_T = TypeVar("_T")


class NoGameError(Exception):
  """An attempt to draw a game that failed."""


class Choices:
  """Random choices, and the object types that are left for new purposes.

  Attributes:
    config: The distribution of games.
    rng: Source of randomness.
    unused: Types that nothing of the game uses yet, in random order.
  """

  def __init__(self, config: SamplerConfig, rng: np.random.Generator):
    """Initializes the choices; all types are unused."""
    self.config = config
    self.rng = rng
    order = rng.permutation(len(OBJECT_TYPES)).tolist()
    self.unused = [OBJECT_TYPES[i] for i in order]

  def chance(self, probability: float) -> bool:
    """Returns True with a probability."""
    return bool(self.rng.random() < probability)

  def between(self, bounds: Range) -> int:
    """Draws a whole number of a range, both ends included."""
    return int(self.rng.integers(bounds[0], bounds[1] + 1))

  def pick(self, options: Sequence[_T]) -> _T:
    """Draws one of some options."""
    return options[self.rng.integers(len(options))]

  def pick_predicate(self, options: Sequence[str]) -> str:
    """Draws one of some predicates, by the weights in the table."""
    rows = [tables.PREDICATE_OF_NAME[name] for name in options]
    # A predicate of weight 0 is among the options only if a user wants it.
    return self.pick([row.name for row in rows for _ in range(row.weight or 1)])

  def with_player(self, predicate: str, probability: float) -> bool:
    """Draws whether the player is a predicate's first argument.

    Args:
      predicate: The predicate.
      probability: Probability of the player, where an object may stand too.
    """
    kind = tables.PREDICATE_OF_NAME[predicate].arguments[0]
    return kind == "player" or (kind == "any" and self.chance(probability))

  def means(self, predicate: str) -> str:
    """Returns the predicate of Adaland whose means reach a predicate."""
    return tables.PREDICATE_OF_NAME[predicate].means

  def take_type(self) -> ObjectType:
    """Takes an unused type.

    Raises:
      NoGameError: If none is left.
    """
    if not self.unused:
      raise NoGameError
    return self.unused.pop()

  def relate(
    self, predicate: str, with_player: bool, negated: bool
  ) -> Literal | None:
    """Draws a literal over unused types, which it takes; None if it can't be.

    Args:
      predicate: The predicate.
      with_player: Whether the first argument is the player.
      negated: Whether the literal is negated.
    """
    if len(self.unused) < 2:
      raise NoGameError
    first: Argument = PLAYER if with_player else self.unused[-2]
    second = self.unused[-1]
    if isinstance(first, ObjectType) and not negated:
      second = first if self.chance(_SAME_TYPE) else second
    literal = Literal(predicate, first, second, negated)
    if (
      negated and literal.means == "touching" and not stays_in_contact(literal)
    ):
      return None
    for kind in set(literal.object_types):
      self.unused.remove(kind)
    return literal


def stays_in_contact(literal: Literal) -> bool:
  """Returns True if a literal's arguments can be put in contact, and stay so.

  A ball rolls away, and a pyramid's foot is in the way of a player's.
  """
  with_player = isinstance(literal.a, Player) or isinstance(literal.b, Player)
  return not any(
    kind.row.rolls or (with_player and kind.row.sloped)
    for kind in literal.object_types
  )
