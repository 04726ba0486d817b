"""Worlds of a batch whose terrain has more pieces than its models.

N: environments, P: players, S: slots, R: rays, C: changes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adaland.envs.physics import base, mjcf


class Guests:
  """Separate physics for environments with large terrain.

  All models of a batch have the same number of pieces, and raising it would
  wake the other worlds, which would then move slightly differently.
  """

  def __init__(self, make: Callable[[mjcf.Capacity], Any]):
    """Initializes without guests.

    Args:
      make: Makes the physics of one world for a capacity.
    """
    self._make = make
    self._physics: dict[int, Any] = {}

  def load(self, env: int, scene: base.Scene, capacity: mjcf.Capacity) -> None:
    """Loads the scene of an environment, which becomes a guest."""
    self._physics[env] = self._make(capacity)
    self._physics[env].load(np.array([0]), [scene])

  def drop(self, env: int) -> None:
    """Removes an environment, if it is a guest."""
    self._physics.pop(env, None)

  def which(self, env_ids: np.ndarray) -> np.ndarray:
    """Returns which environments are guests, bool [C]."""
    return np.array([env in self._physics for env in env_ids.tolist()], bool)

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Resets the guests among environments to their scenes' start."""
    for row, physics in self._rows(env_ids):
      physics.restore(np.array([0]), yaw[row : row + 1])

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """Changes the objects in slots of guests; others' changes are ignored."""
    for env, physics in self._physics.items():
      rows = np.flatnonzero(env_ids == env)
      physics.set_slots(
        np.zeros(len(rows), int), slots[rows], types[rows], positions[rows]
      )

  def step(self, control: base.AvatarControl) -> None:
    """Simulates a step; controls are those of all environments."""
    for env, physics in self._physics.items():
      own = (np.asarray(field)[env : env + 1] for field in control)
      physics.step(base.AvatarControl(*own))

  def settle(self) -> None:
    """Drops the state of MuJoCo that `save_state` leaves out."""
    for physics in self._physics.values():
      physics.settle()

  def write_state(self, state: base.PhysicsState) -> None:
    """Writes the guests' rows of the state of all environments."""
    for env, physics in self._physics.items():
      for array, own in zip(state, physics.state(), strict=True):
        array[env] = own[0]

  def write_rays(
    self,
    hits: base.RayHits,
    env_ids: np.ndarray,
    rays: tuple[np.ndarray, np.ndarray, np.ndarray],
    normals: bool,
  ) -> None:
    """Writes the guests' rows of the hits of rays.

    Args:
      hits: The hits.
      env_ids: Environments of the rows, int [N].
      rays: Origins, directions and excluded nodes, [N, R, ...].
      normals: Whether to write normals.
    """
    for row, physics in self._rows(env_ids):
      own = (np.asarray(part)[row : row + 1] for part in rays)
      found = physics.rays(*own, normals=normals)
      for array, value in zip(hits[: 2 + normals], found, strict=False):
        array[row] = value[0]

  def save_state(self) -> dict[str, Any]:
    """Returns the states by environment, right after `settle`."""
    return {str(env): each.save_state() for env, each in self._physics.items()}

  def load_state(self, saved: dict[str, Any]) -> None:
    """Restores a state from `save_state`; scenes must be loaded already."""
    for env, physics in self._physics.items():
      physics.load_state(saved[str(env)])

  def _rows(self, env_ids: np.ndarray) -> Iterator[tuple[int, Any]]:
    """Yields the rows of guests, and their physics."""
    for row, env in enumerate(np.asarray(env_ids).tolist()):
      if env in self._physics:
        yield row, self._physics[env]
