"""Co-players: the player in a task's second seat.

A curriculum over tasks of two players chooses pairs of a task and a co-player.
As in AdA (arXiv 2301.07608, fictitious self-play), a new pair's co-player is
drawn uniformly from a pool that starts with a player of random actions and to
which snapshots of the agent are added. In addition there are a player that does
nothing, and the agent itself.

A pair has a number, which curricula treat like a task's index, so their
statistics are those of a task with a certain co-player.
"""

import dataclasses
from collections.abc import Iterable
from typing import Final

import numpy as np

from adaland.curriculum import validation

# Numbers of co-players; snapshot k, from 0, has FIRST_SNAPSHOT + k.
SELF: Final = 0
NOOP: Final = 1
RANDOM: Final = 2
FIRST_SNAPSHOT: Final = 3

# A pair's number holds the task's index in the lower bits.
_INDEX_BITS = 40
MAX_TASKS: Final = 1 << _INDEX_BITS
_MAX_POOL = 1000


@dataclasses.dataclass(frozen=True)
class CoplayersConfig:
  """Settings of the co-players of tasks of two players.

  Attributes:
    self_share: Probability that a new pair's co-player is the agent itself,
      which then learns from both sides; otherwise it is drawn from the pool.
    pool_size: Snapshots that are kept; a new one replaces the oldest.
    snapshot_updates: Learner updates between two snapshots.
  """

  self_share: float = 0.5
  pool_size: int = 8
  snapshot_updates: int = 1000

  def __post_init__(self):
    for name, ok, allowed in (
      ("self_share", 0.0 <= self.self_share <= 1.0, "0 to 1"),
      ("pool_size", 0 <= self.pool_size <= _MAX_POOL, f"0 to {_MAX_POOL}"),
      ("snapshot_updates", self.snapshot_updates >= 1, "at least 1"),
    ):
      value = getattr(self, name)
      validation.require(ok, f"coplayers.{name}", value, allowed)


def join(index: int, coplayer: int) -> int:
  """Returns the number of a pair of a task and a co-player.

  Args:
    index: The task's index, below MAX_TASKS.
    coplayer: The co-player's number.
  """
  return coplayer << _INDEX_BITS | index


def split(pair: int) -> tuple[int, int]:
  """Returns the task's index and the co-player of a pair."""
  return pair & MAX_TASKS - 1, pair >> _INDEX_BITS


def name(coplayer: int) -> str:
  """Returns a co-player's name, such as "self" or "snapshot 3"."""
  if coplayer < FIRST_SNAPSHOT:
    return ("self", "noop", "random")[coplayer]
  return f"snapshot {coplayer - FIRST_SNAPSHOT}"


class Coplayers:
  """The co-players available now.

  Attributes:
    snapshots: Numbers of the snapshots, ascending.
  """

  def __init__(self, config: CoplayersConfig):
    """Makes a pool without snapshots."""
    self._config = config
    self.snapshots: tuple[int, ...] = ()

  def draw(self, rng: np.random.Generator) -> int:
    """Draws the co-player of a new pair."""
    if rng.random() < self._config.self_share:
      return SELF
    pool = (NOOP, RANDOM, *self.snapshots)
    return pool[int(rng.integers(len(pool)))]

  def present(self, coplayer: int) -> int:
    """Returns the co-player, or the snapshot nearest in age if it is gone."""
    return nearest(coplayer, self.snapshots)


def nearest(coplayer: int, snapshots: Iterable[int]) -> int:
  """Returns the co-player, or the available snapshot nearest to it in age.

  Args:
    coplayer: A co-player's number.
    snapshots: The available snapshots; without any, RANDOM replaces a snapshot.
  """
  if coplayer < FIRST_SNAPSHOT:
    return coplayer
  return min(snapshots, key=lambda s: (abs(s - coplayer), s), default=RANDOM)
