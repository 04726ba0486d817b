"""Physics on an accelerator: one MJWarp simulation of all environments.

Worlds differ in rows of the batched model and in the state, both of which stay
on the device; `gpu_worlds` says how a task becomes rows. A step is one CUDA
graph: wishes to drives, the substeps, kinematics and contacts of where they
end. Also runs on Warp's CPU device, slowly, so that it can be tested anywhere.

N: environments, W: worlds (at least two), P: players, S: slots, R: rays.
"""

from collections.abc import Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import mujoco_warp as mjw
import numpy as np
import warp as wp

from envs.physics import (
  base,
  driving,
  gpu_arrays,
  gpu_memory,
  gpu_model,
  gpu_rays,
  gpu_steps,
  gpu_worlds,
  mjcf,
  models,
  parts,
)

# Its news of every kernel would go to stdout, where commands give results.
wp.config.log_level = wp.LOG_ERROR

# Room for terrain at first: enough for generated worlds of every size.
_BOXES: Final = 32
_RAMPS: Final = 20
# Room for contacts: eight of each resting box, and some of heaps.
_CONTACTS_A_NODE: Final = 10
_ROWS_A_CONTACT: Final = 4  # Of a friction pyramid.
# MJWarp takes a mesh for absent only where its id is kept per world, which
# takes two worlds.
_LEAST_WORLDS: Final = 2

_MODEL_FIELDS: Final = (
  "geom_size",
  "geom_aabb",
  "geom_rbound",
  "geom_dataid",
  "body_mass",
  "body_subtreemass",
  "body_inertia",
  "body_invweight0",
  "body_gravcomp",
  "dof_invweight0",
)


