"""The choices of an explorer where objects may have to be carried to places."""

from typing import NamedTuple

import numpy as np

from adaland.envs.expert.exploring import notes

# More than any way in a room.
_UNSEEN_METRES = 100.0


class Errand(NamedTuple):
  """An object to go to, and the one to which it is to be carried.

  Attributes:
    slot: The object's slot.
    place: The slot of the other, -1 if coming near the object is enough.
  """

  slot: int
  place: int = -1

  def target(self, held: int) -> int:
    """Returns the slot to go to, with the slot `held` in the hand."""
    return self.place if held == self.slot and self.place >= 0 else self.slot


def choose(
  own: notes.Notes,
  i: int,
  goal: int,
  here: np.ndarray,
  held: int,
  in_view: np.ndarray | None = None,
) -> Errand | None:
  """Returns the errand of one environment's player, None if there is none.

  It makes the goal's object if it knows how, else what can be made of that by
  a contact that is not yet tried: of several, the one with the shortest way.

  Args:
    own: The notes.
    i: The environment.
    goal: Type of the goal's object, which is not there.
    here: The player's position, metres, float [3].
    held: The slot in its hand, -1 for none.
    in_view: Objects in view, bool [S], if its choice is to follow from what it
      sees now: it goes to the nearest object, in view if there is one, and with
      that in its hand to the nearest place.
  """
  types, at = own.types[i], own.pos[i]
  touch, pair = own.touch[i], own.pair[i]
  present = np.flatnonzero(types > 0)
  places = [int(s) for s in present if own.frozen[i, s]]
  movable = [int(s) for s in present if not own.frozen[i, s]]

  def way(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.hypot(*(a - b)[:2]))

  def effort(errand: Errand) -> float:
    """Returns the metres of an errand, 0 for what is in the hand."""
    s, place = errand
    if in_view is None:
      start = 0.0 if s == held else way(at[s], here)
      return start if place < 0 else start + way(at[s], at[place])
    target = errand.target(held)
    unseen = (not in_view[target]) - 2 * (s == held)
    return way(at[target], here) + _UNSEEN_METRES * unseen

  known: list[tuple[float, Errand]] = []
  new: list[tuple[float, Errand]] = []
  for s in movable:
    kind = types[s]
    if touch[kind] == notes.UNTRIED and kind == own.home_types[i, s]:
      new.append((effort(Errand(s)), Errand(s)))
      continue
    if touch[kind] == notes.VANISHES:
      continue
    # By itself, or as the type that it turns into.
    turns = touch[kind] > 0
    made = touch[kind] if turns else kind
    for place in places:
      result = pair[made, types[place]]
      errand = Errand(s) if turns else Errand(s, place)
      if result == goal:
        known.append((effort(errand), errand))
      elif result == notes.UNTRIED:
        new.append((effort(errand), errand))
  options = known or new
  return min(options, key=lambda option: option[0])[1] if options else None
