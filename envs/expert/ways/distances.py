"""Estimates of how far avatars have to walk to make conditions true.

Positions are numbered: the avatars' come first, then the objects'.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land, shapes
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.symbolic import Condition

# Costs in metres: of picking up an object; of pressing it against another, and
# more if that may roll away; of an action on the spot; of separating objects or
# blocking their line of sight; and of an attempt that failed.
_GRIP_METRES = 2.0
_TOUCH_METRES = 1.0
_SLIP_METRES = 5.0
_SPOT_METRES = 0.5
_PART_METRES = 2.0
_SCREEN_METRES = 30.0
# Distance below which the body squeezes between two objects, since there is no
# room to stand there, and the cost of that.
CLOSE_METRES = 1.6
_PUSH_METRES = 3.0
_FAILURE_METRES = 10.0
# Extra cost of objects on ground without a path to it, reached only by luck.
_LOST_METRES = 20.0

Slots = tuple[int, ...]


class Item(NamedTuple):
  """A simulated object.

  Attributes:
    kind: Its type id.
    place: Number of its position.
    slot: Its slot, -1 if a rule will spawn it.
  """

  kind: int
  place: int
  slot: int


class Avatar(NamedTuple):
  """A simulated avatar.

  Attributes:
    place: Number of its position.
    held: The object in its hand.
    free: Metres after which it has done its share so far.
  """

  place: int
  held: Item | None = None
  free: float = 0.0


class State(NamedTuple):
  """A simulated state.

  Attributes:
    items: The objects.
    avatars: The avatars.
    metres: Metres after which the last step so far is done.
  """

  items: tuple[Item, ...]
  avatars: tuple[Avatar, ...]
  metres: float = 0.0


class Step(NamedTuple):
  """A condition of a plan and who makes it true.

  Attributes:
    avatar: Index of the avatar.
    wanted: The condition.
    slots: The objects to use, the carried one first; -1 for an object that a
      rule will spawn.
    place: Position to go to: where the carried object is needed, or, if it
      doesn't exist yet, where it will appear; None for the avatar's own.
  """

  avatar: int
  wanted: Condition
  slots: Slots
  place: int | None


class Map:
  """Distances between the avatars and the objects of one state.

  Attributes:
    at: The positions, metres, float [K, 3].
    metres: Lengths of the paths between them, [K][K].
    sight: Which of them see each other, [K][K].
    start: The state.
  """

  def __init__(
    self, view: land.WorldView, ground: navigate.Ground, num_avatars: int = 1
  ):
    """Measures a state."""
    slots = [int(slot) for slot in np.flatnonzero(view.slot_types)]
    feet = view.player_pos[:num_avatars]
    self.at = at = np.concatenate([feet, view.object_pos[slots]])
    cells = np.array([ground.cell_of(xy) for xy in at[:, :2]])
    metres = navigate.distances(ground, cells)[:, cells]
    straight = np.linalg.norm(at[:, None, :2] - at[None, :, :2], axis=-1)
    self.metres = np.where(
      np.isfinite(metres), metres, straight + _LOST_METRES
    ).tolist()
    eyes = at + np.array([0, 0, constants.EYE_HEIGHT])
    eyes[num_avatars:] = at[num_avatars:]
    self.sight = [
      navigate.in_sight(ground, eyes, point).tolist() for point in eyes
    ]
    self.frozen = view.frozen
    items = tuple(
      Item(int(view.slot_types[slot]), place, slot)
      for place, slot in enumerate(slots, num_avatars)
    )
    held = {item.slot: item for item in items}
    avatars = tuple(
      Avatar(i, held.get(int(view.held[i]))) for i in range(num_avatars)
    )
    self.start = State(items, avatars)

  def options(
    self, state: State, wanted: Condition, failures: Mapping[Slots, int]
  ) -> list[tuple[float, tuple[Item, ...], Step, State]]:
    """Returns ways to make a condition true, the soonest first.

    Args:
      state: The simulated state.
      wanted: The condition.
      failures: Number of failed attempts by slots, the carried one first.

    Returns:
      For each way the metres, the objects, the step, and the state once it is
      done.
    """
    found = []
    for index in _allowed(state, wanted):
      avatar = state.avatars[index]
      for items in self._choices(state, wanted):
        slots = tuple(item.slot for item in items)
        way = self._way(state, avatar, wanted, items)
        moves = items and way > _SPOT_METRES
        place = items[-1].place if moves else avatar.place
        held = items[0] if items and wanted.predicate == "hold" else None
        # Until the step before is done, it can carry what exists by then, or
        # walk to where the object to carry will appear.
        late = 0.0
        if items and items[0].slot < 0:
          late = max(way - self.metres[avatar.place][items[0].place], 0.0)
        done = max(state.metres, avatar.free + way - late) + late
        done += _FAILURE_METRES * failures.get(slots, 0)
        avatars = list(state.avatars)
        avatars[index] = Avatar(place, held, done)
        after = State(state.items, tuple(avatars), done)
        goal = None
        if items:
          goal = items[0 if items[0].slot < 0 else -1].place
        step = Step(index, wanted, slots, goal)
        found.append((done - state.metres, items, step, after))
    return sorted(found, key=lambda option: option[0])

  def _choices(
    self, state: State, wanted: Condition
  ) -> Iterator[tuple[Item, ...]]:
    """Yields objects for a condition, the carried one first."""
    kinds = wanted.object_types
    if wanted.negated and any(
      not any(item.kind == kind for item in state.items) for kind in kinds
    ):
      yield ()  # A relation to an absent object is already false.
      return
    if len(kinds) < 2:
      if not kinds:
        yield ()
      for item in state.items:
        if item.kind in kinds:
          yield (item,)
      return
    for a in state.items:
      for b in state.items:
        if a is not b and (a.kind, b.kind) in (kinds, kinds[::-1]):
          yield (a, b)

  def _way(
    self,
    state: State,
    avatar: Avatar,
    wanted: Condition,
    items: tuple[Item, ...],
  ) -> float:
    """Returns the metres to walk until a condition holds for some objects."""
    if not items:
      return 0.0
    first, last = items[0], items[-1]
    there = self.metres[avatar.place][first.place]
    touch = 0.0
    if wanted.predicate == "touching":
      touch = _TOUCH_METRES + _SLIP_METRES * _rolls(last, self.frozen)
    if len(items) == 1:
      if wanted.negated:
        close = there < constants.NEAR_METRES or wanted.predicate == "see"
        return _SPOT_METRES * close
      if wanted.predicate == "see":
        seen = self.sight[avatar.place][first.place]
        return _SPOT_METRES if seen else there
      if wanted.predicate == "hold":
        return 0.0 if first == avatar.held else there + _GRIP_METRES
      return there + touch
    gap = self.metres[first.place][last.place]
    seen = self.sight[first.place][last.place]
    fetch = 0.0 if first == avatar.held else there + _GRIP_METRES
    fetch += _LOST_METRES * self._is_frozen(first)
    if wanted.predicate == "see":
      if wanted.negated:
        stuck = all(self._is_frozen(item) for item in items)
        close = gap < CLOSE_METRES and not stuck
        screen = _PUSH_METRES if close else _SCREEN_METRES
        # The body blocks one pair's line of sight; every further pair is extra.
        others = self._num_seen(state, wanted) - 1
        return there + screen + _SCREEN_METRES * others if seen else 0.0
      return 0.0 if seen else fetch + gap
    if wanted.negated:
      close = gap < constants.NEAR_METRES
      # All pairs have to be parted.
      others = self._num_close(state, wanted) - close
      return others * _LOST_METRES + close * (fetch + _PART_METRES)
    if wanted.predicate == "near" and gap < constants.NEAR_METRES / 2:
      return 0.0
    return fetch + gap + touch

  def _num_seen(self, state: State, wanted: Condition) -> int:
    """Returns the number of pairs of a condition that see each other."""
    pairs = self._choices(state, wanted)
    return sum(self.sight[a.place][b.place] for a, b in pairs) // 2

  def _num_close(self, state: State, wanted: Condition) -> int:
    """Returns the number of pairs of a condition that are near each other."""
    pairs = self._choices(state, wanted)
    metres = (self.metres[a.place][b.place] for a, b in pairs)
    return sum(gap < constants.NEAR_METRES for gap in metres) // 2

  def _is_frozen(self, item: Item) -> bool:
    return item.slot >= 0 and bool(self.frozen[item.slot])


def _allowed(state: State, wanted: Condition) -> Sequence[int]:
  """Returns the avatars that can make a condition true: those that it names."""
  named = [
    index
    for index in range(len(state.avatars))
    if constants.PLAYER_TYPE_IDS[index] in (wanted.a, wanted.b)
  ]
  # If it names both, the second goes to the first.
  return named[-1:] or range(len(state.avatars))


def _rolls(item: Item, frozen: np.ndarray) -> bool:
  """Returns True if an object may roll away when pressed."""
  ball = shapes.shape_of_type(item.kind).form == "ball"
  return ball and not (item.slot >= 0 and bool(frozen[item.slot]))
