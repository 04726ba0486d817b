"""Bodies of one environment's state, for laws about positions."""

from collections.abc import Collection

import numpy as np

from adaland.envs import constants, land, shapes
from adaland.envs.physics import overlap


def of(
  view: land.BatchView, env: int, types: Collection[int] | None = None
) -> overlap.Bodies:
  """Returns the bodies of an environment, or only objects of some types.

  Args:
    view: The state of the batch.
    env: The environment.
    types: Type ids of the objects that count; None for all.
  """
  slot_types = view.slot_types[env]
  if types is not None:
    slot_types = np.where(np.isin(slot_types, list(types)), slot_types, 0)
  return overlap.Bodies(
    slot_types=slot_types,
    slot_at=view.object_pos[env],
    slot_quat=view.object_quat[env],
    player_at=view.player_pos[env],
  )


def centres(view: land.BatchView, env: int) -> np.ndarray:
  """Returns the centres of all nodes of an environment, [P+S, 3]."""
  lift = (0.0, 0.0, constants.AVATAR_HEIGHT / 2)
  return np.concatenate([view.player_pos[env] + lift, view.object_pos[env]])


def surface_points(view: land.BatchView, env: int, slot: int) -> np.ndarray:
  """Returns points on an object's surface, its lowest included, [n, 3]."""
  shape = shapes.shape_of_type(int(view.slot_types[env, slot]))
  at = view.object_pos[env, slot].astype(float)
  if shape.form == "ball":
    return at[None] - (0.0, 0.0, shape.half_extents[0])
  x, y, z = shape.half_extents
  grid = np.array(
    [(i, j) for i in (-1.0, 0.0, 1.0) for j in (-1.0, 0.0, 1.0)]
  ) * (x, y)
  bottom = np.column_stack([grid, np.full(len(grid), -shape.centre_height)])
  if shape.form == "mesh":
    corners = np.array(shape.corners)
    between = (corners[:, None] + corners) / 2
    points = between.reshape(-1, 3)  # The corners themselves too.
  else:
    up = np.array([0.0, 0.0, z])
    points = np.concatenate([bottom, bottom + up, bottom + 2 * up])
  return at + points @ _rotation(view.object_quat[env, slot]).T


def _rotation(quat: np.ndarray) -> np.ndarray:
  """Returns the rotation matrix of a unit quaternion (w, x, y, z)."""
  w, x, y, z = (float(part) for part in quat)
  return np.array(
    [
      [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
      [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
      [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
  )
