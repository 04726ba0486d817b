"""An explorer's choices in tasks where objects may be carried to places."""

from typing import NamedTuple

import numpy as np

from adaland.envs.expert.exploring import notes

# Longer than any way in a room.
_UNSEEN_METRES = 100.0


class Errand(NamedTuple):
  """An object to go to, and the object to which to carry it.

  Attributes:
    slot: The object's slot.
    place: The other object's slot; -1 if going near the first one is enough.
  """

  slot: int
  place: int = -1

  def target(self, held: int) -> int:
    """Returns the slot to go to while `held` is in the hand."""
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

  The player makes the goal's object if it knows how; otherwise it tries a
  contact that is not yet tried. Among several errands it chooses the shortest.

  Args:
    own: The notes.
    i: The environment.
    goal: Type of the goal's object, which is not present.
    here: The player's position, metres, float [3].
    held: The slot in its hand, -1 for none.
    in_view: Objects in view, bool [S], if the choice must follow from what the
      player sees now: it goes to the nearest object, preferably in view, and
      with that object in its hand to the nearest place.
  """
  types, at = own.types[i], own.pos[i]
  touch, pair = own.touch[i], own.pair[i]
  present = np.flatnonzero(types > 0)
  places = [int(s) for s in present if own.frozen[i, s]]
  movable = [int(s) for s in present if not own.frozen[i, s]]

  def way(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.hypot(*(a - b)[:2]))

  def effort(errand: Errand) -> float:
    """Returns the metres of an errand; a held object costs nothing."""
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
    # The object itself, or the type that it turns into.
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
