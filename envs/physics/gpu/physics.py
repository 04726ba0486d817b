"""Physics on an accelerator: one MJWarp simulation of all environments.

Worlds differ in rows of the batched model and in the state, both of which stay
on the device (see `worlds`). A step is one CUDA graph: controls are converted
to drives, then come the substeps with their contacts, then kinematics. It also
runs on Warp's CPU device, slowly, so that it can be tested anywhere.

Only results in NumPy arrays, and a `load` that raises the capacity for
terrain, wait for the device.

N: environments, W: worlds (at least two), P: players, S: slots, R: rays.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import warp as wp

from adaland.envs.physics import base, parts
from adaland.envs.physics.gpu import arrays, batch, motion, preparation, rays

# Warp would print a line per kernel to stdout, where commands print results.
wp.config.log_level = wp.LOG_ERROR


class GpuPhysics:
  """A batch of worlds in `mujoco_warp`.

  Attributes:
    device: Warp's device.
    substeps: Number of simulation steps in a step.
  """

  substeps = parts.SUBSTEPS

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int = 1,
    device: str = "cuda",
  ):
    """Initializes empty flat worlds.

    Args:
      num_envs: Number of worlds, from 1.
      num_slots: Number of object slots in a world, from 1.
      num_players: Number of players in a world, 1 or 2.
      device: "cuda", or "cpu" to try it out without an accelerator.
    """
    base.check_sizes(num_envs, num_slots, num_players)
    P, S = num_players, num_slots
    self.num_envs = num_envs
    self.num_slots = S
    self.num_players = P
    self.device = wp.get_device(device)
    self._exchange = arrays.Exchange(self.device)
    with wp.ScopedDevice(self.device):
      self._batch = batch.GpuBatch(num_envs, S, P, self.device, self._exchange)
      self._motion = motion.GpuMotion(self._batch, P, S)
      W = self._batch.num_worlds
      self._all_worlds = wp.array(np.arange(W, dtype=np.int32), dtype=int)

  @property
  def model(self) -> Any:
    """MJWarp's model, for measurements."""
    return self._batch.model

  @property
  def data(self) -> Any:
    """MJWarp's data, for measurements and tests."""
    return self._batch.data

  def load(
    self,
    env_ids: np.ndarray,
    scenes: Sequence[base.Scene | preparation.PreparedScene],
  ) -> None:
    """Replaces the worlds of some environments and puts them at the start.

    A terrain with more pieces than the current capacity raises the capacity of
    all worlds, and the step is recorded again.

    Args:
      env_ids: The environments, int [C].
      scenes: Their scenes, which may be prepared by `preparation.prepare`.

    Raises:
      ValueError: If a scene's sizes differ from this batch's.
    """
    prepared = [self._batch.prepared(scene) for scene in scenes]
    if not prepared:
      return
    with wp.ScopedDevice(self.device):
      if self._batch.load(np.asarray(env_ids, int), prepared):
        self._motion.invalidate_graph()
    self._motion.invalidate_results()

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Resets environments to their scenes' start; yaw is [len(ids), P]."""
    restored = np.zeros(self._batch.num_worlds, bool)
    restored[env_ids] = True
    start_yaw = np.zeros((len(restored), self.num_players), np.float32)
    start_yaw[env_ids] = yaw
    with wp.ScopedDevice(self.device):
      self._batch.restore(restored, start_yaw)
    self._motion.invalidate_results()

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
    if not np.size(env_ids):
      return
    shape = (self.num_envs, self.num_slots)
    changed = np.zeros(shape, bool)
    all_types = np.zeros(shape, np.int32)
    at = np.zeros((*shape, 3), np.float32)
    changed[env_ids, slots] = True
    all_types[env_ids, slots] = types
    at[env_ids, slots] = positions
    self.set_slots_where(changed, all_types, at)

  def set_slots_where(self, changed: Any, types: Any, positions: Any) -> None:
    """Changes the objects in slots; see `base.DevicePhysics`."""
    with wp.ScopedDevice(self.device):
      self._batch.set_slots(changed, types, positions)
    self._motion.invalidate_results()

  def step(self, control: base.AvatarControl) -> None:
    """Simulates STEP_SECONDS."""
    with wp.ScopedDevice(self.device):
      for target, value in zip(self._motion.controls, control, strict=True):
        taken = self._exchange.take(value, target.dtype)
        wp.copy(target, taken, count=taken.size)
    self.simulate()

  def simulate(self) -> None:
    """Runs a step with the last controls; a separate method for timing."""
    with wp.ScopedDevice(self.device):
      self._motion.step()

  def wait(self) -> None:
    """Waits until the device has finished all its work."""
    wp.synchronize_device(self.device)

  def state(self) -> base.PhysicsState:
    """Returns the current poses and contacts."""
    return base.PhysicsState(*map(np.asarray, self.shared_state()))

  def shared_state(self) -> base.PhysicsState:
    """Returns the current poses and contacts as JAX arrays on the device."""
    with wp.ScopedDevice(self.device):
      self._motion.find_poses()
      self._motion.find_contacts()
      pos, quat, feet, yaw, touching = self._given(
        *self._motion.poses, self._batch.yaw, self._batch.slots.touching
      )
    return base.PhysicsState(
      object_pos=pos,
      object_quat=quat,
      player_pos=feet,
      player_yaw=yaw,
      touching=touching,
    )

  def poses(self) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the current poses; see `base.DevicePhysics`."""
    with wp.ScopedDevice(self.device):
      self._motion.find_poses()
      pos, _, feet = self._motion.poses
      pos, feet, yaw = self._given(pos, feet, self._batch.yaw)
    return pos, feet, yaw

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
    env_ids: np.ndarray | None = None,
  ) -> base.RayHits:
    """Casts rays; see `base.Physics` for the arguments.

    Returns:
      NumPy arrays; if the rays are JAX arrays, JAX arrays on the same device.
    """
    with wp.ScopedDevice(self.device):
      ids = self._all_worlds
      if env_ids is not None:
        ids = self._exchange.take(np.asarray(env_ids), int)
      distance, node, normal = self._cast(
        ids, origins, directions, exclude, None
      )
      wanted = [distance, node, *([normal] if normals else [])]
      if isinstance(origins, jax.Array):
        found: Any = self._exchange.give(*wanted)
      else:
        found = [array.numpy() for array in wanted]
    if not normals:
      found.append(np.zeros((*np.shape(exclude), 3), np.float32))
    return base.RayHits(*found)

  def rays_where(
    self, origins: Any, directions: Any, exclude: Any, wanted: Any
  ) -> tuple[jax.Array, jax.Array]:
    """Casts the wanted rays; see `base.DevicePhysics`."""
    with wp.ScopedDevice(self.device):
      distance, node, _ = self._cast(
        self._all_worlds, origins, directions, exclude, wanted
      )
      distance, node = self._exchange.give(distance, node)
    return distance, node

  def _cast(
    self, ids: Any, origins: Any, directions: Any, exclude: Any, wanted: Any
  ) -> tuple[Any, Any, Any]:
    """Returns distances, nodes and normals as Warp arrays."""
    take, shape = self._exchange.take, np.shape(exclude)
    self._motion.find_poses()
    distance = wp.empty(shape, dtype=float)
    node = wp.empty(shape, dtype=int)
    normal = wp.empty((*shape, 3), dtype=float)
    wp.launch(
      rays.cast,
      dim=shape,
      inputs=[
        ids,
        take(origins, float),
        take(directions, float),
        take(exclude, int),
        None if wanted is None else take(wanted, wp.bool),
        self._batch.scene,
      ],
      outputs=[distance, node, normal],
    )
    return distance, node, normal

  def overflows(self) -> int:
    """Returns the number of worlds that ever had too many contacts."""
    return int(np.count_nonzero(self.data.overflow.numpy()[: self.num_envs]))

  def _given(self, *arrays: Any) -> list[Any]:
    """Returns Warp arrays as JAX arrays, without surplus worlds."""
    given = self._exchange.give(*arrays)
    if self.num_envs == self._batch.num_worlds:
      return given
    return [array[: self.num_envs] for array in given]
