"""All worlds of the gpu back end on the device, and what changes them.

W: worlds, P: players, S: slots, M = P + S: nodes, C: worlds changed.
"""

from collections.abc import Sequence
from typing import Any, Final

import mujoco_warp as mjw
import numpy as np
import warp as wp

from adaland.envs.physics import base, mjcf, models, parts
from adaland.envs.physics.gpu import arrays, loading, memory, model
from adaland.envs.physics.gpu import exchange as gpu_exchange
from adaland.envs.physics.gpu import start as gpu_start
from adaland.envs.physics.gpu import worlds as gpu_worlds

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
  """Model, data and starts of all worlds. Call it under the device's scope.

  Nothing but `make` and `grow` waits for the device.

  Attributes:
    num_worlds: W, two at least.
    watched: Where contacts will be asked for, bool [W], on the host.
    model: MJWarp's model.
    data: MJWarp's data.
    places, geoms, bodies, slots: The structs through which kernels see them.
    nodes: The node of each geom.
    scene: Geoms as rays see them.
    yaw: Heading of the players, [W, P].
    stood: Whether they stood in the step before, [W, P].
  """

  def __init__(
    self,
    num_envs: int,
    num_slots: int,
    num_players: int,
    device: Any,
    exchange: gpu_exchange.Exchange,
  ):
    self._num_envs = num_envs
    self._num_slots = S = num_slots
    self._num_players = P = num_players
    self._device = device
    self._exchange = exchange
    self.num_worlds = W = max(num_envs, memory.LEAST_WORLDS)
    self.watched = np.ones(W, bool)
    self._starts: list[gpu_start.Start] = []
    self.slots = arrays.slots(W, P, S)
    self._start = arrays.starts(W, P, S)
    # What rules make is free and faces +x.
    self._free = wp.zeros((W, S), dtype=wp.bool)
    self._ahead = wp.zeros((W, S), dtype=float)
    self.yaw = wp.zeros((W, P), dtype=float)
    self.stood = wp.zeros((W, P), dtype=wp.bool)
    self.make(memory.first_capacity(S, P))
    empty = gpu_start.make(base.empty_scene(S, P))
    self._starts = [empty] * W
    self._load(np.arange(W), self._starts)

  def make(self, capacity: mjcf.Capacity) -> None:
    """Makes model and data, and the structs through which kernels see them."""
    W, P, S = self.num_worlds, self._num_players, self._num_slots
    compiled = model.build(capacity)
    host = compiled.model
    self._capacity, self._compiled = capacity, compiled
    sizes = memory.sizes(capacity)
    if self._device.is_cuda:
      need = memory.needed(host, W, **sizes)
      memory.check(self._num_envs, need, self._device.free_memory)
    self.model = m = mjw.put_model(host, dict.fromkeys(_MODEL_FIELDS, W))
    m.opt.warn_overflow = 0  # Counted instead, see `GpuPhysics.overflows`.
    self.data = d = mjw.make_data(host, nworld=W, **sizes)
    self.places = arrays.places(compiled, P, S)
    self._kinds = arrays.kinds(compiled)
    self._geom_rows = arrays.geom_rows(compiled, m, d)
    self._body_rows = arrays.body_rows(m, d)
    self.geoms = arrays.struct(gpu_worlds.Geoms, **self._geom_rows)
    self.bodies = arrays.struct(gpu_worlds.Bodies, **self._body_rows)
    self.nodes = wp.array(compiled.geom_nodes, dtype=int)
    self.scene = arrays.ray_scene(compiled, self.nodes, self.geoms)

  def start(self, scene: base.Scene | gpu_start.Start) -> gpu_start.Start:
    """What is loaded for a scene.

    Raises:
      ValueError: If it has other sizes than this batch.
    """
    if isinstance(scene, gpu_start.Start):
      models.check(scene.scene, self._capacity)
      return scene
    models.check(scene, self._capacity)
    return gpu_start.make(scene)

  def load(self, ids: np.ndarray, starts: Sequence[gpu_start.Start]) -> bool:
    """Replaces some worlds and puts them at the start.

    Returns:
      Whether room had to be made for terrain, which makes model and data anew.
    """
    had = self._capacity
    boxes = max(len(start.ground.box_centres) for start in starts)
    ramps = max(len(start.ground.ramp_bases) for start in starts)
    grows = boxes > had.max_boxes or ramps > had.max_ramps
    if grows:
      self._grow(
        had._replace(
          max_boxes=max(boxes, had.max_boxes),
          max_ramps=max(ramps, had.max_ramps),
        )
      )
    self._load(ids, starts)
    return grows

  def _grow(self, capacity: mjcf.Capacity) -> None:
    """Makes room for more terrain; the worlds go on from where they are."""
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
    self._load_terrain(np.arange(self.num_worlds), self._starts)

  def _load(self, ids: np.ndarray, starts: Sequence[gpu_start.Start]) -> None:
    """Writes starts to the device and puts their worlds there."""
    self._load_terrain(ids, starts)
    for world, start in zip(ids, starts, strict=True):
      self._starts[world] = start
      self.watched[world] = start.scene.contacts
    scenes = [start.scene for start in starts]

    def rows(values: Sequence[np.ndarray], kind: Any) -> Any:
      return self._exchange.take(np.stack(values), kind)

    wp.launch(
      loading.load_starts,
      dim=(len(ids), self._num_players + self._num_slots),
      inputs=[
        self._exchange.take(np.asarray(ids), int),
        rows([scene.slot_types for scene in scenes], int),
        rows([scene.slot_frozen for scene in scenes], wp.bool),
        rows([scene.slot_at for scene in scenes], wp.vec3),
        rows([scene.slot_yaw for scene in scenes], float),
        rows([scene.player_at for scene in scenes], wp.vec3),
        rows([start.touching for start in starts], wp.bool),
        self._num_players,
        self._start,
      ],
    )
    worlds = np.zeros(self.num_worlds, bool)
    worlds[ids] = True
    self.restore(
      worlds, np.zeros((self.num_worlds, self._num_players), np.float32)
    )

  def _load_terrain(
    self, ids: np.ndarray, starts: Sequence[gpu_start.Start]
  ) -> None:
    """Writes the pieces of the terrain of some worlds."""
    had, compiled = self._capacity, self._compiled
    take = self._exchange.take
    grounds = [start.ground for start in starts]
    position, rotation = compiled.ramp_pose

    def padded(field: str, most: int, kind: Any) -> Any:
      return take(arrays.padded(grounds, field, most), kind)

    wp.launch(
      loading.load_terrain,
      dim=(len(ids), had.max_boxes + had.max_ramps),
      inputs=[
        take(np.asarray(ids), int),
        take(np.array([len(g.box_centres) for g in grounds]), int),
        padded("box_centres", had.max_boxes, wp.vec3),
        padded("box_halves", had.max_boxes, wp.vec3),
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

  def restore(self, worlds: np.ndarray, yaw: np.ndarray) -> None:
    """Puts worlds, bool [W], at the start; yaw is float32 [W, P]."""
    start = self._start
    every = np.repeat(worlds[:, None], self._num_slots, axis=1)
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
        self._exchange.take(worlds, wp.bool),
        self._exchange.take(yaw, float),
        start,
        self.places,
        self.bodies,
        self.slots,
        self.yaw,
        self.stood,
      ],
    )

  def set_slots(self, changed: Any, types: Any, positions: Any) -> None:
    """Changes what slots hold where `changed`; [C, S], of the first C worlds.

    Args:
      changed: Which, bool [C, S].
      types: New type ids, 0 to empty the slot, int [C, S].
      positions: Centres of the new objects, float [C, S, 3].
    """
    self._write_slots(
      self._exchange.take(changed, wp.bool),
      self._exchange.take(types, int),
      self._free,
      self._exchange.take(positions, wp.vec3),
      self._ahead,
    )

  def _write_slots(self, changed: Any, *what: Any) -> None:
    """Changes slots: mask, types, frozen, positions, yaws, [C, S]."""
    wp.launch(
      gpu_worlds.wake_neighbours,
      dim=changed.shape[0],
      inputs=[changed, self.places, self.bodies],
    )
    wp.launch(
      gpu_worlds.write_slots,
      dim=changed.shape,
      inputs=[
        changed,
        *what,
        self._kinds,
        self.places,
        self.geoms,
        self.bodies,
        self.slots,
      ],
    )
