"""Physics on the processor's cores: one MuJoCo simulation an environment.

N: environments, P: players, S: slots, R: rays.
"""

import copy
import functools
from collections.abc import Sequence
from typing import Final

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from envs import constants
from envs.physics import base, mjcf, slots, terrain

_MAX_BOXES: Final = 160
_MAX_RAMPS: Final = 48
_TERRAINS_KEPT: Final = 64
# A standing avatar pulls back to its place when it has slid this far, which
# on the slope of a ramp it does at once; a push takes the place along.
_PLACE_METRES: Final = 0.02
# Metres a second: more than walking, turning and swinging at once ask for.
_MAX_HAND_SPEED: Final = 12.0
_SENSORS_OFF: Final = int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
_NO_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_NONE)
_VELOCITY_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_VEL)


class CpuPhysics:
  """A batch of worlds on `mujoco.batch`, each with a model of its own.

  Attributes:
    batch: The stepped batch, for measurements and rendering.
    substeps: Simulation steps in a step.
  """

  substeps = mjcf.SUBSTEPS

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int = 1,
    num_threads: int | None = None,
    max_boxes: int = _MAX_BOXES,
    max_ramps: int = _MAX_RAMPS,
  ):
    """Starts with empty flat worlds.

    Args:
      num_envs: Worlds.
      num_slots: Object slots a world.
      num_players: Players a world, 1 or 2.
      num_threads: Threads to simulate on; None takes all cores.
      max_boxes: Most boxes that a world's terrain may be made of.
      max_ramps: Most ramps in a world's terrain.
    """
    for name, value, most in (
      ("num_envs", num_envs, None),
      ("num_slots", num_slots, None),
      ("num_players", num_players, constants.MAX_PLAYERS),
      ("num_threads", 1 if num_threads is None else num_threads, None),
    ):
      if value < 1 or (most is not None and value > most):
        bound = "at least 1" if most is None else f"1 to {most}"
        raise ValueError(f"{name} is {value}, must be {bound}")
    self.num_envs = num_envs
    self.num_slots = num_slots
    self.num_players = num_players
    self._capacity = mjcf.Capacity(num_slots, num_players, max_boxes, max_ramps)
    self._layout = mjcf.layout(self._capacity)
    self._writer = slots.SlotWriter(self._capacity)
    self._threads = num_threads or 0

    N, P, S = num_envs, num_players, num_slots
    empty = base.Scene(
      heights=np.zeros((2, 2), int),
      ramps=np.zeros((2, 2), int),
      slot_types=np.zeros(S, int),
      slot_at=np.tile(mjcf.PARKING, (S, 1)),
      slot_yaw=np.zeros(S),
      slot_frozen=np.zeros(S, bool),
      player_at=np.zeros((P, 3)),
    )
    self._scenes = [empty] * N
    self._models = [copy.copy(self._terrain_model(empty)) for _ in range(N)]
    self._options = [model.opt for model in self._models]
    self._free = np.zeros((N, S), bool)  # Holds an object that can move.
    self._changed = np.zeros((N, S), bool)  # Differs from the scene's start.
    self._fixed_contacts = np.zeros((N, P + S, P + S), bool)
    self._yaw = np.zeros((N, P))
    self._held = np.full((N, P), -1)
    self._place = np.zeros((N, P, 2))  # Where players that stand want to be.
    self._stood = np.zeros((N, P, 1), bool)  # During the last step.

    self.batch = self._new_batch()
    self._query: mujoco_batch.Batch | None = None  # For rays, made on use.
    self._qpos = self.batch.bind("qpos")
    self._qvel = self.batch.bind("qvel")
    self._warmstart = self.batch.bind("qacc_warmstart")
    self._ctrl = self.batch.bind("ctrl")
    self._grips = self.batch.bind("eq_active").reshape(N, P, S)
    self._contacts = self.batch.bind("sensordata")
    spread = np.arange(3)
    self._player_cols = self._layout.player_qpos[:, None] + spread  # [P, 3]
    self._hand_cols = self._layout.hand_qpos[:, None] + spread  # [P, 3]
    self._slot_cols = self._layout.slot_qpos[:, None] + np.arange(7)  # [S, 7]
    self._slot_dofs = self._layout.slot_dofs[:, None] + np.arange(6)  # [S, 6]
    self._make_node_tables()
    self._restart(np.arange(N), self._yaw)

  def load(self, env_ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """Replaces the worlds of some environments and puts them at the start.

    Raises:
      ValueError: if a scene has other sizes than this batch, or needs more
        terrain pieces than it has.
    """
    env_ids = np.asarray(env_ids, int)
    everything = np.arange(self.num_slots)
    for env, scene in zip(env_ids, scenes, strict=True):
      scene = base.Scene(*(np.array(field) for field in scene))
      self._check(scene)
      if not _same_terrain(self._scenes[env], scene):
        self._models[env] = copy.copy(self._terrain_model(scene))
        self._options[env] = self._models[env].opt
      self._scenes[env] = scene
      self._write_start(env, everything)
    self._set_models()
    self._restart(env_ids, np.zeros((len(env_ids), self.num_players)))

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Puts environments back to their scenes' start; yaw is [len(ids), P]."""
    env_ids = np.asarray(env_ids, int)
    for env in env_ids[self._changed[env_ids].any(axis=1)]:
      self._write_start(env, np.flatnonzero(self._changed[env]))
    self._restart(env_ids, np.asarray(yaw, float))

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
    env_ids, slots = np.asarray(env_ids, int), np.asarray(slots, int)
    types = np.asarray(types, int)
    if not env_ids.size:
      return
    at = np.where((types > 0)[:, None], positions, mjcf.PARKING)  # [C, 3]
    never = np.zeros(len(slots), bool)
    for env in np.unique(env_ids):
      rows = np.flatnonzero(env_ids == env)
      self._write(
        env, slots[rows], types[rows], never[rows], at[rows], 0.0 * at[rows, 0]
      )
    self._changed[env_ids, slots] = True
    nodes = self.num_players + slots
    self._fixed_contacts[env_ids, nodes] = False
    self._fixed_contacts[env_ids, :, nodes] = False
    self._grips[env_ids, :, slots] = 0.0
    lost = self._held[env_ids] == slots[:, None]  # [C, P]
    row, player = np.nonzero(lost)
    self._held[env_ids[row], player] = -1

    pose = np.zeros((len(slots), 7))
    pose[:, :3], pose[:, 3] = at, 1.0
    rows = env_ids[:, None]
    self._qpos[rows, self._slot_cols[slots]] = pose
    self._qvel[rows, self._slot_dofs[slots]] = 0.0
    self._warmstart[rows, self._slot_dofs[slots]] = 0.0
    self._observe(np.unique(env_ids))

  def step(self, control: base.AvatarControl) -> None:
    """Simulates STEP_SECONDS."""
    N, P = self.num_envs, self.num_players
    self._yaw += constants.STEP_SECONDS * control.turn
    held = self._grippable(np.asarray(control.held))
    if (held != self._held).any():
      self._change_grips(held)
    self._ctrl[:, : 2 * P] = self._player_velocity(control).reshape(N, 2 * P)
    self._ctrl[:, 2 * P :] = self._hand_velocity(control).reshape(N, 3 * P)
    self.batch.step(nstep=self.substeps, stage=_NO_STAGE)
    self._observe(None)

  def state(self) -> base.PhysicsState:
    """Poses and contacts now."""
    poses = self._qpos[:, self._slot_cols].astype(np.float32)  # [N, S, 7]
    first, second = self._layout.pairs.T
    touching = self._fixed_contacts.copy()
    contacts = self._contacts > 0  # [N, K]
    touching[:, first, second] |= contacts
    touching[:, second, first] |= contacts
    turns = np.round(self._yaw / (2 * np.pi))
    return base.PhysicsState(
      object_pos=poses[..., :3].copy(),
      object_quat=poses[..., 3:].copy(),
      player_pos=self._qpos[:, self._player_cols].astype(np.float32),
      player_yaw=(self._yaw - 2 * np.pi * turns).astype(np.float32),
      touching=touching,
    )

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
  ) -> base.RayHits:
    """Casts rays.

    Args:
      origins: Where they start, float [N, R, 3].
      directions: Unit vectors, float [N, R, 3].
      exclude: Node each ray passes through, -1 none, int [N, R].
      normals: Whether to compute normals (else zeros).
    """
    # A second batch, because casting rays in the first would make its next
    # step compute the positions anew.
    if self._query is None:
      self._query = self._new_batch()
      self._query.reset(stage=_NO_STAGE)
    self._query.bind("qpos")[:] = self._qpos
    exclude = np.asarray(exclude)
    bodies = np.take_along_axis(self._node_bodies, exclude + 1, axis=1)
    result = self._query.ray(
      origins, directions, bodyexclude=bodies, normal=normals
    )
    node = self._geom_nodes[result[1]]
    return base.RayHits(
      distance=result[0].astype(np.float32),
      node=node,
      normal=(
        result[2].astype(np.float32)
        if normals
        else np.zeros((*node.shape, 3), np.float32)
      ),
    )

  def _new_batch(self) -> mujoco_batch.Batch:
    batch = mujoco_batch.Batch(
      self._models[0], self.num_envs, self._threads, persistent=True
    )
    batch.set_models(self._models)
    return batch

  def _set_models(self) -> None:
    """Makes the batches use models that were exchanged."""
    self.batch.set_models(self._models)
    if self._query is not None:
      self._query.set_models(self._models)

  def _terrain_model(self, scene: base.Scene) -> mujoco.MjModel:
    """A model with this terrain and empty slots, not to be changed."""
    heights = np.ascontiguousarray(scene.heights, np.int64)
    ramps = np.ascontiguousarray(scene.ramps, np.int64)
    return _terrain_model(
      self._capacity, heights.shape, heights.tobytes(), ramps.tobytes()
    )

  def _check(self, scene: base.Scene) -> None:
    S, P = self.num_slots, self.num_players
    for name, wanted in (
      ("ramps", scene.heights.shape),
      ("slot_types", (S,)),
      ("slot_at", (S, 3)),
      ("slot_yaw", (S,)),
      ("slot_frozen", (S,)),
      ("player_at", (P, 3)),
    ):
      shape = getattr(scene, name).shape
      if shape != wanted:
        raise ValueError(f"scene.{name} has shape {shape}, must be {wanted}")

  def _make_node_tables(self) -> None:
    """Nodes of geoms, and bodies of nodes."""
    layout, P = self._layout, self.num_players
    # The last entry is for geom -1, no hit.
    table = np.full(self._models[0].ngeom + 1, base.NODE_TERRAIN, np.int32)
    table[-1] = base.NODE_NONE
    table[layout.player_geoms] = np.arange(P)
    table[layout.slot_geoms] = P + np.arange(self.num_slots)
    table[layout.fixed_geoms] = P + np.arange(self.num_slots)
    self._geom_nodes = table
    # The first entry is for node -1, no node.
    nodes = [[-1], layout.player_bodies, layout.slot_bodies]
    row = np.concatenate(nodes).astype(np.int32)
    self._node_bodies = np.tile(row, (self.num_envs, 1))  # [N, 1 + P + S]

  def _write_start(self, env: int, slots: np.ndarray) -> None:
    """Makes slots of an environment hold what its scene starts with."""
    scene = self._scenes[env]
    used = (scene.slot_types > 0)[:, None]
    at = np.where(used, scene.slot_at, mjcf.PARKING)
    frozen = scene.slot_frozen & (scene.slot_types > 0)
    self._write(
      env,
      slots,
      scene.slot_types[slots],
      frozen[slots],
      at[slots],
      np.where(used[:, 0], scene.slot_yaw, 0.0)[slots],
    )
    self._changed[env, slots] = False
    self._fixed_contacts[env] = _contacts_of_fixed(
      self._models[env], self._layout, np.flatnonzero(frozen)
    )

  def _write(
    self,
    env: int,
    slots: np.ndarray,
    types: np.ndarray,
    frozen: np.ndarray,
    positions: np.ndarray,
    yaws: np.ndarray,
  ) -> None:
    """Changes slots in the model of an environment and in our tables."""
    model, layout = self._models[env], self._layout
    self._writer.write(model, slots, types, frozen, positions, yaws)
    self._free[env, slots] = (types > 0) & ~frozen
    self._node_bodies[env, 1 + self.num_players + slots] = np.where(
      frozen, layout.fixed_bodies[slots], layout.slot_bodies[slots]
    )

  def _restart(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Resets environments to the start poses in their models."""
    ids = np.sort(env_ids)
    self.batch.reset(ids, stage=_NO_STAGE)
    if self._query is not None:  # The fixed bodies may have moved.
      self._query.reset(ids, stage=_NO_STAGE)
    feet = np.stack([self._scenes[env].player_at for env in ids])
    self._qpos[ids[:, None, None], self._player_cols] = feet
    self._yaw[env_ids] = yaw
    self._held[ids] = -1
    self._stood[ids] = False
    self._observe(ids)

  def _observe(self, ids: np.ndarray | None) -> None:
    """Computes contacts at the present state.

    Sensors are on only here, instead of in every substep. The next step goes
    on from what is computed here, so that it costs next to nothing.
    """
    options = (
      self._options if ids is None else [self._options[env] for env in ids]
    )
    flags = options[0].disableflags
    for option in options:
      option.disableflags = flags & ~_SENSORS_OFF
    try:
      self.batch.forward(ids, stage=_VELOCITY_STAGE)
    finally:
      for option in options:
        option.disableflags = flags

  def _player_velocity(self, control: base.AvatarControl) -> np.ndarray:
    """The wish; or, standing, what keeps the place on a ramp, [N, P, 2]."""
    stands = ~np.any(control.velocity, axis=-1, keepdims=True)  # [N, P, 1]
    at = self._qpos[:, self._player_cols[:, :2]]
    back = np.where(stands & self._stood, self._place - at, 0.0)
    back = np.clip(back, -_PLACE_METRES, _PLACE_METRES)
    self._stood, self._place = stands, at + back
    return control.velocity + back / constants.STEP_SECONDS

  def _hand_velocity(self, control: base.AvatarControl) -> np.ndarray:
    """What takes the hands where they should be, [N, P, 3]."""
    way = control.hand_at - self._qpos[:, self._hand_cols]
    speed = np.linalg.norm(way, axis=-1, keepdims=True) / constants.STEP_SECONDS
    slower = np.minimum(1.0, _MAX_HAND_SPEED / np.maximum(speed, 1e-6))
    velocity = way * (slower / constants.STEP_SECONDS)
    return np.where((self._held >= 0)[..., None], velocity, 0.0)

  def _grippable(self, held: np.ndarray) -> np.ndarray:
    """The wanted slots that hold a movable object, else -1, int [N, P]."""
    free = np.take_along_axis(self._free, np.maximum(held, 0), axis=1)
    return np.where(free & (held >= 0), held, -1)

  def _change_grips(self, held: np.ndarray) -> None:
    """Lets go of what is no longer held, takes hold of what now is."""
    slots = np.arange(self.num_slots)
    self._grips[:] = held[..., None] == slots
    env, player = np.nonzero((held != self._held) & (held >= 0))
    # The hand starts where the object is.
    cols = self._slot_cols[held[env, player], :3]
    at = self._qpos[env[:, None], cols]
    self._qpos[env[:, None], self._hand_cols[player]] = at
    self._qvel[env[:, None], self._hand_cols[player]] = 0.0
    self._held = held


@functools.lru_cache(maxsize=_TERRAINS_KEPT)
def _terrain_model(
  capacity: mjcf.Capacity, shape: tuple[int, ...], heights: bytes, ramps: bytes
) -> mujoco.MjModel:
  ground = terrain.pieces(
    np.frombuffer(heights, np.int64).reshape(shape),
    np.frombuffer(ramps, np.int64).reshape(shape),
  )
  model = mjcf.build(capacity, ground)
  model.opt.disableflags |= _SENSORS_OFF  # See CpuPhysics._observe.
  return model


def _same_terrain(a: base.Scene, b: base.Scene) -> bool:
  return np.array_equal(a.heights, b.heights) and np.array_equal(
    a.ramps, b.ramps
  )


def _contacts_of_fixed(
  model: mujoco.MjModel, layout: mjcf.Layout, frozen: np.ndarray
) -> np.ndarray:
  """Contacts among frozen objects: the simulation looks for none of them.

  Args:
    model: The model.
    layout: Its layout.
    frozen: Slots whose objects are frozen, int [F].

  Returns:
    Whether nodes touch, bool [P+S, P+S].
  """
  num_players = len(layout.player_geoms)
  nodes = num_players + len(layout.slot_geoms)
  touching = np.zeros((nodes, nodes), bool)
  if len(frozen) < 2:
    return touching
  data = mujoco.MjData(model)
  reach = 2 * constants.TOUCHING_METRES
  for index, first in enumerate(frozen):
    for second in frozen[:index]:
      gap = mujoco.mj_geomDistance(
        model,
        data,
        layout.fixed_geoms[first],
        layout.fixed_geoms[second],
        reach,
        None,
      )
      a, b = num_players + first, num_players + second
      touching[a, b] = touching[b, a] = gap <= constants.TOUCHING_METRES
  return touching
