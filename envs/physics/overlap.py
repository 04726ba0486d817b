"""Overlaps of bodies with their true shapes, at given poses.

P: players, S: slots; nodes are numbered players first, as in `base`.
"""

import functools
import threading
from collections.abc import Iterator
from typing import NamedTuple

import mujoco
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.physics import parts

_PLAYER = 0  # In place of a type id.


class Overlap(NamedTuple):
  """Two nodes, and how deeply they overlap.

  Attributes:
    first: The lower node.
    second: The higher node.
    depth: Metres; for separate nodes, their negative distance.
  """

  first: int
  second: int
  depth: float


class Bodies(NamedTuple):
  """Poses of all bodies of a world.

  Attributes:
    slot_types: Type id in each slot, 0 for empty, int [S].
    slot_at: Centres of the objects, float [S, 3].
    slot_quat: Their orientations (w, x, y, z), float [S, 4].
    player_at: Players' feet, float [P, 3].
  """

  slot_types: np.ndarray
  slot_at: np.ndarray
  slot_quat: np.ndarray
  player_at: np.ndarray


def find(bodies: Bodies, least: float) -> Iterator[Overlap]:
  """Yields all overlaps deeper than `least` metres, in the nodes' order.

  Args:
    bodies: The bodies.
    least: Metres; if negative, includes separate nodes closer than `-least`.
  """
  num_players = len(bodies.player_at)
  lift = np.array([0.0, 0.0, constants.AVATAR_HEIGHT / 2])
  centres = np.concatenate([bodies.player_at + lift, bodies.slot_at])
  types = np.concatenate([np.full(num_players, _PLAYER), bodies.slot_types])
  turned = np.tile((1.0, 0.0, 0.0, 0.0), (num_players, 1))
  quats = np.concatenate([turned, bodies.slot_quat])
  radii = np.array([_bounding_radius(int(type_id)) for type_id in types])
  radii[num_players:][bodies.slot_types == 0] = -np.inf  # Near nothing.
  apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
  near = np.triu(apart < radii[:, None] + radii - least, 1)
  for first, second in np.argwhere(near).tolist():
    pair = _Pair.of(int(types[first]), int(types[second]))
    depth = pair.depth(centres[[first, second]], quats[[first, second]])
    if depth > least:
      yield Overlap(first, second, depth)


def _bounding_radius(type_id: int) -> float:
  if type_id == _PLAYER:
    return constants.AVATAR_HEIGHT / 2
  return shapes.shape_of_type(type_id).bounding_radius


class _Pair:
  """Two bodies, in a model that holds nothing else."""

  def __init__(self, first: int, second: int):
    spec = mujoco.MjSpec()
    parts.add_meshes(spec)
    for type_id in (first, second):
      body = spec.worldbody.add_body()
      body.add_freejoint()
      parts.set_mass(body, 1.0, (1.0, 1.0, 1.0))
      geom = body.add_geom()
      radius, half = constants.AVATAR_RADIUS, constants.AVATAR_HEIGHT / 2
      values = parts.geom_values(type_id)
      if type_id == _PLAYER:
        values["type"] = mujoco.mjtGeom.mjGEOM_CAPSULE
        values["size"] = (radius, half - radius, 0.0)
      for name, value in values.items():
        setattr(geom, name, value)
    self._model = spec.compile()
    # Threads share the data: making it takes as long as a hundred depths.
    self._data = mujoco.MjData(self._model)
    self._lock = threading.Lock()

  @classmethod
  @functools.cache
  def of(cls, first: int, second: int) -> "_Pair":
    """Returns the pair of two type ids, cached."""
    return cls(first, second)

  def depth(self, centres: np.ndarray, quats: np.ndarray) -> float:
    """Returns how deeply the two overlap, see `Overlap`.

    Args:
      centres: Their centres, float [2, 3].
      quats: Their orientations, float [2, 4].
    """
    model, data = self._model, self._data
    with self._lock:
      data.qpos[:] = np.concatenate([centres, quats], axis=1).ravel()
      mujoco.mj_kinematics(model, data)
      return -mujoco.mj_geomDistance(model, data, 0, 1, 1.0, None)
