"""Skills that make relations false: keep away, look away, screen, separate."""

import numpy as np

from adaland.envs import constants
from adaland.envs.expert.control import senses, skills, walker
from adaland.envs.expert.control.senses import Situation
from adaland.envs.expert.ways import distances, navigate, steering

# Distance of centres at which a `near` is safely false, and the one to walk to.
_APART_METRES = 1.6
_CLEAR_METRES = 2.8
_NUM_YAWS = 48
_VIEW_MARGIN = 0.1
# A body hides little of an object that is closer to it than this.
_SCREEN_METRES = 0.5
# To squeeze between two objects, the body first goes to a point this far to the
# side of their midpoint. It then walks straight on if it is at most this far
# away, and off the line by at most this distance or this fraction of the way.
_BEGIN_METRES = 0.7
_AHEAD_METRES = 1.2
_OFF_METRES = 0.2
_OFF_SHARE = 0.6

Pairs = list[tuple[int, int]]


class Undoing:
  """Skills of one avatar; each call fills in the action of one step."""

  def __init__(self, walk: walker.Walker, fetching: skills.Skills):
    """Initializes the skills, which use `walk` and `fetching`."""
    self._walker = walk
    self._skills = fetching

  def keep_away(self, situation: Situation, at: np.ndarray) -> None:
    """Walks away from points, metres, float [K, 3]."""
    gaps = np.linalg.norm(at - situation.here, axis=1)
    if np.min(gaps, initial=np.inf) > _APART_METRES:
      return
    ends = senses.clear_cells(situation.ground, at, _CLEAR_METRES)
    self._walker.go(situation, "away", situation.here, ends, [])

  def look_away(self, situation: Situation, at: np.ndarray) -> None:
    """Turns to have the fewest of some points in view, float [K, 3]."""
    if not len(at):
      return
    offset = at - situation.eye
    bearing = np.arctan2(offset[:, 1], offset[:, 0])
    yaws = np.linspace(-np.pi, np.pi, _NUM_YAWS, endpoint=False)
    off = np.abs(steering.wrap(bearing[None] - yaws[:, None]))  # [Y, K]
    in_view = np.sum(off < constants.FOV_X / 2 + _VIEW_MARGIN, axis=1)
    turn = np.abs(steering.wrap(yaws - situation.yaw))
    best = yaws[np.lexsort((turn, in_view))[0]]
    error = steering.wrap(float(best) - situation.yaw)
    steering.turn_towards(situation.action, error)
    if in_view.min() > 0:
      situation.action.look = 2  # Looks over the points left in view.

  def stand_between(self, situation: Situation, pairs: Pairs) -> None:
    """Blocks lines of sight with the body, as many as one position can."""
    ground, at = situation.ground, situation.view.object_pos
    free = [
      (i, j)
      for i, j in pairs
      if navigate.in_sight(ground, at[i][None], at[j])[0]
    ]
    lines = [(at[i, :2], at[j, :2]) for i, j in free]
    gaps = [float(np.linalg.norm(a - b)) for a, b in lines]
    if len(gaps) == 1 and gaps[0] < distances.CLOSE_METRES:
      self._push_between(situation, *lines[0])
      return
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
    if not self._walker.go(situation, "between", at[pairs[0][0]], ends, []):
      return
    # Within the cell, steps onto the nearest line itself.
    here = situation.here[:2]
    feet = [
      a + (b - a) * np.clip((here - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
      for a, b in lines
    ]
    situation.step_towards(
      min(feet, key=lambda foot: float(np.linalg.norm(foot - here)))
    )

  def _push_between(
    self, situation: Situation, a: np.ndarray, b: np.ndarray
  ) -> None:
    """Walks between two points from the side, float [2] each."""
    ground, here = situation.ground, situation.here[:2]
    middle = (a + b) / 2
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
    across = np.array([-along[1], along[0]])
    ahead, off = np.abs((here - middle) @ np.stack([across, along], axis=1))
    if ahead < _AHEAD_METRES and off < max(_OFF_METRES, _OFF_SHARE * ahead):
      situation.step_towards(middle)
      return
    starts = [middle + side * _BEGIN_METRES * across for side in (1, -1)]
    ends = np.array([ground.cell_of(start) for start in starts])
    rise = ground.height[ends] - ground.height[ground.cell_of(middle)]
    level = np.abs(rise) < constants.LEVEL_METRES / 2
    ends = ends[level] if level.any() else ends
    anchor = np.append(middle, situation.here[2])
    if self._walker.go(situation, "push between", anchor, ends, []):
      situation.step_towards(
        min(starts, key=lambda start: float(np.linalg.norm(start - here)))
      )

  def separate(self, situation: Situation, pairs: Pairs) -> None:
    """Carries an object away from those it must not be near."""
    at = situation.view.object_pos
    close = [
      (i, j) for i, j in pairs if np.linalg.norm(at[i] - at[j]) < _APART_METRES
    ]
    slot = self._take_one(situation, close)
    if slot >= 0:
      others = at[_partners(slot, pairs)]
      ends = senses.clear_cells(situation.ground, others, _CLEAR_METRES)
      self._walker.go(situation, ("apart", slot), situation.here, ends, [slot])

  def hide(self, situation: Situation, pairs: Pairs) -> None:
    """Carries an object to ground that those it must not see don't see.

    If there is no such ground, carries it far enough away to stand between.
    """
    ground, at = situation.ground, situation.view.object_pos
    slot = self._take_one(situation, pairs)
    if slot < 0:
      return
    others = at[_partners(slot, pairs)]
    places = np.append(
      ground.centres, ground.height[:, None] + constants.EYE_HEIGHT, axis=1
    )
    seen = [navigate.in_sight(ground, places, other) for other in others]
    ends = np.flatnonzero(~np.any(seen, axis=0))
    if not len(ends):
      ends = senses.clear_cells(ground, others, _CLEAR_METRES)
    self._walker.go(situation, ("hide", slot), situation.here, ends, [slot])

  def _take_one(self, situation: Situation, pairs: Pairs) -> int:
    """Fetches an object of some pairs; returns the held slot, -1 until then."""
    frozen = situation.view.frozen
    movable = {slot for pair in pairs for slot in pair if not frozen[slot]}
    if situation.held in movable:
      self._skills.fetch(situation, situation.held)
      return situation.held
    if movable:
      self._skills.fetch(situation, min(movable, key=situation.eye_distance))
    return -1


def _partners(slot: int, pairs: Pairs) -> list[int]:
  """Returns the slots that some pairs combine with one."""
  return [j if i == slot else i for i, j in pairs if slot in (i, j)]
