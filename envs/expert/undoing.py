"""Making relations false: keep away, look away, screen, separate."""

import numpy as np

from adaland.envs import constants
from adaland.envs.expert import navigate, senses, skills, steering, walker
from adaland.envs.expert.senses import Moment

# Distance of centres at which a `near` is safely undone, and how much farther
# one goes.
_APART_METRES = 1.6
_CLEAR_METRES = 2.8
_NUM_YAWS = 48
_VIEW_MARGIN = 0.1
# A body hides little of what is closer to it than this.
_SCREEN_METRES = 0.5

Pairs = list[tuple[int, int]]


class Undoing:
  """What one avatar can undo; each call fills in one step's action."""

  def __init__(self, walker_: walker.Walker, skills_: skills.Skills):
    self._walker = walker_
    self._skills = skills_

  def keep_away(self, moment: Moment, slots: list[int]) -> None:
    """Stands far from some objects."""
    at = moment.view.object_pos[slots]
    if not slots or (
      np.min(np.linalg.norm(at - moment.here, axis=1)) > _APART_METRES
    ):
      return
    ends = senses.clear_cells(moment.ground, at, _CLEAR_METRES)
    self._walker.go(moment, "away", moment.here, ends, [])

  def look_away(self, moment: Moment, slots: list[int]) -> None:
    """Turns to where the fewest of some objects are in view."""
    if not slots:
      return
    offset = moment.view.object_pos[slots] - moment.eye
    bearing = np.arctan2(offset[:, 1], offset[:, 0])
    yaws = np.linspace(-np.pi, np.pi, _NUM_YAWS, endpoint=False)
    off = np.abs(steering.wrap(bearing[None] - yaws[:, None]))  # [Y, K]
    in_view = np.sum(off < constants.FOV_X / 2 + _VIEW_MARGIN, axis=1)
    turn = np.abs(steering.wrap(yaws - moment.yaw))
    best = yaws[np.lexsort((turn, in_view))[0]]
    error = steering.wrap(float(best) - moment.yaw)
    steering.turn_towards(moment.action, error)
    if in_view.min() > 0:
      moment.action.look = 2  # What can't be turned from may be looked over.

  def stand_between(self, moment: Moment, pairs: Pairs) -> None:
    """Blocks lines of sight with the body: as many as one place can."""
    ground, at = moment.ground, moment.view.object_pos
    lines = [
      (at[i, :2], at[j, :2])
      for i, j in pairs
      if navigate.in_sight(ground, at[i][None], at[j])[0]
    ]
    blocked = np.zeros(len(ground.centres), int)
    for a, b in lines:
      length = max(float(np.linalg.norm(b - a)), 1e-6)
      along = (b - a) / length
      offset = ground.centres - a
      share = offset @ along
      across = np.abs(offset @ np.array([-along[1], along[0]]))
      between = (share > _SCREEN_METRES) & (share < length - _SCREEN_METRES)
      blocked += between & (across < 0.75 * navigate.CELL_METRES)
    if not blocked.any():
      return
    ends = np.flatnonzero(blocked == blocked.max())
    if not self._walker.go(moment, "between", at[pairs[0][0]], ends, []):
      return
    # Inside the cell, onto the nearest line itself.
    here = moment.here[:2]
    feet = [
      a + (b - a) * np.clip((here - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
      for a, b in lines
    ]
    moment.step_towards(
      min(feet, key=lambda foot: float(np.linalg.norm(foot - here)))
    )

  def separate(self, moment: Moment, pairs: Pairs) -> None:
    """Carries an object away from those it shall be apart from."""
    at = moment.view.object_pos
    close = {
      slot
      for i, j in pairs
      if np.linalg.norm(at[i] - at[j]) < _APART_METRES
      for slot in (i, j)
      if not moment.view.frozen[slot]
    }
    if not close:
      return
    if moment.held not in close:
      self._skills.fetch(moment, min(close, key=moment.eye_distance))
      return
    slot = moment.held
    others = [j if i == slot else i for i, j in pairs if slot in (i, j)]
    if self._skills.fetch(moment, slot):
      ends = senses.clear_cells(moment.ground, at[others], _CLEAR_METRES)
      self._walker.go(moment, ("apart", slot), moment.here, ends, [slot])
