"""Walking of a batch of avatars in flat rooms, one step at a time.

Each choice is the best of a few, and a function of the state alone: there is no
path and no intention. So a network can learn it from the state, and it can also
label states that another player has reached.

N: avatars, S: objects.
"""

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.ways import navigate, steering

_MOVES = np.array([(move, strafe) for move in range(3) for strafe in range(3)])
_AHEAD, _LEFT = _MOVES[:, 0] - 1.0, 1.0 - _MOVES[:, 1]
_AHEAD, _LEFT = (
  x / np.maximum(np.hypot(_AHEAD, _LEFT), 1) for x in (_AHEAD, _LEFT)
)
_STEP = constants.WALK_SPEED * constants.STEP_SECONDS
_TURNS = np.array(constants.TURN_RATES) * constants.STEP_SECONDS
# Numbers of steps after which a move is evaluated.
_HORIZONS = (1.0, 2.5)
# Cost of a metre inside the radius to keep, and of moving at all, in metres.
_RISK_COST = 12.0
_MOVE_COST = 1e-3
# Costs per metre of a path inside the distance to keep, and a little beyond it.
_INSIDE_COST = 40.0
_BESIDE_COST = 4.0
_ROOM_METRES = 0.2
# Smaller errors in pitch are not corrected, radians.
_PITCH_SLACK = 0.5
NO_TURN, _TURN_RIGHT, _TURN_LEFT = 2, 0, 4
_NO_LOOK = constants.NOOP_ACTION[constants.ACTION_HEADS.index("look")]


def turn_to(error: np.ndarray) -> np.ndarray:
  """Returns the turns that leave the least errors in yaw.

  Args:
    error: Wanted yaw minus current yaw, radians, float [N].
  """
  left = np.abs(steering.wrap(error[:, None] - _TURNS))
  return np.argmin(left, axis=1)


def turn_around(last: np.ndarray, right: np.ndarray) -> np.ndarray:
  """Returns fast turns in the direction of the last ones, int [K].

  Args:
    last: The turns taken last, int [K].
    right: Whether to begin to the right instead of the left, bool [K].
  """
  turning = (last == _TURN_LEFT) | (last == _TURN_RIGHT)
  return np.where(turning, last, np.where(right, _TURN_RIGHT, _TURN_LEFT))


def look_to(error: np.ndarray) -> np.ndarray:
  """Returns the looks that leave the least errors in pitch, radians, [N]."""
  change = constants.LOOK_RATE * constants.STEP_SECONDS
  return np.argmin(np.abs(error[:, None] - (np.arange(3) - 1) * change), axis=1)


def level(pitch: np.ndarray) -> np.ndarray:
  """Returns the looks that keep views about as at a trial's start.

  Small errors in pitch are not corrected.

  Args:
    pitch: Pitch of the views, radians, float [N].
  """
  error = constants.START_PITCH - pitch
  return np.where(np.abs(error) < _PITCH_SLACK, _NO_LOOK, look_to(error))


class Ways:
  """The paths of a batch of avatars around objects that they must avoid.

  A path is a function of the avatar's position, the target and the objects. It
  is straight, or else the cheapest path over the cells of the ground, which is
  computed from the target once for all positions.
  """

  def __init__(self, num_envs: int):
    """Initializes the paths of N environments."""
    self._grounds: list[navigate.Ground | None] = [None] * num_envs
    self._paths: list[navigate.Paths | None] = [None] * num_envs
    self._keys = [b""] * num_envs

  def point(
    self,
    view: land.BatchView,
    rows: np.ndarray,
    target: np.ndarray,
    objects: np.ndarray,
    radius: np.ndarray,
  ) -> np.ndarray:
    """Returns the points to walk to: the target or the next point on a path.

    Args:
      view: The state of all environments.
      rows: The environments, int [K].
      target: Vectors from the avatars to the targets, metres, float [K, 2].
      objects: Vectors from the avatars to objects, metres, float [K, S, 2].
      radius: Distance to keep from each, 0 for none, metres, float [K, S].

    Returns:
      Vectors from the avatars, metres, float [K, 2].
    """
    length = np.maximum(steering.lengths(target), 1e-6)
    ahead = target / length[:, None]
    along = np.einsum("nsd,nd->ns", objects, ahead)
    across = objects[..., 0] * ahead[:, 1:] - objects[..., 1] * ahead[:, :1]
    blocks = (radius > 0) & (np.abs(across) < radius + _ROOM_METRES)
    blocks &= (along > 0) & (along < length[:, None])
    uneven = (view.heights[rows] > 0).any(axis=(1, 2))
    points = target.copy()
    for k in np.flatnonzero(blocks.any(axis=1) | uneven):
      here = view.player_pos[rows[k], 0, :2]
      found = self._search(
        view, int(rows[k]), here + target[k], here + objects[k], radius[k]
      )
      if found is not None:
        points[k] = found - here
    return points

  def _search(
    self,
    view: land.BatchView,
    i: int,
    target: np.ndarray,
    objects: np.ndarray,
    radius: np.ndarray,
  ) -> np.ndarray | None:
    """Returns the next point of one avatar's cheapest path."""
    x, y = view.tiles[i]
    ground = navigate.ground_of(view.heights[i, :x, :y], view.ramps[i, :x, :y])
    kept = radius > 0
    places = np.vstack([target[None], objects[kept]]).round(1)
    key = places.tobytes() + radius[kept].tobytes()
    paths = self._paths[i]
    if paths is None or key != self._keys[i] or ground is not self._grounds[i]:
      gaps = steering.lengths(ground.centres[:, None] - objects[kept])
      inside = gaps < radius[kept]
      beside = gaps < radius[kept] + _ROOM_METRES
      cost = (_INSIDE_COST * inside + _BESIDE_COST * beside).sum(axis=1)
      end = np.array([ground.cell_of(target)])
      paths = navigate.find_paths(ground, end, cost)
      self._paths[i], self._keys[i] = paths, key
      self._grounds[i] = ground
    return navigate.next_point(ground, paths, view.player_pos[i, 0, :2])