class GpuPhysics:
  """A batch of worlds in `mujoco_warp`.

  Attributes:
    device: Warp's device.
    model: MJWarp's model, for measurements.
    data: MJWarp's data, for measurements and tests.
    substeps: Simulation steps in a step.
  """

  substeps = parts.SUBSTEPS

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int = 1,
    device: str = "cuda",
  ):
    """Starts with empty flat worlds.

    Args:
      num_envs: Worlds.
      num_slots: Object slots a world.
      num_players: Players a world, 1 or 2.
      device: "cuda", or "cpu" to try things out without an accelerator.
    """
    base.check_sizes(num_envs, num_slots, num_players)
    N, P, S = num_envs, num_players, num_slots
    self.num_envs = N
    self.num_slots = S
    self.num_players = P
    self.device = wp.get_device(device)
    self._worlds = W = max(N, _LEAST_WORLDS)
    self._scenes = [base.empty_scene(S, P)] * W
    self._watched = np.ones(W, bool)  # Where contacts will be asked for.
    self._watched_on_device: jax.Array | None = None
    self._stale = True  # Whether poses and contacts must be found anew.
    M = P + S
    with wp.ScopedDevice(self.device):
      self._slots = gpu_arrays.struct(
        gpu_worlds.Slots,
        types=wp.zeros((W, S), dtype=int),
        frozen=wp.zeros((W, S), dtype=wp.bool),
        at=wp.zeros((W, S), dtype=wp.vec3),
        yaw=wp.zeros((W, S), dtype=float),
        held=wp.full((W, P), -1, dtype=int),
        touching=wp.zeros((W, M, M), dtype=wp.bool),
      )
      self._yaw = wp.zeros((W, P), dtype=float)
      self._stood = wp.zeros((W, P), dtype=wp.bool)
      self._place = wp.zeros((W, P), dtype=wp.vec2)
      self._start = {
        "types": wp.zeros((W, S), dtype=int),
        "frozen": wp.zeros((W, S), dtype=wp.bool),
        "at": wp.zeros((W, S), dtype=wp.vec3),
        "yaw": wp.zeros((W, S), dtype=float),
        "player_at": wp.zeros((W, P), dtype=wp.vec3),
        "touching": wp.zeros((W, M, M), dtype=wp.bool),
      }
      self._wishes = (
        wp.zeros((W, P, 2), dtype=float),
        wp.zeros((W, P), dtype=float),
        wp.full((W, P), -1, dtype=int),
        wp.zeros((W, P, 3), dtype=float),
      )
      self._poses = (
        wp.zeros((W, S, 3), dtype=float),
        wp.zeros((W, S, 4), dtype=float),
        wp.zeros((W, P, 3), dtype=float),
      )
      self._make(mjcf.Capacity(S, P, _BOXES, _RAMPS))
      self._load(np.arange(W), self._scenes)

  def load(self, env_ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """Replaces the worlds of some environments and puts them at the start.

    A terrain of more pieces than any before makes room for it everywhere,
    which compiles the step anew.

    Raises:
      ValueError: if a scene has other sizes than this batch.
    """
    env_ids = np.asarray(env_ids, int)
    scenes = [base.Scene(*map(np.array, scene)) for scene in scenes]
    for scene in scenes:
      models.check(scene, self._capacity)
    with wp.ScopedDevice(self.device):
      boxes, ramps = models.needed(scenes)
      had = self._capacity
      if boxes > had.max_boxes or ramps > had.max_ramps:
        self._grow(
          had._replace(
            max_boxes=max(boxes, had.max_boxes),
            max_ramps=max(ramps, had.max_ramps),
          )
        )
      self._load(env_ids, scenes)

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Puts environments back to their scenes' start; yaw is [len(ids), P]."""
    worlds = np.zeros(self._worlds, bool)
    worlds[env_ids] = True
    start_yaw = np.zeros((self._worlds, self.num_players), np.float32)
    start_yaw[env_ids] = yaw
    with wp.ScopedDevice(self.device):
      self._restore(worlds, start_yaw)

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """Changes what slots hold: type 0 parks the slot away from the arena.

    Args:
      env_ids: Environment of each change, int [C].
      slots: Slot of each change, int [C]; no slot of an environment twice.
      types: New type id, 0 to empty the slot, int [C].
      positions: Centre of the new object, float [C, 3].
    """
    if not np.size(env_ids):
      return
    shape = (self._worlds, self.num_slots)
    changed = np.zeros(shape, bool)
    all_types = np.zeros(shape, np.int32)
    at = np.zeros((*shape, 3), np.float32)
    changed[env_ids, slots] = True
    all_types[env_ids, slots] = types
    at[env_ids, slots] = positions
    with wp.ScopedDevice(self.device):
      self._write_slots(
        wp.array(changed, dtype=wp.bool),
        wp.array(all_types, dtype=int),
        wp.zeros(shape, dtype=wp.bool),
        wp.array(at, dtype=wp.vec3),
        wp.zeros(shape, dtype=float),
      )

  def step(self, control: base.AvatarControl) -> None:
    """Simulates STEP_SECONDS."""
    with wp.ScopedDevice(self.device):
      for wish, value in zip(self._wishes, control, strict=True):
        here = self._taken(value, wish.dtype)
        wp.copy(wish, here, count=here.size)
    self.simulate()

  def simulate(self) -> None:
    """Runs a step under the wishes of the last: apart, to be measured alone."""
    with wp.ScopedDevice(self.device):
      if self._graph is None:
        with wp.ScopedCapture() as capture:
          self._advance()
        self._graph = capture.graph
      wp.capture_launch(self._graph)
      self._stale = False

  def wait(self) -> None:
    """Waits until the device has done all that it was told to."""
    wp.synchronize_device(self.device)

  def state(self) -> base.PhysicsState:
    """Poses and contacts now."""
    return base.PhysicsState(*map(np.asarray, self.shared_state()))

  def shared_state(self) -> base.PhysicsState:
    """The same as JAX arrays, on the same device."""
    with wp.ScopedDevice(self.device):
      self._refresh()
      pos, quat, feet, yaw, touching = (
        self._given(array)[: self.num_envs]
        for array in (*self._poses, self._yaw, self._slots.touching)
      )
      return base.PhysicsState(
        object_pos=pos,
        object_quat=quat,
        player_pos=feet,
        player_yaw=yaw,
        touching=touching & self._watching()[:, None, None],
      )

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
    env_ids: np.ndarray | None = None,
  ) -> base.RayHits:
    """Casts rays.

    Args:
      origins: Where they start, float [N, R, 3].
      directions: Unit vectors, float [N, R, 3].
      exclude: Node each ray passes through, -1 none, int [N, R].
      normals: Whether to compute normals (else zeros).
      env_ids: The environments that the rows are of, ascending, int [N]; None
        for all.

    Returns:
      NumPy arrays, or JAX arrays on the same device where the rays are such.
    """
    ids = np.arange(self.num_envs) if env_ids is None else np.asarray(env_ids)
    shape = np.shape(exclude)
    with wp.ScopedDevice(self.device):
      self._refresh()
      distance = wp.zeros(shape, dtype=float)
      node = wp.zeros(shape, dtype=int)
      normal = wp.zeros((*shape, 3), dtype=float)
      wp.launch(
        gpu_rays.cast,
        dim=shape,
        inputs=[
          wp.array(ids.astype(np.int32), dtype=int),
          self._taken(origins, float),
          self._taken(directions, float),
          self._taken(exclude, int),
          self._scene,
        ],
        outputs=[distance, node, normal],
      )
      given = self._given if isinstance(origins, jax.Array) else _on_host
      return base.RayHits(
        distance=given(distance),
        node=given(node),
        normal=(
          given(normal) if normals else np.zeros((*shape, 3), np.float32)
        ),
      )

  def overflows(self) -> int:
    """Worlds that ever had more contacts than there is room for."""
    return int(np.count_nonzero(self.data.overflow.numpy()[: self.num_envs]))

  def _taken(self, array: Any, kind: Any) -> Any:
    """An array as Warp's; of one on the same device there is no copy."""
    numpy_kind = np.int32 if kind in (int, wp.int32) else np.float32
    if isinstance(array, jax.Array) and self.device.is_cuda:
      return wp.from_jax(array.astype(numpy_kind), dtype=kind)
    return wp.array(np.ascontiguousarray(array, numpy_kind), dtype=kind)

  def _given(self, array: Any) -> Any:
    """A copy as JAX's, on the same device: Warp's own changes every step."""
    if self.device.is_cuda:
      return jnp.copy(wp.to_jax(array))
    return jnp.array(array.numpy())

  def _watching(self) -> jax.Array:
    if self._watched_on_device is None:
      self._watched_on_device = jnp.asarray(self._watched[: self.num_envs])
    return self._watched_on_device

  def _make(self, capacity: mjcf.Capacity) -> None:
    """Makes model and data, and the structs through which kernels see them."""
    W, P, S = self._worlds, self.num_players, self.num_slots
    compiled = gpu_model.build(capacity)
    host = compiled.model
    contacts = _CONTACTS_A_NODE * (P + S)
    self._capacity, self._compiled, self._graph = capacity, compiled, None
    sizes = {
      "nconmax": contacts,
      "njmax": _ROWS_A_CONTACT * contacts + 3 * P,
    }
    if self.device.is_cuda:
      need = gpu_memory.needed(host, W, **sizes)
      gpu_memory.check(self.num_envs, need, self.device.free_memory)
    self.model = m = mjw.put_model(host, dict.fromkeys(_MODEL_FIELDS, W))
    m.opt.warn_overflow = 0  # Counted instead, see `overflows`.
    self.data = d = mjw.make_data(host, nworld=W, **sizes)
    self._places = gpu_arrays.places(compiled, P, S)
    self._kinds = gpu_arrays.kinds(compiled)
    self._geom_rows = gpu_arrays.geom_rows(compiled, m, d)
    self._body_rows = gpu_arrays.body_rows(m, d)
    self._geoms = gpu_arrays.struct(gpu_worlds.Geoms, **self._geom_rows)
    self._bodies = gpu_arrays.struct(gpu_worlds.Bodies, **self._body_rows)
    self._nodes = wp.array(compiled.geom_nodes, dtype=int)
    self._scene = gpu_arrays.ray_scene(compiled, self._nodes, self._geoms)

  def _grow(self, capacity: mjcf.Capacity) -> None:
    """Makes room for more terrain; the worlds go on from where they are."""
    first, geoms, bodies = (
      self._compiled.fixed_geom,
      self._geom_rows,
      self._body_rows,
    )
    self._make(capacity)
    for name, array in self._body_rows.items():
      wp.copy(array, bodies[name])
    for name, array in self._geom_rows.items():
      rows = array.numpy()
      rows[:, self._compiled.fixed_geom :] = geoms[name].numpy()[:, first:]
      array.assign(rows)
    self._load_terrain(np.arange(self._worlds), self._scenes)
    self._stale = True

  def _load(self, ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """Writes scenes to the device and puts their worlds at the start."""
    self._load_terrain(ids, scenes)
    host = {name: array.numpy() for name, array in self._start.items()}
    P = self.num_players
    for world, scene in zip(ids, scenes, strict=True):
      self._scenes[world] = scene
      self._watched[world] = scene.contacts
      host["types"][world] = scene.slot_types
      host["frozen"][world] = scene.slot_frozen
      host["at"][world] = scene.slot_at
      host["yaw"][world] = scene.slot_yaw
      host["player_at"][world] = scene.player_at
      host["touching"][world] = False
      for pair in gpu_model.fixed_contacts(scene):
        first, second = P + pair[0], P + pair[1]
        host["touching"][world, first, second] = True
        host["touching"][world, second, first] = True
    for name, array in self._start.items():
      array.assign(host[name])
    self._watched_on_device = None
    worlds = np.zeros(self._worlds, bool)
    worlds[ids] = True
    self._restore(
      worlds, np.zeros((self._worlds, self.num_players), np.float32)
    )

  def _load_terrain(
    self, ids: np.ndarray, scenes: Sequence[base.Scene]
  ) -> None:
    """Writes the pieces of the terrain of some worlds."""
    had, compiled = self._capacity, self._compiled
    grounds = [models.pieces(scene) for scene in scenes]
    position, rotation = compiled.ramp_pose
    wp.launch(
      gpu_worlds.load_terrain,
      dim=(len(ids), had.max_boxes + had.max_ramps),
      inputs=[
        wp.array(np.asarray(ids, np.int32), dtype=int),
        wp.array([len(g.box_centres) for g in grounds], dtype=int),
        gpu_arrays.padded(grounds, "box_centres", had.max_boxes, wp.vec3),
        gpu_arrays.padded(grounds, "box_halves", had.max_boxes, wp.vec3),
        wp.array([len(g.ramp_bases) for g in grounds], dtype=int),
        gpu_arrays.padded(grounds, "ramp_bases", had.max_ramps, wp.vec3),
        gpu_arrays.padded(grounds, "ramp_yaws", had.max_ramps, float),
        compiled.first_ramp,
        int(compiled.model.geom_dataid[compiled.first_ramp]),
        wp.vec3(*position.tolist()),
        wp.mat33(*rotation.ravel().tolist()),
        wp.vec3(*parts.PARKING),
        self._geoms,
      ],
    )

  def _restore(self, worlds: np.ndarray, start_yaw: np.ndarray) -> None:
    """Puts worlds, bool [W], at the start; yaw is float32 [W, P]."""
    every = np.repeat(worlds[:, None], self.num_slots, axis=1)
    start = self._start
    self._write_slots(
      wp.array(every, dtype=wp.bool),
      start["types"],
      start["frozen"],
      start["at"],
      start["yaw"],
    )
    wp.launch(
      gpu_worlds.start_players,
      dim=self._worlds,
      inputs=[
        wp.array(worlds, dtype=wp.bool),
        start["player_at"],
        wp.array(start_yaw, dtype=float),
        start["touching"],
        self._places,
        self._bodies,
        self._slots,
        self._yaw,
        self._stood,
      ],
    )

  def _write_slots(self, changed: Any, *what: Any) -> None:
    """Changes slots: mask, types, frozen, positions, yaws, [W, S]."""
    wp.launch(
      gpu_worlds.wake_neighbours,
      dim=self._worlds,
      inputs=[changed, self._places, self._bodies],
    )
    wp.launch(
      gpu_worlds.write_slots,
      dim=(self._worlds, self.num_slots),
      inputs=[
        changed,
        *what,
        self._kinds,
        self._places,
        self._geoms,
        self._bodies,
        self._slots,
      ],
    )
    self._stale = True

  def _advance(self) -> None:
    """Simulates a step, and finds poses and contacts at its end."""
    wp.launch(
      gpu_steps.command,
      dim=(self._worlds, self.num_players),
      inputs=[
        *self._wishes,
        driving.PLACE_METRES,
        driving.MAX_HAND_SPEED,
        self._places,
        self._bodies,
        self._slots,
        self._yaw,
        self._stood,
        self._place,
      ],
    )
    for _ in range(self.substeps):
      mjw.step(self.model, self.data)
    self._observe()

  def _refresh(self) -> None:
    """Finds poses and contacts anew where worlds changed between steps."""
    if self._stale:
      self._observe()
      self._stale = False

  def _observe(self) -> None:
    m, d, W = self.model, self.data, self._worlds
    seen = [self._places, self._bodies, self._slots]
    nodes = self.num_players + self.num_slots
    mjw.kinematics(m, d)
    mjw.collision(m, d)
    wp.launch(gpu_steps.forget_contacts, dim=(W, nodes, nodes), inputs=seen)
    wp.launch(
      gpu_steps.note_contacts,
      dim=d.naconmax,
      inputs=[
        d.nacon,
        d.contact.worldid,
        d.contact.geom,
        self._nodes,
        self._slots,
      ],
    )
    wp.launch(
      gpu_steps.read_poses,
      dim=(W, nodes),
      inputs=[*seen, wp.vec3(*parts.PARKING)],
      outputs=list(self._poses),
    )


def _on_host(array: Any) -> Any:
  return array.numpy()
