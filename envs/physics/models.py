"""The MuJoCo models of a batch of worlds, and the objects in their slots.

N: environments, P: players, S: slots.
"""

import collections
import copy
import functools
from collections.abc import Iterable, Mapping
from typing import Final

import mujoco
import numpy as np

from adaland.envs import constants
from adaland.envs.physics import base, mjcf, parts, slots, terrain

_TERRAINS_KEPT: Final = 64
_SENSED: Final = int(mujoco.mjtStage.mjSTAGE_POS)
_NEVER_SENSED: Final = int(mujoco.mjtStage.mjSTAGE_NONE)


class Models:
  """One model per environment, changed in place.

  Attributes:
    capacity: Sizes of all models.
    layout: Addresses in the models' arrays.
    models: The models, N.
    scenes: The start state of each environment, N.
    free: Slots that hold an object that can move, bool [N, S].
    fixed_contacts: Contacts among frozen objects, which the simulation does
      not report, bool [N, P+S, P+S].
    watched: Pairs of nodes whose contacts are reported, lower first, bool
      [N, P+S, P+S].
    sensed: Pair of nodes of each contact sensor, lower first, -1 for a sensor
      that is off, int [N, K, 2].
    crowded: Environments that since their start have had more pairs to watch
      than sensors; all their sensors are off, bool [N].
    node_bodies: The body of each node, after an entry for node -1, int32
      [N, 1+P+S].
    geom_nodes: The node of each geom, then an entry for geom -1, int32.
  """

  def __init__(self, num_envs: int, capacity: mjcf.Capacity):
    """Initializes empty flat worlds."""
    P, S = capacity.num_players, capacity.num_slots
    empty = base.empty_scene(S, P)
    ground = _model(capacity, empty)
    self.capacity = capacity
    self.layout = mjcf.layout(capacity)
    self.models = [copy.copy(ground) for _ in range(num_envs)]
    self.scenes = [empty] * num_envs
    self.free = np.zeros((num_envs, S), bool)
    self.fixed_contacts = np.zeros((num_envs, P + S, P + S), bool)
    self.watched = np.zeros((num_envs, P + S, P + S), bool)
    self.sensed = np.full((num_envs, ground.nsensor, 2), -1)
    self.crowded = np.zeros(num_envs, bool)
    self._types = np.zeros((num_envs, S), int)
    self._changed = np.zeros((num_envs, S), bool)  # Since the start.
    self._writer = _slot_writer(capacity)
    # Unused models by terrain: with few terrains, reuse saves copying a model
    # for each scene.
    self._spare: dict[tuple, list[mujoco.MjModel]] = collections.defaultdict(
      list
    )

    layout = self.layout
    nodes = np.full(ground.ngeom + 1, base.NODE_TERRAIN, np.int32)
    nodes[-1] = base.NODE_NONE
    nodes[layout.player_geoms] = np.arange(P)
    nodes[layout.slot_geoms] = P + np.arange(S)
    nodes[layout.fixed_geoms] = P + np.arange(S)
    self.geom_nodes = nodes
    bodies = np.concatenate([[-1], layout.player_bodies, layout.slot_bodies])
    self.node_bodies = np.tile(bodies.astype(np.int32), (num_envs, 1))
    geoms = np.concatenate([layout.player_geoms, layout.slot_geoms])
    self._node_geoms = np.tile(geoms, (num_envs, 1))

  def save_changes(self) -> dict[str, np.ndarray]:
    """Returns the slots changed since the start, and their types."""
    return {"changed": self._changed.copy(), "types": self._types.copy()}

  def load_changes(
    self, saved: Mapping[str, np.ndarray], at: np.ndarray
  ) -> None:
    """Repeats the changes returned by `save_changes`.

    Args:
      saved: The changes; other entries are ignored.
      at: Current positions of the slots' objects, float [N, S, 3].
    """
    for env in range(len(self.models)):
      changed = np.flatnonzero(saved["changed"][env])
      if changed.size:
        types = saved["types"][env, changed]
        self.set_slots(env, changed, types, at[env, changed])

  def load(self, env: int, scene: base.Scene) -> None:
    """Replaces the scene of an environment."""
    old, new = _terrain_key(self.scenes[env]), _terrain_key(scene)
    if old != new:
      if sum(map(len, self._spare.values())) >= len(self.models):
        self._spare.clear()
      self._spare[old].append(self.models[env])
      waiting = self._spare[new]
      self.models[env] = (
        waiting.pop() if waiting else copy.copy(_model(self.capacity, scene))
      )
    self.scenes[env] = scene
    self._changed[env] = True
    self.restore(env)

  def restore(self, env: int) -> None:
    """Puts the scene's objects back into the slots that were changed."""
    which = np.flatnonzero(self._changed[env])
    if not which.size:
      return
    scene = self.scenes[env]
    used = scene.slot_types > 0
    frozen = scene.slot_frozen & used
    self._write(
      env,
      which,
      scene.slot_types[which],
      frozen[which],
      np.where(used[:, None], scene.slot_at, parts.PARKING)[which],
      np.where(used, scene.slot_yaw, 0.0)[which],
    )
    self._changed[env] = False
    self._find_fixed_contacts(env, np.flatnonzero(frozen))
    self.sensed[env] = -1
    self.crowded[env] = False
    self._watch(env)

  def set_slots(
    self, env: int, which: np.ndarray, types: np.ndarray, at: np.ndarray
  ) -> None:
    """Changes objects in slots of an environment; new ones are not frozen."""
    still = np.zeros(len(which), bool)
    self._write(env, which, types, still, at, np.zeros(len(which)))
    self._changed[env, which] = True
    nodes = self.capacity.num_players + which
    self.fixed_contacts[env, nodes] = False
    self.fixed_contacts[env, :, nodes] = False
    self._watch(env)

  def _watch(self, env: int) -> None:
    """Assigns sensors to the pairs of nodes whose contacts are reported.

    A pair keeps its sensor: MuJoCo does not update the readings of sleeping
    pairs. New pairs have an object that has just appeared and is awake.
    """
    contacts = self.scenes[env].contacts
    if not contacts.any():  # As in most games.
      self.watched[env], self.sensed[env] = False, -1
      self.models[env].sensor_needstage[:] = _NEVER_SENSED
      return
    players = constants.PLAYER_TYPE_IDS[: self.capacity.num_players]
    types = np.array([*players, *self._types[env]])
    watched = np.triu(contacts[types[:, None], types], 1)
    self.watched[env] = watched
    sensed = self.sensed[env]
    kept = (sensed[:, 0] >= 0) & watched[sensed[:, 0], sensed[:, 1]]
    new = watched.copy()
    new[sensed[kept, 0], sensed[kept, 1]] = False
    pairs, unused = np.argwhere(new), np.flatnonzero(~kept)
    sensed[unused] = -1
    self.crowded[env] |= len(pairs) > len(unused)
    if self.crowded[env]:
      sensed[:] = -1
    else:
      sensed[unused[: len(pairs)]] = pairs
    used = sensed[:, 0] >= 0
    model, geoms = self.models[env], self._node_geoms[env]
    model.sensor_objid[used] = geoms[sensed[used, 0]]
    model.sensor_refid[used] = geoms[sensed[used, 1]]
    model.sensor_needstage[:] = np.where(used, _SENSED, _NEVER_SENSED)

  def _write(
    self,
    env: int,
    which: np.ndarray,
    types: np.ndarray,
    frozen: np.ndarray,
    at: np.ndarray,
    yaws: np.ndarray,
  ) -> None:
    layout = self.layout
    self._writer.write(self.models[env], which, types, frozen, at, yaws)
    self._types[env, which] = types
    self.free[env, which] = (types > 0) & ~frozen
    nodes = self.capacity.num_players + which
    self.node_bodies[env, 1 + nodes] = np.where(
      frozen, layout.fixed_bodies[which], layout.slot_bodies[which]
    )
    self._node_geoms[env, nodes] = np.where(
      frozen, layout.fixed_geoms[which], layout.slot_geoms[which]
    )

  def _find_fixed_contacts(self, env: int, frozen: np.ndarray) -> None:
    """Finds the contacts among the frozen slots, int [F]."""
    touching = self.fixed_contacts[env]
    touching[:] = False
    if len(frozen) < 2:
      return
    model, geoms = self.models[env], self.layout.fixed_geoms
    data = mujoco.MjData(model)
    reach = 2 * constants.TOUCHING_METRES
    for index, first in enumerate(frozen):
      for second in frozen[:index]:
        gap = mujoco.mj_geomDistance(
          model, data, geoms[first], geoms[second], reach, None
        )
        if gap <= constants.TOUCHING_METRES:
          a, b = self.capacity.num_players + np.array([first, second])
          touching[a, b] = touching[b, a] = True