def detour(
  target: np.ndarray, objects: np.ndarray, radius: np.ndarray
) -> np.ndarray:
  """Returns the points to walk to in order to pass obstacles.

  The detour passes the nearest object whose circle the straight line crosses,
  on the side away from its centre; unlike `Ways`, it looks no further.

  Args:
    target: Vectors from the avatars to the targets, metres, float [N, 2].
    objects: Vectors from the avatars to objects, metres, float [N, S, 2].
    radius: Distance to keep from each, 0 for none, metres, float [N, S].

  Returns:
    Vectors from the avatars, metres, float [N, 2].
  """
  length = np.maximum(steering.lengths(target)[:, None], 1e-6)
  ahead = target / length
  left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1)
  along = np.einsum("nsd,nd->ns", objects, ahead)
  across = np.einsum("nsd,nd->ns", objects, left)
  # The target itself may be inside a circle.
  gap = steering.lengths(objects - target[:, None])
  radius = np.minimum(radius, gap)
  blocks = (np.abs(across) < radius) & (along > 0) & (along < length)
  nearest = np.argmin(np.where(blocks, along, np.inf), axis=1)
  n = np.arange(len(target))
  side = np.where(across[n, nearest] > 0, -1.0, 1.0)
  aside = side * (radius[n, nearest] + _ROOM_METRES)
  beside = objects[n, nearest] + aside[:, None] * left
  return np.where(blocks.any(axis=1)[:, None], beside, target)


def walk_to(
  point: np.ndarray,
  objects: np.ndarray,
  radius: np.ndarray,
  yaw: np.ndarray,
  turn: np.ndarray,
) -> np.ndarray:
  """Returns the moves that come nearest to points but not too near to objects.

  Args:
    point: Vectors from the avatars, metres, float [N, 2].
    objects: Vectors from the avatars to objects, metres, float [N, S, 2].
    radius: Distance to keep from each, 0 for none, metres, float [N, S].
    yaw: Headings, radians, float [N].
    turn: Indices of their turns, which bend the path, int [N].

  Returns:
    Indices of the heads move and strafe, int [N, 2].
  """
  heading = yaw + _TURNS[turn] / 2
  cos, sin = np.cos(heading)[:, None], np.sin(heading)[:, None]
  move = np.stack([cos * _AHEAD - sin * _LEFT, sin * _AHEAD + cos * _LEFT], -1)
  cost = np.zeros((len(point), len(_MOVES)))
  far = steering.lengths(point)[:, None, None]
  for steps in _HORIZONS:
    # Not beyond the point, where there may be obstacles.
    end = move * np.minimum(_STEP * steps, far)  # [N, M, 2]
    cost += steering.lengths(point[:, None] - end)
    gap = steering.lengths(objects[:, None] - end[:, :, None])
    inside = np.maximum(radius[:, None] - gap, 0)  # [N, M, S]
    cost += _RISK_COST * inside.sum(axis=-1)
  cost += _MOVE_COST * np.hypot(_AHEAD, _LEFT)
  return _MOVES[np.argmin(cost, axis=1)]
