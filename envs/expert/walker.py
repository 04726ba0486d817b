"""Gets one avatar from place to place: ways, costs near objects, escapes."""

import math
from collections.abc import Sequence

import numpy as np

from adaland.envs import land
from adaland.envs.expert import navigate, senses, steering
from adaland.envs.tasks import planner

# Radii in metres around objects, and what each metre inside costs extra.
_OBSTACLE_RADIUS = 0.55
_OBSTACLE_COST = 2.0
_BULKY_RADIUS = 0.85  # With something in the hand.
_HARM_COST = 30.0
_HARM_RADIUS = {"near": 1.3, "touching": 0.75}
# What is held swings around the avatar at about this distance.
_HELD_SWING = 0.9
# A fast turn takes the held object along only if it is close to the body;
# small errors aren't worth one.
_SWING_METRES = 1.0
_SWING_RADIANS = 0.6
# Steps before a way is computed anew although nothing seems to have changed.
_REFRESH_STEPS = 20
_MOVED_METRES = 0.3
# Steps without progress that count as stuck, and how long to back off.
_STUCK_STEPS = 7
_STUCK_METRES = 0.25
_ESCAPE_STEPS = 4


class Walker:
  """Walks one avatar of one environment; remembers ways between steps."""

  def __init__(self, rng: np.random.Generator):
    self._rng = rng
    self._ground: navigate.Ground | None = None
    self._world: tuple[bytes, bytes] | None = None
    self.reset()

  def reset(self) -> None:
    """Forgets the way under way, at the start of a trial."""
    self._key: object = None
    self._way: navigate.Way | None = None
    self._anchor = np.zeros(3)
    self._age = 0
    self._trail: list[np.ndarray] = []
    self._escape = 0
    self._escape_move = (0, 1)

  def ground(self, view: land.WorldView) -> navigate.Ground:
    """The map of the world, made once a world."""
    world = (view.heights.tobytes(), view.ramps.tobytes())
    if self._ground is None or world != self._world:
      self._ground = navigate.make_ground(view.heights, view.ramps)
      self._world = world
    return self._ground

  def go(
    self,
    moment: senses.Moment,
    key: object,
    anchor: np.ndarray,
    ends: np.ndarray,
    spared: Sequence[int],
    face: float | None = None,
  ) -> bool:
    """Takes one step of the way to a set of cells.

    Args:
      moment: Its action gets its move, strafe and turn.
      key: Names the errand; with another key the way is computed anew.
      anchor: Point that the cells depend on; once it has moved, the way is
        computed anew, float [3].
      ends: Cells to reach, int [K].
      spared: Slots that are no obstacles.
      face: Yaw to turn to meanwhile; None for where one walks.

    Returns:
      Whether one is there already; then the action is left alone.
    """
    ground, action, here = moment.ground, moment.action, moment.here
    cell = ground.cell_of(here[:2])
    if cell in ends:
      self._trail.clear()
      self._key = None
      return True
    if self._escape:
      self._escape -= 1
      action.move, action.strafe = self._escape_move
      return False
    moved = np.linalg.norm(anchor - self._anchor) > _MOVED_METRES
    if key != self._key or moved or self._age >= _REFRESH_STEPS:
      cost = penalty(moment, spared)
      self._way = navigate.find_ways(ground, ends, cost)
      self._key, self._anchor, self._age = key, anchor.copy(), 0
    self._age += 1
    assert self._way is not None
    point = navigate.next_point(ground, self._way, here[:2])
    if point is None:
      point = anchor[:2]
    offset = point - here[:2]
    bearing = math.atan2(offset[1], offset[0]) if face is None else face
    error = steering.wrap(bearing - moment.yaw)
    steering.turn_towards(action, error, gentle=_is_loaded(moment, error))
    steering.walk_towards(action, offset, moment.yaw)
    self._notice_stuck(here)
    return False

  def _notice_stuck(self, here: np.ndarray) -> None:
    """Backs off in a random direction when walking leads nowhere."""
    self._trail.append(here.copy())
    if len(self._trail) <= _STUCK_STEPS:
      return
    if np.linalg.norm(here - self._trail.pop(0)) < _STUCK_METRES:
      self._trail.clear()
      self._key = None
      self._escape = _ESCAPE_STEPS
      moves = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)]
      self._escape_move = moves[self._rng.integers(len(moves))]


def penalty(moment: senses.Moment, spared: Sequence[int]) -> np.ndarray:
  """Cost per metre of walking through each cell, float [C].

  Objects are obstacles; those with which the avatar, or what it holds, would
  bring about a condition to avoid are given a wide berth.
  """
  result = np.zeros(len(moment.ground.centres))
  radius = _OBSTACLE_RADIUS if moment.held < 0 else _BULKY_RADIUS
  for slot in np.flatnonzero(moment.view.slot_types):
    if slot == moment.held:
      continue
    offset = moment.ground.centres - moment.at(slot)[:2]
    distance = np.hypot(offset[:, 0], offset[:, 1])
    if slot not in spared:
      result += _OBSTACLE_COST * (distance < radius)
    danger = danger_radius(moment, slot)
    if danger:
      result += _HARM_COST * (distance < danger)
  return result


def danger_radius(moment: senses.Moment, slot: int) -> float:
  """How far to keep from an object, 0 if it is harmless, metres."""
  type_id = moment.type_of(slot)
  held_type = moment.type_of(moment.held) if moment.held >= 0 else 0
  radius = 0.0
  for condition in moment.avoid:
    reach = _HARM_RADIUS.get(condition.predicate)
    pair = (condition.a, condition.b)
    if reach is None or type_id not in pair:
      continue
    other = pair[0] if pair[1] == type_id else pair[1]
    if planner.is_player(other):
      radius = max(radius, reach)
    elif other == held_type:
      radius = max(radius, reach + _HELD_SWING)
  return radius


def _is_loaded(moment: senses.Moment, error: float) -> bool:
  """Whether a fast turn could tear the held object away."""
  if moment.held < 0:
    return False
  return moment.hand > _SWING_METRES or abs(error) < _SWING_RADIANS
