"""The field of view: objects in it, and points where one would be seen."""

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.ways import steering

# Fraction of the field of view in which an unseen object counts as missing; the
# minimum distance from the eye, and the width of a body in front of it, metres.
_VIEW_SHARE = 0.85
_LEAST_METRES = 0.3
_BLOCKING_METRES = 0.5
_EYE = np.array([0, 0, constants.EYE_HEIGHT])


def visible_slots(view: land.BatchView) -> np.ndarray:
  """Returns the objects that player 1 sees or holds, bool [N, S]."""
  players = view.held.shape[1]
  held = np.arange(view.slot_types.shape[1]) == view.held[:, :1]
  return (view.visible[:, 0, players:] | held) & (view.slot_types > 0)


def well_inside(
  points: np.ndarray, feet: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> np.ndarray:
  """Returns which points are well inside the field of view, bool [..., S].

  Args:
    points: The points, metres, float [..., S, 3].
    feet: The players' positions, metres, float [..., 3].
    yaw: Their headings, radians, float [...].
    pitch: Pitch of their views, radians, float [...].
  """
  offset = points - (feet + _EYE)[..., None, :]
  cos, sin = np.cos(yaw)[..., None], np.sin(yaw)[..., None]
  level = cos * offset[..., 0] + sin * offset[..., 1]
  left = cos * offset[..., 1] - sin * offset[..., 0]
  cos, sin = np.cos(pitch)[..., None], np.sin(pitch)[..., None]
  ahead = cos * level + sin * offset[..., 2]
  up = cos * offset[..., 2] - sin * level
  wide = ahead * _VIEW_SHARE * np.tan(constants.FOV_X / 2)
  high = wide / constants.ASPECT
  return (ahead > _LEAST_METRES) & (np.abs(left) < wide) & (np.abs(up) < high)


def unblocked(
  points: np.ndarray, feet: np.ndarray, bodies: np.ndarray
) -> np.ndarray:
  """Returns which points are not hidden from a player by bodies, bool [S].

  Args:
    points: The points, metres, float [S, 3].
    feet: The player's position, metres, float [3].
    bodies: Centres of the objects in view, metres, float [B, 3].
  """
  line = points - (feet + _EYE)  # [S, 3]
  blocker = bodies - (feet + _EYE)  # [B, 3]
  length = np.maximum(steering.lengths(line)[:, None], 1e-6)
  along = np.maximum(line / length @ blocker.T, 0)  # [S, B]
  nearest = along[..., None] * (line / length)[:, None]
  gap = steering.lengths(nearest - blocker)
  before = along < length - _BLOCKING_METRES
  return ~(before & (gap < _BLOCKING_METRES)).any(axis=1)
