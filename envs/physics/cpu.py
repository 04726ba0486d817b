"""Physics on the processor's cores: one MuJoCo simulation an environment.

N: environments, P: players, S: slots, R: rays.
"""

from collections.abc import Sequence
from typing import Final

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs import constants
from adaland.envs.physics import base, driving, mjcf, models, parts

# Room for terrain at first: enough for generated worlds of every size.
_BOXES: Final = 32
_RAMPS: Final = 20
_NO_NORMAL: Final = np.zeros(3, np.float32)
_NO_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_NONE)
_VELOCITY_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_VEL)


class CpuPhysics:
  """A batch of worlds on `mujoco.batch`, each with a model of its own.

  Attributes:
    batch: The stepped batch, for measurements and rendering.
    substeps: Simulation steps in a step.
  """

  batch: mujoco_batch.Batch
  substeps = parts.SUBSTEPS

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int = 1,
    num_threads: int | None = None,
  ):
    """Starts with empty flat worlds.

    Args:
      num_envs: Worlds.
      num_slots: Object slots a world.
      num_players: Players a world, 1 or 2.
      num_threads: Threads to simulate on; None takes all cores.
    """
    base.check_sizes(num_envs, num_slots, num_players)
    if num_threads is not None and num_threads < 1:
      raise ValueError(f"num_threads is {num_threads}, must be at least 1")
    N, P, S = num_envs, num_players, num_slots
    self.num_envs = N
    self.num_slots = S
    self.num_players = P
    self._threads = num_threads or 0
    self._yaw = np.zeros((N, P))
    self._watched = np.ones(N, bool)  # Where contacts will be asked for.
    self._held = np.full((N, P), -1)
    self._fresh = np.zeros(N, bool)  # At the start, but for the yaw.
    self._standing = driving.Standing(N, P)
    self._worlds = models.Models(N, mjcf.Capacity(S, P, _BOXES, _RAMPS))
    layout = self._worlds.layout
    self._slot_cols = layout.slot_qpos[:, None] + np.arange(7)  # [S, 7]
    self._slot_dofs = layout.slot_dofs[:, None] + np.arange(6)  # [S, 6]
    self._hand_cols = layout.hand_qpos[:, None] + np.arange(3)  # [P, 3]
    # The sensor of each two nodes; the one past the last never fires.
    first, second = layout.pairs.T
    self._pair_sensors = np.full((P + S, P + S), len(layout.pairs))
    self._pair_sensors[first, second] = np.arange(len(layout.pairs))
    self._pair_sensors[second, first] = np.arange(len(layout.pairs))
    self._make_batch()
    self._restart(np.arange(N))

  def load(self, env_ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """Replaces the worlds of some environments and puts them at the start.

    A terrain of more pieces than any before makes room for it everywhere;
    then the other worlds go on from where they are, but awake.

    Raises:
      ValueError: if a scene has other sizes than this batch.
    """
    env_ids = np.asarray(env_ids, int)
    capacity = self._worlds.capacity
    scenes = [base.Scene(*map(np.array, scene)) for scene in scenes]
    for scene in scenes:
      models.check(scene, capacity)
    boxes, ramps = models.needed(scenes)
    if boxes > capacity.max_boxes or ramps > capacity.max_ramps:
      self._grow(
        capacity._replace(
          max_boxes=max(boxes, capacity.max_boxes),
          max_ramps=max(ramps, capacity.max_ramps),
        )
      )
    for env, scene in zip(env_ids, scenes, strict=True):
      self._worlds.load(env, scene)
      self._watched[env] = scene.contacts
    self._options = [model.opt for model in self._worlds.models]
    self.batch.set_models(self._worlds.models)
    self._yaw[env_ids] = 0.0
    self._restart(env_ids)

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Puts environments back to their scenes' start; yaw is [len(ids), P]."""
    env_ids = np.asarray(env_ids, int)
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
    at = np.where((types > 0)[:, None], positions, parts.PARKING)  # [C, 3]
    changed = np.unique(env_ids)
    self._fresh[changed] = False
    for env in changed:
      rows = np.flatnonzero(env_ids == env)
      self._worlds.set_slots(env, slots[rows], types[rows], at[rows])
    self._grips[env_ids, :, slots] = 0.0
    row, player = np.nonzero(self._held[env_ids] == slots[:, None])
    self._held[env_ids[row], player] = -1

    pose = np.zeros((len(slots), 7))
    pose[:, :3], pose[:, 3] = at, 1.0
    rows = env_ids[:, None]
    self._qpos[rows, self._slot_cols[slots]] = pose
    self._qvel[rows, self._slot_dofs[slots]] = 0.0
    self._warmstart[rows, self._slot_dofs[slots]] = 0.0
    self._observe(changed)

  def step(self, control: base.AvatarControl) -> None:
    """Simulates STEP_SECONDS."""
    N, P = self.num_envs, self.num_players
    self._fresh[:] = False
    self._yaw += constants.STEP_SECONDS * control.turn
    self._change_grips(np.asarray(control.held))
    at = self._player_poses[..., :2]
    players = self._standing.velocity(control.velocity, at)
    hands = driving.hand_velocity(
      control.hand_at, self._hand_poses, self._held >= 0
    )
    self._ctrl[:, : 2 * P] = players.reshape(N, 2 * P)
    self._ctrl[:, 2 * P :] = hands.reshape(N, 3 * P)
    self.simulate()
    self._observe(None)

  def simulate(self) -> None:
    """Runs the time steps of a step: apart, to be measured alone."""
    self.batch.step(nstep=self.substeps, stage=_NO_STAGE)

  def state(self) -> base.PhysicsState:
    """Poses and contacts now."""
    N, P, S = self.num_envs, self.num_players, self.num_slots
    turns = np.round(self._yaw / (2 * np.pi))
    positions = self._qpos.astype(np.float32)  # Once, for all that follows.
    objects = positions[:, 6 * P :].reshape(N, S, 7)
    return base.PhysicsState(
      object_pos=objects[..., :3],
      object_quat=objects[..., 3:],
      player_pos=positions[:, : 3 * P].reshape(N, P, 3),
      player_yaw=(self._yaw - 2 * np.pi * turns).astype(np.float32),
      touching=self._touching(),
    )

  def shared_state(self) -> base.PhysicsState:
    """The same: JAX takes it from here."""
    return self.state()

  def _touching(self) -> np.ndarray:
    """Contacts as sensed at the last `_observe`, bool [N, P+S, P+S]."""
    if not self._watched.any():
      return np.zeros_like(self._worlds.fixed_contacts)
    contacts = np.zeros((self.num_envs, self._contacts.shape[1] + 1), bool)
    np.greater(self._contacts, 0, out=contacts[:, :-1])
    touching = contacts.take(self._pair_sensors, axis=1)
    touching |= self._worlds.fixed_contacts
    return touching & self._watched[:, None, None]

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
    """
    bodies = self._worlds.node_bodies
    if env_ids is not None:
      bodies = bodies[env_ids]
    # Steps start from the state alone, so that rays cast between them change
    # nothing but the poses kept for drawing.
    result = self.batch.ray(
      origins,
      directions,
      bodyexclude=np.take_along_axis(bodies, np.asarray(exclude) + 1, axis=1),
      ids=env_ids,
      normal=normals,
    )
    node = self._worlds.geom_nodes.take(result[1], mode="wrap")
    return base.RayHits(
      distance=result[0].astype(np.float32),
      node=node,
      normal=(
        result[2].astype(np.float32)
        if normals
        else np.broadcast_to(_NO_NORMAL, (*node.shape, 3))
      ),
    )

  def _make_batch(self) -> None:
    """Makes the batch of the present models, and our views of its arrays."""
    N, P, S = self.num_envs, self.num_players, self.num_slots
    worlds = self._worlds.models
    self.batch = mujoco_batch.Batch(
      worlds[0], N, self._threads, persistent=True
    )
    self.batch.set_models(worlds)
    self._options = [model.opt for model in self._worlds.models]
    self._qpos = self.batch.bind("qpos")
    self._qvel = self.batch.bind("qvel")
    self._warmstart = self.batch.bind("qacc_warmstart")
    self._ctrl = self.batch.bind("ctrl")
    self._grips = self.batch.bind("eq_active").reshape(N, P, S)
    self._contacts = self.batch.bind("sensordata")
    # Positions are those of the players, then the hands, then the slots.
    self._player_poses = self._qpos[:, : 3 * P].reshape(N, P, 3)
    self._hand_poses = self._qpos[:, 3 * P : 6 * P].reshape(N, P, 3)
    self._slot_poses = self._qpos[:, 6 * P :].reshape(N, S, 7)

  def _grow(self, capacity: mjcf.Capacity) -> None:
    """Exchanges all models for some with room for more terrain."""
    state = self.batch.state.copy()
    self._worlds = self._worlds.grown(capacity, self._slot_poses[..., :3])
    self._make_batch()
    self.batch.reset(stage=_NO_STAGE)  # Places the fixed bodies.
    self.batch.state[:] = state
    self._observe(None)

  def _restart(self, env_ids: np.ndarray) -> None:
    """Resets environments to the start poses in their models."""
    if not len(env_ids):
      return
    ids = np.sort(env_ids)
    self.batch.reset(ids, stage=_NO_STAGE)
    feet = [self._worlds.scenes[env].player_at for env in ids]
    self._player_poses[ids] = np.reshape(feet, (-1, self.num_players, 3))
    self._held[ids] = -1
    self._standing.forget(ids)
    self._fresh[ids] = True
    self._observe(ids)

  def _observe(self, ids: np.ndarray | None) -> None:
    """Computes contacts at the present state, where they will be asked for.

    Sensors are on only here, instead of in every substep. The next step goes
    on from what is computed here, so that little is computed twice.
    """
    if ids is None:
      ids = np.arange(self.num_envs)
    ids = ids[self._watched[ids]]
    if not ids.size:
      return
    options = [self._options[env] for env in ids]
    for option in options:
      option.disableflags = 0
    try:
      self.batch.forward(ids, stage=_VELOCITY_STAGE)
    finally:
      for option in options:
        option.disableflags = models.SENSORS_OFF

  def _change_grips(self, wanted: np.ndarray) -> None:
    """Lets go of what is no longer held, takes hold of what now is."""
    if np.array_equal(wanted, self._held):
      return
    free = np.take_along_axis(self._worlds.free, np.maximum(wanted, 0), axis=1)
    held = np.where(free & (wanted >= 0), wanted, -1)  # [N, P]
    self._grips[:] = held[..., None] == np.arange(self.num_slots)
    env, player = np.nonzero((held != self._held) & (held >= 0))
    # The hand starts where the object is.
    at = self._slot_poses[env, held[env, player], :3]
    self._hand_poses[env, player] = at
    self._qvel[env[:, None], self._hand_cols[player]] = 0.0
    self._held = held
