"""Walking of a batch of avatars in flat rooms, one step at a time.

Each choice is the best of few, a function of the state alone: there is no path
and no intention, so that a network can learn it from the state, and so that it
says as much about a state to which somebody else has come.

N: avatars, S: objects.
"""

import numpy as np

from adaland.envs import constants
from adaland.envs.expert import steering

_MOVES = np.array([(move, strafe) for move in range(3) for strafe in range(3)])
_AHEAD, _LEFT = _MOVES[:, 0] - 1.0, 1.0 - _MOVES[:, 1]
_AHEAD, _LEFT = (
  x / np.maximum(np.hypot(_AHEAD, _LEFT), 1) for x in (_AHEAD, _LEFT)
)
_STEP = constants.WALK_SPEED * constants.STEP_SECONDS
_TURNS = np.array(constants.TURN_RATES) * constants.STEP_SECONDS
# Steps for which a move is followed, with the weight of the distance left.
_HORIZONS = (1.0, 2.5)
# Cost of a metre inside the radius to keep, and of moving at all, in metres.
_RISK_COST = 12.0
_MOVE_COST = 1e-3
# Metres between an avatar's way and the wall.
_WALL_METRES = 0.35


def turn_to(error: np.ndarray) -> np.ndarray:
  """Returns the turns that leave the least errors in yaw.

  Args:
    error: Wanted yaw minus current yaw, radians, float [N].
  """
  left = np.abs(steering.wrap(error[:, None] - _TURNS))
  return np.argmin(left, axis=1)


def look_to(error: np.ndarray) -> np.ndarray:
  """Returns the looks that leave the least errors in pitch, radians, [N]."""
  change = constants.LOOK_RATE * constants.STEP_SECONDS
  return np.argmin(np.abs(error[:, None] - (np.arange(3) - 1) * change), axis=1)


def way_point(
  target: np.ndarray,
  objects: np.ndarray,
  radius: np.ndarray,
  here: np.ndarray,
  room: np.ndarray,
) -> np.ndarray:
  """Returns the point to walk to: the target, or beside what is in the way.

  Args:
    target: Vectors from the avatars to their targets, metres, float [N, 2].
    objects: Vectors from the avatars to objects, metres, float [N, S, 2].
    radius: Distance to keep from each, 0 for none, metres, float [N, S].
    here: Positions of the avatars, metres, float [N, 2].
    room: Half the size of their rooms, metres, float [N, 2].

  Returns:
    Vectors from the avatars, metres, float [N, 2]. Of two ways around an object
    it is the shorter one, if there is room between the object and the wall.
  """
  length = np.maximum(np.linalg.norm(target, axis=-1), 1e-6)
  ahead = target / length[:, None]
  side = np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1)
  along = np.einsum("nsd,nd->ns", objects, ahead)
  across = np.einsum("nsd,nd->ns", objects, side)
  blocks = (np.abs(across) < radius) & (along > 0) & (along < length[:, None])
  if not blocks.any():
    return target
  rows = np.arange(len(target))
  first = np.argmin(np.where(blocks, along, np.inf), axis=1)
  keep, gap = radius[rows, first], objects[rows, first]
  sign = np.where(across[rows, first] > 0, -1.0, 1.0)
  passing = here + gap + side * (sign * keep)[:, None]
  outside = (np.abs(passing) > room - _WALL_METRES).any(axis=-1)
  sign = np.where(outside, -sign, sign)
  distance = np.maximum(np.linalg.norm(gap, axis=-1), 1e-6)
  angle = np.arctan2(gap[:, 1], gap[:, 0])
  # Along the tangent of the circle around the object.
  angle += sign * np.arcsin(np.minimum(keep / distance, 1))
  tangent = np.stack([np.cos(angle), np.sin(angle)], -1) * distance[:, None]
  return np.where(blocks.any(axis=1)[:, None], tangent, target)


def walk_to(
  point: np.ndarray,
  objects: np.ndarray,
  radius: np.ndarray,
  yaw: np.ndarray,
  turn: np.ndarray,
) -> np.ndarray:
  """Returns the moves that come nearest to points without coming too near.

  Args:
    point: Vectors from the avatars, metres, float [N, 2].
    objects: Vectors from the avatars to objects, metres, float [N, S, 2].
    radius: Distance to keep from each, 0 for none, metres, float [N, S].
    yaw: Headings, radians, float [N].
    turn: Indices of their turns, which bend the way, int [N].

  Returns:
    Indices of the heads move and strafe, int [N, 2].
  """
  heading = yaw + _TURNS[turn] / 2
  cos, sin = np.cos(heading)[:, None], np.sin(heading)[:, None]
  move = np.stack([cos * _AHEAD - sin * _LEFT, sin * _AHEAD + cos * _LEFT], -1)
  cost = np.zeros((len(point), len(_MOVES)))
  for steps in _HORIZONS:
    end = move * (_STEP * steps)  # [N, M, 2]
    cost += np.linalg.norm(point[:, None] - end, axis=-1)
    gap = np.linalg.norm(objects[:, None] - end[:, :, None], axis=-1)
    inside = np.maximum(radius[:, None] - gap, 0)  # [N, M, S]
    cost += _RISK_COST * inside.sum(axis=-1)
  cost += _MOVE_COST * np.hypot(_AHEAD, _LEFT)
  return _MOVES[np.argmin(cost, axis=1)]
