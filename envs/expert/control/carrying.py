"""Carrying an object around corners.

The hand is a spring: an object that hits a wall stays behind and is torn away.
So a step that would move the object into higher ground is replaced by the best
of all moves and turns.
"""

import itertools
import math

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.expert.control import senses
from adaland.envs.expert.ways import steering
from adaland.envs.worlds import terrain

_STEP = constants.WALK_SPEED * constants.STEP_SECONDS
_CHOICES = tuple(itertools.product(range(3), range(3), range(5)))
_AHEAD = np.array([move - 1.0 for move, _, _ in _CHOICES])
_LEFT = np.array([1.0 - strafe for _, strafe, _ in _CHOICES])
_SCALE = _STEP / np.maximum(np.hypot(_AHEAD, _LEFT), 1)
_TURN = constants.STEP_SECONDS * np.array(
  [constants.TURN_RATES[turn] for _, _, turn in _CHOICES]
)
# Fractions of the object's path that must be free, and points around each.
_SHARES = np.array([1 / 3, 2 / 3, 1.0])
_AROUND = np.stack(
  [f(np.linspace(0, 2 * np.pi, 8, endpoint=False)) for f in (np.cos, np.sin)],
  axis=-1,
)
_MAX_RADIUS = 0.3
# Costs in metres: of a blocked point, of a radian off the path, and of each
# metre by which an object that got stuck would lag behind.
_BLOCKED_COST = 0.1
_TURN_COST = 0.15
_STRETCH_COST = 2.0
_SLACK_METRES = 0.45
_HELD_UP_METRES = 0.3


def keep_clear(situation: senses.Situation, offset: np.ndarray) -> None:
  """Changes a step that would move the held object into higher ground.

  Args:
    situation: The state, and the action whose move, strafe and turn are
      changed, if an object is held.
    offset: Vector to the point to walk to, metres, float [2].
  """
  if situation.held < 0:
    return
  action = situation.action
  chosen = _CHOICES.index((action.move, action.strafe, action.turn))
  blocked, stretch = _outlook(situation, np.array([chosen]))
  held_up = _lag(situation) > _HELD_UP_METRES
  if not blocked[0] and not (held_up and stretch[0] > _SLACK_METRES):
    return
  every = np.arange(len(_CHOICES))
  blocked, stretch = _outlook(situation, every)
  far = max(float(np.linalg.norm(offset)), 1e-6)
  wanted = offset * min(1.0, _STEP / far)
  bearing = math.atan2(offset[1], offset[0])
  error = np.abs(steering.wrap(bearing - situation.yaw - _TURN))
  cost = np.linalg.norm(_moved(situation, every) - wanted, axis=-1)
  cost += _BLOCKED_COST * blocked + _TURN_COST * error
  if held_up:
    cost += _STRETCH_COST * np.maximum(stretch - _SLACK_METRES, 0)
  best = _CHOICES[int(np.argmin(cost))]
  action.move, action.strafe, action.turn = best


def _lag(situation: senses.Situation) -> float:
  """Returns how far the held object lags behind the hand, metres."""
  axis = steering.view_axis(situation.yaw, situation.pitch)
  hand = situation.eye + situation.hand * axis
  return float(np.linalg.norm(situation.at(situation.held) - hand))


def _moved(situation: senses.Situation, choices: np.ndarray) -> np.ndarray:
  """Returns the steps of the feet, metres, float [M, 2]."""
  heading = situation.yaw + _TURN[choices] / 2
  cos, sin = np.cos(heading), np.sin(heading)
  ahead, left = _AHEAD[choices], _LEFT[choices]
  step = np.stack([cos * ahead - sin * left, sin * ahead + cos * left], axis=-1)
  return step * _SCALE[choices, None]


def _outlook(
  situation: senses.Situation, choices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Predicts the effect of some choices on the held object.

  Args:
    situation: The state, and the action, from which look and hand are used.
    choices: Indices of moves, strafes and turns, int [M].

  Returns:
    The number of blocked points on the object's path, int [M], and the distance
    from the object's current position to the hand's next one, metres, [M].
  """
  action, ground = situation.action, situation.ground
  pitch = situation.pitch + (action.look - 1) * (
    constants.LOOK_RATE * constants.STEP_SECONDS
  )
  hand = situation.hand + (action.hand - 1) * (
    constants.HAND_RATE * constants.STEP_SECONDS
  )
  hand = max(hand, constants.HAND_MIN_METRES)
  yaw = situation.yaw + _TURN[choices]
  level = hand * math.cos(pitch)
  at = situation.at(situation.held)
  target = np.empty((len(choices), 3))
  target[:, :2] = situation.here[:2] + _moved(situation, choices)
  target[:, :2] += level * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
  target[:, 2] = situation.eye[2] + hand * math.sin(pitch)
  shape = shapes.shape_of_type(situation.type_of(situation.held))
  radius = min(shape.footprint_radius, _MAX_RADIUS)
  way = at + _SHARES[:, None] * (target - at)[:, None]  # [M, 3, 3]
  points = way[:, :, None, :2] + radius * _AROUND  # [M, 3, 8, 2]
  height = terrain.surface_height(ground.heights, ground.ramps, points)
  bottom = np.maximum(way[..., 2], target[:, None, 2]) - shape.centre_height
  blocked = (height > bottom[..., None]).sum(axis=(1, 2))
  return blocked, np.linalg.norm(target - at, axis=-1)
