"""All worlds of the gpu back end on the device, and changes between steps.

W: worlds, P: players, S: slots, M = P + S: nodes, C: worlds changed.
"""

from collections.abc import Sequence
from typing import Any, Final

import mujoco_warp as mjw
import numpy as np
import warp as wp

from adaland.envs.physics import base, mjcf, models, parts
from adaland.envs.physics.gpu import (
  arrays,
  loading,
  memory,
  model,
  preparation,
  worlds,
)

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


class GpuBatch:
  """Model, data and start states of all worlds.

  Call its methods in the device's scope. Only `make`, and a `load` that raises
  the capacity, wait for the device.

  Attributes:
    num_worlds: W, at least two.
    model: MJWarp's model.
    data: MJWarp's data.
    starts: Start states of the worlds, and the contacts that are reported.
    layout, geoms, bodies, slots: Structs through which kernels access the model
      and the data.
    nodes: The node of each geom.
    scene: The geoms through which rays are cast.
    yaw: Headings of the players, [W, P].
    stood: Players that stood in the last step, [W, P].
  """

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int,
    device: Any,
    exchange: arrays.Exchange,
  ):
    """Initializes empty flat worlds.

    Args:
      num_envs: Number of environments; W, if it is at least two.
      num_slots: S.
      num_players: P.
      device: Warp's device.
      exchange: Transfers to and from the device.
    """
    self._num_envs = num_envs
    self._num_slots = S = num_slots
    self._num_players = P = num_players
    self._device = device
    self._exchange = exchange
    self.num_worlds = W = max(num_envs, memory.LEAST_WORLDS)
    self._scenes: list[preparation.PreparedScene] = []
    self.slots = arrays.slots(W, P, S)
    self.starts = arrays.start_states(W, P, S)
    # Objects that rules spawn are free and face +x.
    self._not_frozen = wp.zeros((W, S), dtype=wp.bool)
    self._no_yaw = wp.zeros((W, S), dtype=float)
    self.yaw = wp.zeros((W, P), dtype=float)
    self.stood = wp.zeros((W, P), dtype=wp.bool)
    self.make(memory.first_capacity(S, P))
    empty = preparation.prepare(base.empty_scene(S, P))
    self._scenes = [empty] * W
    self._load(np.arange(W), self._scenes)

  def make(self, capacity: mjcf.Capacity) -> None:
    """Makes the model, the data and the structs for this capacity."""
    W, P, S = self.num_worlds, self._num_players, self._num_slots
    compiled = model.build(capacity)
    host = compiled.model
    sizes = memory.sizes(capacity)
    if self._device.is_cuda:
      need = memory.needed(host, W, **sizes)
      memory.check(self._num_envs, need, self._device.free_memory)
    self._capacity, self._compiled = capacity, compiled
    self.model = m = mjw.put_model(host, dict.fromkeys(_MODEL_FIELDS, W))
    # Overflows are counted instead, see `GpuPhysics.overflows`.
    m.opt.warn_overflow = 0
    self.data = d = mjw.make_data(host, nworld=W, **sizes)
    self.layout = arrays.layout(compiled, P, S)
    self._type_table = arrays.type_table(compiled)
    self._geom_rows = arrays.geom_rows(compiled, m, d)
    self._body_rows = arrays.body_rows(m, d)
    self.geoms = arrays.make_struct(worlds.Geoms, **self._geom_rows)
    self.bodies = arrays.make_struct(worlds.Bodies, **self._body_rows)
    self.nodes = wp.array(compiled.geom_nodes, dtype=int)
    self.scene = arrays.ray_scene(compiled, self.nodes, self.geoms)

  def prepared(
    self, scene: base.Scene | preparation.PreparedScene
  ) -> preparation.PreparedScene:
    """Checks a scene, and prepares it if it is not prepared yet.

    Raises:
      ValueError: If its sizes differ from this batch's.
    """
    if isinstance(scene, preparation.PreparedScene):
      models.check(scene.scene, self._capacity)
      return scene
    models.check(scene, self._capacity)
    return preparation.prepare(scene)

  def load(
    self, ids: np.ndarray, scenes: Sequence[preparation.PreparedScene]
  ) -> bool:
    """Replaces some worlds and puts them at the start.

    Returns:
      True if the capacity for terrain was raised, which makes a new model and
      new data.
    """
    had = self._capacity
    boxes = max(len(scene.ground.box_centres) for scene in scenes)
    ramps = max(len(scene.ground.ramp_bases) for scene in scenes)
    needed = had.including(boxes, ramps)
    grows = needed != had
    if grows:
      self._grow(needed)
    self._load(ids, scenes)
    return grows

  def _grow(self, capacity: mjcf.Capacity) -> None:
    """Raises the capacity for terrain; the worlds keep their state."""
    first, geoms, bodies = (
      self._compiled.fixed_geom,
      self._geom_rows,
      self._body_rows,
    )
    self.make(capacity)
    for name, array in self._body_rows.items():
      wp.copy(array, bodies[name])
    for name, array in self._geom_rows.items():
      rows = array.numpy()
      rows[:, self._compiled.fixed_geom :] = geoms[name].numpy()[:, first:]
      array.assign(rows)
    self._load_terrain(np.arange(self.num_worlds), self._scenes)

  def _load(
    self, ids: np.ndarray, prepared: Sequence[preparation.PreparedScene]
  ) -> None:
    """Writes scenes to the device and restores their worlds."""
    self._load_terrain(ids, prepared)
    for world, each in zip(ids, prepared, strict=True):
      self._scenes[world] = each
    scenes = [each.scene for each in prepared]

    def rows(values: Sequence[np.ndarray], dtype: Any) -> Any:
      return self._exchange.take(np.stack(values), dtype)

    wp.launch(
      loading.load_start_states,
      dim=(len(ids), self._num_players + self._num_slots),
      inputs=[
        self._exchange.take(np.asarray(ids), int),
        rows([scene.slot_types for scene in scenes], int),
        rows([scene.slot_frozen for scene in scenes], wp.bool),
        rows([scene.slot_at for scene in scenes], wp.vec3),
        rows([scene.slot_yaw for scene in scenes], float),
        rows([scene.player_at for scene in scenes], wp.vec3),
        rows([scene.contacts for scene in scenes], wp.bool),
        rows([each.touching for each in prepared], wp.bool),
        self._num_players,
        self.starts,
      ],
    )
    restored = np.zeros(self.num_worlds, bool)
    restored[ids] = True
    self.restore(
      restored, np.zeros((self.num_worlds, self._num_players), np.float32)
    )

  def _load_terrain(
    self, ids: np.ndarray, scenes: Sequence[preparation.PreparedScene]
  ) -> None:
    """Writes the pieces of the terrain of some worlds."""
    had, compiled = self._capacity, self._compiled
    take = self._exchange.take
    grounds = [scene.ground for scene in scenes]
    position, rotation = compiled.ramp_pose

    def padded(field: str, length: int, dtype: Any) -> Any:
      return take(arrays.padded(grounds, field, length), dtype)

    wp.launch(
      loading.load_terrain,
      dim=(len(ids), had.max_boxes + had.max_ramps),
      inputs=[
        take(np.asarray(ids), int),
        take(np.array([len(g.box_centres) for g in grounds]), int),
        padded("box_centres", had.max_boxes, wp.vec3),
        padded("box_halves", had.max_boxes, wp.vec3),
        padded("box_yaws", had.max_boxes, float),
        padded("box_hidden", had.max_boxes, wp.bool),
        take(np.array([len(g.ramp_bases) for g in grounds]), int),
        padded("ramp_bases", had.max_ramps, wp.vec3),
        padded("ramp_yaws", had.max_ramps, float),
        compiled.first_ramp,
        int(compiled.model.geom_dataid[compiled.first_ramp]),
        wp.vec3(*position.tolist()),
        wp.mat33(*rotation.ravel().tolist()),
        wp.vec3(*parts.PARKING),
        self.geoms,
      ],
    )

  def restore(self, restored: np.ndarray, yaw: np.ndarray) -> None:
    """Puts worlds, bool [W], at the start; yaw is float32 [W, P]."""
    start = self.starts
    every = np.repeat(restored[:, None], self._num_slots, axis=1)
    self._write_slots(
      self._exchange.take(every, wp.bool),
      start.types,
      start.frozen,
      start.at,
      start.yaw,
    )
    wp.launch(
      loading.start_players,
      dim=self.num_worlds,
      inputs=[
        self._exchange.take(restored, wp.bool),
        self._exchange.take(yaw, float),
        start,
        self.layout,
        self.bodies,
        self.slots,
        self.yaw,
        self.stood,
      ],
    )

  def set_slots(self, changed: Any, types: Any, positions: Any) -> None:
    """Changes the objects in slots of the first C worlds.

    Args:
      changed: Slots to change, bool [C, S].
      types: New type ids, 0 to empty the slot, int [C, S].
      positions: Centres of the new objects, float [C, S, 3].
    """
    self._write_slots(
      self._exchange.take(changed, wp.bool),
      self._exchange.take(types, int),
      self._not_frozen,
      self._exchange.take(positions, wp.vec3),
      self._no_yaw,
    )

  def _write_slots(self, changed: Any, *contents: Any) -> None:
    """Changes slots: mask, types, frozen, positions, yaws, [C, S]."""
    wp.launch(
      worlds.wake,
      dim=changed.shape[0],
      inputs=[changed, self.layout, self.bodies, self.slots],
    )
    wp.launch(
      worlds.write_slots,
      dim=changed.shape,
      inputs=[
        changed,
        *contents,
        self._type_table,
        self.layout,
        self.geoms,
        self.bodies,
        self.slots,
      ],
    )
