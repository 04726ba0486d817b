"""The random choices from which a game is made."""

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
# Probability that the second of two objects has the type of the first, as if
# both were drawn from all types.
_SAME_TYPE: Final = 1 / len(OBJECT_TYPES)

_T = TypeVar("_T")


class NoGameError(Exception):
  """A failed attempt to draw a game."""


class Choices:
  """Random choices, and the object types that are still unused.

  Attributes:
    config: The distribution of games.
    rng: Source of randomness.
    unused: Types that no part of the game uses yet, in random order.
  """

  def __init__(self, config: SamplerConfig, rng: np.random.Generator):
    """Initializes the choices; all types are unused."""
    self.config = config
    self.rng = rng
    order = rng.permutation(len(OBJECT_TYPES)).tolist()
    self.unused = [OBJECT_TYPES[i] for i in order]

  def chance(self, probability: float) -> bool:
    """Returns True with the given probability."""
    return bool(self.rng.random() < probability)

  def between(self, bounds: Range) -> int:
    """Draws an integer from a range, both ends included."""
    return int(self.rng.integers(bounds[0], bounds[1] + 1))

  def pick(self, options: Sequence[_T]) -> _T:
    """Draws one of some options."""
    return options[self.rng.integers(len(options))]

  def pick_predicate(self, options: Sequence[str]) -> str:
    """Draws one of some predicates, by the weights in the table."""
    rows = [tables.PREDICATE_OF_NAME[name] for name in options]
    # A predicate with weight 0 is an option only if a user asks for it.
    return self.pick([row.name for row in rows for _ in range(row.weight or 1)])

  def with_player(self, predicate: str, probability: float) -> bool:
    """Draws whether the player is a predicate's first argument.

    Args:
      predicate: The predicate.
      probability: Probability of the player, if an object is possible too.
    """
    kind = tables.PREDICATE_OF_NAME[predicate].arguments[0]
    return kind == "player" or (kind == "any" and self.chance(probability))

  def means(self, predicate: str) -> str:
    """Returns the built-in predicate whose skill achieves a predicate."""
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
    """Draws a literal over unused types and takes these; None if impossible.

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
  """Returns True if a literal's arguments can be put and stay in contact.

  A ball rolls away, and a pyramid's base is in the way of a player's feet.
  """
  with_player = isinstance(literal.a, Player) or isinstance(literal.b, Player)
  return not any(
    kind.row.rolls or (with_player and kind.row.sloped)
    for kind in literal.object_types
  )
