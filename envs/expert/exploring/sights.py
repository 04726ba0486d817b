"""Sights: the objects that a player has seen, and changes that it sees.

The player knows an object that it has seen in this trial, or in its initial
position in an earlier one. It knows the ground and its own position, and it can
see which objects never move.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.exploring import in_view
from adaland.envs.expert.ways import navigate, steering

# Distance within which an object that is not seen where it should be counts as
# missing, and the number of steps in a row after which it counts as gone.
_MISS_METRES = 4.0
_MISSES = 3
_ASSUMED_MISSES = 25
# Distance from a lost object within which its products appear.
_PRODUCT_METRES = 1.3
_SEARCH_METRES = 7.0
_EYE = np.array([0, 0, constants.EYE_HEIGHT])


class Event(NamedTuple):
  """The changes of one step.

  Attributes:
    lost: Types that are gone, by slot.
    made: Types that appeared near them.
  """

  lost: dict[int, int]
  made: tuple[int, ...]


class Sights:
  """The objects and the ground that one player has seen.

  Attributes:
    types: Type in each slot as far as known, int [S].
    pos: Where each object was last seen, metres, float [S, 3].
    frozen: Objects that never move, bool [S].
    fresh: Objects that are in view or in the hand, bool [S].
    viewed: Cells of the ground that have been in view, bool [C].
  """

  def __init__(self, num_slots: int, num_cells: int):
    """Initializes a player that has seen nothing.

    Args:
      num_slots: S.
      num_cells: C.
    """
    self.types = np.zeros(num_slots, np.int32)
    self.pos = np.zeros((num_slots, 3), np.float32)
    self.frozen = np.zeros(num_slots, bool)
    self.fresh = np.zeros(num_slots, bool)
    self.viewed = np.zeros(num_cells, bool)
    # Objects that must be present although they have not been seen.
    self._assumed = np.zeros(num_slots, bool)
    self._home = self.types.copy(), self.pos.copy(), self.frozen.copy()
    self._misses = np.zeros(num_slots, int)
    self._held = -1

  def begin(self) -> None:
    """Starts a trial, with all objects in their initial positions."""
    types, pos, frozen = self._home
    self.types, self.pos, self.frozen = types.copy(), pos.copy(), frozen.copy()
    self.fresh[:] = False
    self._assumed[:] = False
    self._misses[:] = 0
    self._held = -1

  def update(
    self, view: land.WorldView, ground: navigate.Ground, grips: bool
  ) -> Event | None:
    """Updates the sights with what is in view.

    Args:
      view: The true state, of which only the part in view is read.
      ground: The map of the world.
      grips: Whether the last action closed the hand.

    Returns:
      The changes; None if there are none.
    """
    slots = np.arange(len(self.types))
    held = int(view.held[0])
    present = view.slot_types > 0
    visible = (view.visible[0, len(view.held) :] | (slots == held)) & present
    known = (self.types > 0) & ~self._assumed
    changed = known & visible & (view.slot_types != self.types)
    torn = slots == self._held
    torn &= known & ~visible & (held != self._held) & grips
    missed = ~visible & self._should_be_seen(view, ground, visible)
    self._misses = np.where(missed, self._misses + 1, 0)
    was_near = np.linalg.norm(self.pos - view.player_pos[0], axis=1)
    at_once = torn & (was_near < constants.REACH_METRES)
    # If something changed, a missing object is gone at once.
    patience = np.where(self._assumed, _ASSUMED_MISSES, _MISSES)
    gone = self._misses >= patience
    gone |= known & (at_once | (missed & changed.any()))
    lost = changed | (gone & known)
    new = visible & (changed | ~known)
    recognised = self._recognise(view, new)
    event = None
    if lost.any():
      gaps = np.linalg.norm(
        view.object_pos[:, None] - self.pos[lost][None], axis=-1
      )
      made = new & (gaps.min(axis=1) < _PRODUCT_METRES)
      event = Event(
        {int(s): int(self.types[s]) for s in np.flatnonzero(lost)},
        tuple(int(kind) for kind in view.slot_types[made]),
      )
      new &= ~made
    new &= ~known
    self._remember(view, new & ~recognised)
    self.types = np.where(visible, view.slot_types, self.types)
    self.types[gone & ~visible] = 0
    self.pos = np.where(visible[:, None], view.object_pos, self.pos)
    self.frozen = np.where(visible, view.frozen, self.frozen)
    self.fresh = visible
    self._assumed &= ~visible & (self.types > 0)
    self._held = held
    self._look(view, ground)
    return event

  def drop(self, slot: int) -> None:
    """Removes an object that is not in view."""
    self.types[slot] = 0

  def expect(self, kinds: Sequence[int], at: np.ndarray) -> None:
    """Assumes unseen objects, until they are seen or found missing.

    Args:
      kinds: Their types.
      at: Their assumed position, metres, float [3].
    """
    free = np.flatnonzero((self.types == 0) & ~self.fresh)
    for slot, kind in zip(free, kinds, strict=False):
      self.types[slot], self.pos[slot] = kind, at
      self.frozen[slot] = False
      self._assumed[slot] = True

  def _recognise(self, view: land.WorldView, new: np.ndarray) -> np.ndarray:
    """Drops assumed objects now in view; returns the seen ones, bool [S]."""
    found = np.zeros_like(new)
    for slot in np.flatnonzero(new & self._assumed.any()):
      gaps = np.linalg.norm(self.pos - view.object_pos[slot], axis=1)
      same = self._assumed & (self.types == view.slot_types[slot])
      same &= gaps < _PRODUCT_METRES
      if same.any():
        first = int(np.argmax(same))
        self.types[first], self._assumed[first] = 0, False
        found[slot] = True
    return found

  def _remember(self, view: land.WorldView, new: np.ndarray) -> None:
    """Notes objects that have been in place since the trial's start."""
    types, pos, frozen = self._home
    new = new & (types == 0)
    types[new] = view.slot_types[new]
    pos[new] = view.object_pos[new]
    frozen[new] = view.frozen[new]

  def _should_be_seen(
    self, view: land.WorldView, ground: navigate.Ground, visible: np.ndarray
  ) -> np.ndarray:
    """Returns which unseen objects should be in view, bool [S]."""
    feet = view.player_pos[0]
    inside = in_view.well_inside(self.pos, feet, view.yaw[0], view.pitch[0])
    inside &= np.linalg.norm(self.pos - feet, axis=1) < _MISS_METRES
    inside &= ~visible & (self.types > 0)
    free = in_view.unblocked(self.pos, feet, self.pos[visible])
    for slot in np.flatnonzero(inside & free):
      eye = (feet + _EYE)[None]
      free[slot] = navigate.in_sight(ground, eye, self.pos[slot])[0]
    return inside & free

  def _look(self, view: land.WorldView, ground: navigate.Ground) -> None:
    """Records the ground that is in view."""
    eye = view.player_pos[0] + _EYE
    offset = ground.centres - eye[:2]
    bearing = np.arctan2(offset[:, 1], offset[:, 0]) - view.yaw[0]
    near = np.linalg.norm(offset, axis=1) < _SEARCH_METRES
    ahead = np.abs(steering.wrap(bearing)) < constants.FOV_X / 2
    cells = np.flatnonzero(near & ahead & ~self.viewed)
    points = np.concatenate(
      [ground.centres[cells], ground.height[cells, None] + 0.3], axis=1
    )
    self.viewed |= np.linalg.norm(offset, axis=1) < constants.NEAR_METRES
    # Lines of sight are symmetric.
    self.viewed[cells] = navigate.in_sight(ground, points, eye)
