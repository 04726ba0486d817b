"""Walking of one avatar: shortest paths, costs near objects, escapes."""

import math
from collections.abc import Sequence

import numpy as np

from adaland.envs import land
from adaland.envs.expert.control import carrying, senses
from adaland.envs.expert.ways import navigate, steering
from adaland.envs.tasks import symbolic

# Radii around objects, metres, and the extra cost of each metre inside.
_OBSTACLE_RADIUS = 0.55
_OBSTACLE_COST = 2.0
_BULKY_RADIUS = 0.85  # With an object in the hand.
_FROZEN_COST = 60.0  # A frozen object can't be pushed aside.
_HARM_COST = 30.0
_HARM_RADIUS = {"near": 1.3, "touching": 0.75}
# A held object swings around the avatar at about this distance.
_HELD_SWING = 0.9
# Steps after which a path is recomputed even if nothing seems to have changed.
_REFRESH_STEPS = 20
_MOVED_METRES = 0.3
# Steps without progress that count as stuck, and steps to back off.
_STUCK_STEPS = 7
_STUCK_METRES = 0.25
_ESCAPE_STEPS = 4


class Walker:
  """The walking of one avatar, which keeps its path between steps."""

  def __init__(self, rng: np.random.Generator):
    """Initializes the walker; `rng` draws the directions of escapes."""
    self._rng = rng
    self.reset()

  def reset(self) -> None:
    """Forgets the path, at the start of a trial."""
    self._key: object = None
    self._paths: navigate.Paths | None = None
    self._anchor = np.zeros(3)
    self._age = 0
    self._trail: list[np.ndarray] = []
    self._pressed: list[np.ndarray] = []
    self._escape = 0
    self._escape_move = (0, 1)

  def ground(self, view: land.WorldView) -> navigate.Ground:
    """Returns the map of the world."""
    return navigate.ground_of(view.heights, view.ramps)

  def go(
    self,
    situation: senses.Situation,
    key: object,
    anchor: np.ndarray,
    ends: np.ndarray,
    spared: Sequence[int],
    face: float | None = None,
  ) -> bool:
    """Takes one step of the path to a set of cells.

    Args:
      situation: The state, and the action whose move, strafe and turn are set.
      key: Name of the errand; for another key the path is recomputed.
      anchor: Point on which the cells depend; the path is recomputed if it
        moves, float [3].
      ends: Cells to reach, int [K].
      spared: Slots that are not obstacles.
      face: Yaw to turn to while walking; None for the walking direction.

    Returns:
      True if the avatar has arrived; then the action is unchanged.
    """
    ground, action, here = situation.ground, situation.action, situation.here
    cell = ground.cell_of(here[:2])
    if self._escape:
      self._escape -= 1
      action.move, action.strafe = self._escape_move
      return False
    if cell in ends:
      self._trail.clear()
      self._key = None
      return True
    self._pressed.clear()
    moved = np.linalg.norm(anchor - self._anchor) > _MOVED_METRES
    if key != self._key or moved or self._age >= _REFRESH_STEPS:
      cost = penalty(situation, spared)
      self._paths = navigate.find_paths(ground, ends, cost)
      self._key, self._anchor, self._age = key, anchor.copy(), 0
    self._age += 1
    assert self._paths is not None
    point = navigate.next_point(ground, self._paths, here[:2])
    if point is None:
      point = anchor[:2]
    offset = point - here[:2]
    bearing = math.atan2(offset[1], offset[0]) if face is None else face
    error = steering.wrap(bearing - situation.yaw)
    steering.turn_towards(action, error)
    steering.walk_towards(action, offset, situation.yaw)
    carrying.keep_clear(situation, offset)
    self._back_off_if_stuck(self._trail, here)
    return False

  def press(self, here: np.ndarray) -> None:
    """Records a step beyond the path's end, where something may block it."""
    self._back_off_if_stuck(self._pressed, here)

  def _back_off_if_stuck(
    self, trail: list[np.ndarray], here: np.ndarray
  ) -> None:
    """Backs off in a random direction if there is no progress."""
    trail.append(here.copy())
    if len(trail) <= _STUCK_STEPS:
      return
    if np.linalg.norm(here - trail.pop(0)) < _STUCK_METRES:
      trail.clear()
      self._key = None
      self._escape = _ESCAPE_STEPS
      moves = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)]
      self._escape_move = moves[self._rng.integers(len(moves))]


def penalty(situation: senses.Situation, spared: Sequence[int]) -> np.ndarray:
  """Returns the extra cost per metre of walking through each cell, float [C].

  Objects and the other player are obstacles. The cost is higher around frozen
  objects, which can't be pushed aside, and around objects that must not be
  pushed against others. It is higher and extends farther around objects with
  which the avatar, or the object it holds, could make a condition true that it
  must avoid.
  """
  result = np.zeros(len(situation.ground.centres))
  radius = _OBSTACLE_RADIUS if situation.held < 0 else _BULKY_RADIUS
  for slot in np.flatnonzero(situation.view.slot_types):
    if slot == situation.held:
      continue
    offset = situation.ground.centres - situation.at(slot)[:2]
    distance = np.hypot(offset[:, 0], offset[:, 1])
    if slot not in spared:
      cost = _OBSTACLE_COST
      if situation.view.frozen[slot]:
        cost = _FROZEN_COST
      elif _is_delicate(situation, slot):
        cost = _HARM_COST
      result += cost * (distance < radius)
    danger = danger_radius(situation, slot)
    if danger:
      result += _HARM_COST * (distance < danger)
  for feet in situation.view.player_pos[1:]:
    offset = situation.ground.centres - feet[:2]
    distance = np.hypot(offset[:, 0], offset[:, 1])
    result += _OBSTACLE_COST * (distance < radius)
  return result


def _is_delicate(situation: senses.Situation, slot: int) -> bool:
  """Returns True if an object, once pushed, could do harm to another one."""
  kind = situation.type_of(slot)
  return any(
    condition.predicate in _HARM_RADIUS
    and kind in condition.object_types
    and len(condition.object_types) == 2
    for condition in situation.avoid
  )


def danger_radius(situation: senses.Situation, slot: int) -> float:
  """Returns the distance to keep from an object, metres, 0 if harmless."""
  type_id = situation.type_of(slot)
  held_type = situation.type_of(situation.held) if situation.held >= 0 else 0
  radius = 0.0
  for condition in situation.avoid:
    reach = _HARM_RADIUS.get(condition.predicate)
    pair = (condition.a, condition.b)
    if reach is None or type_id not in pair:
      continue
    other = pair[0] if pair[1] == type_id else pair[1]
    if symbolic.is_player(other):
      radius = max(radius, reach)
    elif other == held_type:
      radius = max(radius, reach + _HELD_SWING)
  return radius