@functools.lru_cache(maxsize=8)
def _slot_writer(capacity: mjcf.Capacity) -> slots.SlotWriter:
  """Returns the cached writer for a capacity, which compiles many models."""
  return slots.SlotWriter(capacity)


def pieces(scene: base.Scene) -> terrain.Pieces:
  """Returns the pieces of the scene's terrain."""
  return _pieces(*_terrain_key(scene))


def needed(scenes: Iterable[base.Scene]) -> tuple[int, int]:
  """Returns the largest numbers of boxes and of ramps in scenes' terrains."""
  found = [pieces(scene) for scene in scenes]
  boxes = max((len(ground.box_centres) for ground in found), default=0)
  ramps = max((len(ground.ramp_bases) for ground in found), default=0)
  return boxes, ramps


def check(scene: base.Scene, capacity: mjcf.Capacity) -> None:
  """Raises ValueError if a scene's sizes differ from the models'."""
  S, P = capacity.num_slots, capacity.num_players
  for name, wanted in (
    ("ramps", np.shape(scene.heights)),
    ("slot_types", (S,)),
    ("slot_at", (S, 3)),
    ("slot_yaw", (S,)),
    ("slot_frozen", (S,)),
    ("player_at", (P, 3)),
    ("contacts", base.ALL_CONTACTS.shape),
  ):
    shape = np.shape(getattr(scene, name))
    if shape != wanted:
      raise ValueError(f"scene.{name} has shape {shape}, allowed: {wanted}")


def _model(capacity: mjcf.Capacity, scene: base.Scene) -> mujoco.MjModel:
  """Returns a shared model with the scene's terrain and empty slots."""
  return _terrain_model(capacity, *_terrain_key(scene))


def _terrain_key(scene: base.Scene) -> tuple[tuple[int, ...], bytes, bytes]:
  """Returns heights and ramps as a key for caches."""
  heights = np.ascontiguousarray(scene.heights, np.int64)
  ramps = np.ascontiguousarray(scene.ramps, np.int64)
  return heights.shape, heights.tobytes(), ramps.tobytes()


@functools.lru_cache(maxsize=_TERRAINS_KEPT)
def _pieces(
  shape: tuple[int, ...], heights: bytes, ramps: bytes
) -> terrain.Pieces:
  return terrain.pieces(
    np.frombuffer(heights, np.int64).reshape(shape),
    np.frombuffer(ramps, np.int64).reshape(shape),
  )


@functools.lru_cache(maxsize=_TERRAINS_KEPT)
def _terrain_model(
  capacity: mjcf.Capacity, shape: tuple[int, ...], heights: bytes, ramps: bytes
) -> mujoco.MjModel:
  return mjcf.build(capacity, _pieces(shape, heights, ramps))
