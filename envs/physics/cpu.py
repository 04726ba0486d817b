"""Physics on CPU cores: one MuJoCo simulation per environment.

N: environments, P: players, S: slots, R: rays.
"""

from collections.abc import Sequence
from typing import Any, Final

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs import constants, shapes
from adaland.envs.physics import (
  base,
  cpu_arrays,
  cpu_contacts,
  cpu_grips,
  cpu_guests,
  cpu_rays,
  driving,
  mjcf,
  models,
  parts,
)

# Capacity for terrain: enough for nearly all generated worlds.
_BOXES: Final = 32
_RAMPS: Final = 20
# Centres of objects in contact are closer than this.
_NEIGHBOURS_METRES: Final = 0.02 + 2 * max(
  shape.bounding_radius for shape in shapes.SHAPE_TABLE
)
_NO_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_NONE)


class CpuPhysics:
  """A batch of worlds on `mujoco.batch`, with one model per world.

  Attributes:
    batch: The stepped batch, for measurements and rendering.
    substeps: Number of simulation steps in a step.
  """

  batch: mujoco_batch.Batch
  substeps = parts.SUBSTEPS

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int = 1,
    num_threads: int | None = None,
    capacity: mjcf.Capacity | None = None,
  ):
    """Initializes empty flat worlds.

    Args:
      num_envs: Number of worlds, from 1.
      num_slots: Number of object slots in a world, from 1.
      num_players: Number of players in a world, 1 or 2.
      num_threads: Number of simulation threads; None for all cores.
      capacity: Sizes of the models; None for those of generated worlds.
    """
    base.check_sizes(num_envs, num_slots, num_players)
    if num_threads is not None and num_threads < 1:
      raise ValueError(f"num_threads is {num_threads}, allowed: 1 or more")
    N, P, S = num_envs, num_players, num_slots
    self.num_envs = N
    self.num_slots = S
    self.num_players = P
    self._threads = num_threads or 0
    self._yaw = np.zeros((N, P))
    self._fresh = np.zeros(N, bool)  # In the start state, except for yaw.
    self._standing = driving.Standing(N, P)
    capacity = capacity or mjcf.Capacity(S, P, _BOXES, _RAMPS)
    self._worlds = models.Models(N, capacity)
    self._guests = cpu_guests.Guests(
      lambda larger: CpuPhysics(1, S, P, 1, larger)
    )
    self._make_batch()
    self._grips = cpu_grips.Grips(self._worlds, self._arrays, self._wake)
    self._contacts = cpu_contacts.Contacts(self._worlds, self.batch)
    self._restart(np.arange(N))

  def load(self, env_ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """Replaces the worlds of some environments and puts them at the start.

    Raises:
      ValueError: If a scene's sizes differ from this batch's.
    """
    env_ids = np.asarray(env_ids, int)
    capacity = self._worlds.capacity
    scenes = [base.Scene(*map(np.array, scene)) for scene in scenes]
    for scene in scenes:
      models.check(scene, capacity)
    for env, scene in zip(env_ids.tolist(), scenes, strict=True):
      needed = capacity.including(*models.needed([scene]))
      if needed == capacity:
        self._guests.drop(env)
      else:
        self._guests.load(env, scene, needed)
        scene = base.empty_scene(self.num_slots, self.num_players)
      self._worlds.load(env, scene)
    self.batch.set_models(self._worlds.models)
    self._yaw[env_ids] = 0.0
    self._restart(env_ids)

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Resets environments to their scenes' start; yaw is [len(ids), P]."""
    env_ids = np.asarray(env_ids, int)
    self._guests.restore(env_ids, yaw)
    self._yaw[env_ids] = yaw
    moved = env_ids[~self._fresh[env_ids]]
    for env in moved:
      self._worlds.restore(env)
    self._restart(moved)

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """Changes the objects in slots; see `base.Physics`.

    Args:
      env_ids: Environment of each change, int [C].
      slots: Slot of each change, int [C]; no slot of an environment twice.
      types: New type id, 0 to empty the slot, int [C].
      positions: Centre of the new object, float [C, 3].
    """
    env_ids, slots = np.asarray(env_ids, int), np.asarray(slots, int)
    types, positions = np.asarray(types, int), np.asarray(positions)
    self._guests.set_slots(env_ids, slots, types, positions)
    own = ~self._guests.which(env_ids)
    env_ids, slots, types = env_ids[own], slots[own], types[own]
    positions = positions[own]
    if not env_ids.size:
      return
    at = np.where((types > 0)[:, None], positions, parts.PARKING)  # [C, 3]
    stirs = self._disturbs(env_ids, slots) | self._drowsy(env_ids, slots)
    disturbed = np.unique(env_ids[stirs])
    changed = np.unique(env_ids)
    self._fresh[changed] = False
    for env in changed:
      rows = np.flatnonzero(env_ids == env)
      self._worlds.set_slots(env, slots[rows], types[rows], at[rows])
    self._grips.drop(env_ids, slots)
    self._arrays.rest_slots(env_ids, slots, at)
    self._wake(disturbed)
    self._contacts.sense(changed)

  def step(self, control: base.AvatarControl) -> None:
    """Simulates STEP_SECONDS."""
    self._fresh[:] = False
    self._yaw += constants.STEP_SECONDS * control.turn
    self._grips.change(np.asarray(control.held))
    arrays = self._arrays
    players = self._standing.velocity(
      control.velocity, arrays.player_pos[..., :2]
    )
    hands = driving.hand_velocity(
      control.hand_at, arrays.hand_pos, self._grips.held >= 0
    )
    arrays.drive(players, hands)
    self.simulate()
    self._guests.step(control)

  def simulate(self) -> None:
    """Runs the substeps of a step; a separate method for measuring time."""
    self._contacts.simulate(self.substeps)

  def state(self) -> base.PhysicsState:
    """Returns the current poses and contacts."""
    N, P, S = self.num_envs, self.num_players, self.num_slots
    turns = np.round(self._yaw / (2 * np.pi))
    positions = self._arrays.qpos.astype(np.float32)  # Cast once for all.
    objects = positions[:, 6 * P :].reshape(N, S, 7)
    state = base.PhysicsState(
      object_pos=objects[..., :3],
      object_quat=objects[..., 3:],
      player_pos=positions[:, : 3 * P].reshape(N, P, 3),
      player_yaw=(self._yaw - 2 * np.pi * turns).astype(np.float32),
      touching=self._contacts.touching(),
    )
    self._guests.write_state(state)
    return state

  def shared_state(self) -> base.PhysicsState:
    """Returns the current poses and contacts, which JAX takes from the host."""
    return self.state()

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
    env_ids: np.ndarray | None = None,
  ) -> base.RayHits:
    """Casts rays; see `base.Physics` for the arguments."""
    hits = cpu_rays.cast(
      self.batch, self._worlds, origins, directions, exclude, normals, env_ids
    )
    ids = np.arange(self.num_envs) if env_ids is None else env_ids
    rays = (origins, directions, exclude)
    self._guests.write_rays(hits, ids, rays, normals)
    return hits

  def settle(self) -> None:
    """Drops the state of MuJoCo that `save_state` leaves out.

    MuJoCo keeps more than its integration state, and offers no way to restore
    the rest: which trees sleep, how long the others have been at rest, and the
    latest results. Sleeping objects wake up; this moves nothing, and objects at
    rest soon sleep again.
    """
    everywhere = np.arange(self.num_envs)
    self._wake(everywhere)
    self._contacts.sense(everywhere)
    self._guests.settle()

  def save_state(self) -> dict[str, Any]:
    """Returns the complete state, right after `settle`, as arrays."""
    return {
      "guests": self._guests.save_state(),
      "state": self.batch.state.copy(),
      **self._worlds.save_changes(),
      **{name: array.copy() for name, array in self._own_state().items()},
    }

  def load_state(self, saved: dict[str, Any]) -> None:
    """Restores a state, bit for bit as `settle` left the saved batch.

    Args:
      saved: Returned by `save_state` of a batch of the same sizes; its scenes
        must be loaded already.
    """
    self._guests.load_state(saved["guests"])
    self.batch.state[:] = saved["state"]
    self._worlds.load_changes(saved, self._arrays.slot_poses[..., :3].copy())
    for name, array in self._own_state().items():
      array[:] = saved[name]
    self.settle()

  def _own_state(self) -> dict[str, np.ndarray]:
    """Returns the state that MuJoCo does not keep, a row per environment."""
    return {
      "yaw": self._yaw,
      "held": self._grips.held,
      "fresh": self._fresh,
      "place": self._standing.anchor,
      "stood": self._standing.stood,
    }

  def _make_batch(self) -> None:
    """Makes a batch of the current models, and views of its arrays."""
    worlds = self._worlds
    self.batch = mujoco_batch.Batch(
      worlds.models[0], self.num_envs, self._threads, persistent=True
    )
    self.batch.set_models(worlds.models)
    self._arrays = cpu_arrays.BatchArrays(
      self.batch, worlds.capacity, worlds.layout
    )

  def _disturbs(self, env_ids: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Returns the changing slots on which other objects may rest, bool [C].

    An object that rested on one that is gone must fall.
    """
    poses = self._arrays.slot_poses[env_ids, :, :3]  # [C, S, 3]
    rows = np.arange(len(slots))
    away = np.linalg.norm(poses - poses[rows, slots][:, None], axis=-1)
    near = (away < _NEIGHBOURS_METRES) & self._worlds.free[env_ids]
    near &= self._arrays.rest[env_ids] > cpu_arrays.MOVING
    near[rows, slots] = False
    return near.any(axis=1)

  def _drowsy(self, env_ids: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Returns the changing slots that are about to sleep, bool [C].

    An object that appears there would fall asleep in mid-air, in the substep in
    which it starts to fall.
    """
    rest = self._arrays.rest[env_ids, slots]
    return (rest > cpu_arrays.MOVING) & (rest < 0)

  def _wake(self, env_ids: np.ndarray) -> None:
    """Wakes all objects of some environments, which must be ascending."""
    if not env_ids.size:
      return
    state = self.batch.state[env_ids]
    self.batch.reset(env_ids, stage=_NO_STAGE)
    self.batch.state[env_ids] = state

  def _restart(self, env_ids: np.ndarray) -> None:
    """Resets environments to the start poses in their models."""
    if not len(env_ids):
      return
    ids = np.sort(env_ids)
    self.batch.reset(ids, stage=_NO_STAGE)
    feet = [self._worlds.scenes[env].player_at for env in ids]
    self._arrays.player_pos[ids] = np.reshape(feet, (-1, self.num_players, 3))
    self._grips.forget(ids)
    self._standing.forget(ids)
    self._fresh[ids] = True
    self._contacts.sense(ids)
