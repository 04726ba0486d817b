"""The models of a batch of worlds, and what their slots hold.

N: environments, P: players, S: slots.
"""

import collections
import copy
import functools
from collections.abc import Iterable
from typing import Final

import mujoco
import numpy as np

from adaland.envs import constants
from adaland.envs.physics import base, mjcf, parts, slots, terrain

_TERRAINS_KEPT: Final = 64
SENSORS_OFF: Final = int(mujoco.mjtDisableBit.mjDSBL_SENSOR)


class Models:
  """A model an environment, changed in place.

  Attributes:
    capacity: Sizes of all models.
    layout: Where things are in them.
    models: The models, N.
    scenes: What each environment starts with, N.
    free: Whether a slot holds an object that can move, bool [N, S].
    fixed_contacts: Contacts among frozen objects, for which the simulation
      doesn't look, bool [N, P+S, P+S].
    node_bodies: The body of each node, after one for node -1, int32
      [N, 1+P+S].
    geom_nodes: The node of each geom, then one for geom -1, int32.
  """

  def __init__(self, num_envs: int, capacity: mjcf.Capacity):
    """Starts with empty flat worlds."""
    P, S = capacity.num_players, capacity.num_slots
    empty = base.empty_scene(S, P)
    ground = _model(capacity, empty)
    self.capacity = capacity
    self.layout = mjcf.layout(capacity)
    self.models = [copy.copy(ground) for _ in range(num_envs)]
    self.scenes = [empty] * num_envs
    self.free = np.zeros((num_envs, S), bool)
    self.fixed_contacts = np.zeros((num_envs, P + S, P + S), bool)
    self._types = np.zeros((num_envs, S), int)
    self._changed = np.zeros((num_envs, S), bool)  # Since the start.
    self._writer = slots.SlotWriter(capacity)
    # Models that wait for another scene of their terrain: where there are few
    # terrains, this saves copying one for each scene.
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

  def grown(self, capacity: mjcf.Capacity, at: np.ndarray) -> "Models":
    """The same worlds with room for more terrain.

    Args:
      capacity: The new capacity.
      at: Where the slots' objects are now, float [N, S, 3].
    """
    new = Models(len(self.models), capacity)
    for env, scene in enumerate(self.scenes):
      new.load(env, scene)
      changed = np.flatnonzero(self._changed[env])
      if changed.size:
        types = self._types[env, changed]
        new.set_slots(env, changed, types, at[env, changed])
    return new

  def load(self, env: int, scene: base.Scene) -> None:
    """Gives an environment another scene."""
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
    """Puts what the scene starts with into the slots that differ."""
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

  def set_slots(
    self, env: int, which: np.ndarray, types: np.ndarray, at: np.ndarray
  ) -> None:
    """Changes what slots of an environment hold; nothing new is frozen."""
    still = np.zeros(len(which), bool)
    self._write(env, which, types, still, at, np.zeros(len(which)))
    self._changed[env, which] = True
    nodes = self.capacity.num_players + which
    self.fixed_contacts[env, nodes] = False
    self.fixed_contacts[env, :, nodes] = False

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
    self.node_bodies[env, 1 + self.capacity.num_players + which] = np.where(
      frozen, layout.fixed_bodies[which], layout.slot_bodies[which]
    )

  def _find_fixed_contacts(self, env: int, frozen: np.ndarray) -> None:
    """Contacts among the frozen slots, int [F]."""
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


def pieces(scene: base.Scene) -> terrain.Pieces:
  """What the scene's terrain is made of."""
  return _pieces(*_terrain_key(scene))


def needed(scenes: Iterable[base.Scene]) -> tuple[int, int]:
  """Boxes and ramps that the largest terrains of some scenes are made of."""
  found = [pieces(scene) for scene in scenes]
  boxes = max((len(ground.box_centres) for ground in found), default=0)
  ramps = max((len(ground.ramp_bases) for ground in found), default=0)
  return boxes, ramps


def check(scene: base.Scene, capacity: mjcf.Capacity) -> None:
  """Raises ValueError if a scene has other sizes than the models."""
  S, P = capacity.num_slots, capacity.num_players
  for name, wanted in (
    ("ramps", np.shape(scene.heights)),
    ("slot_types", (S,)),
    ("slot_at", (S, 3)),
    ("slot_yaw", (S,)),
    ("slot_frozen", (S,)),
    ("player_at", (P, 3)),
  ):
    shape = np.shape(getattr(scene, name))
    if shape != wanted:
      raise ValueError(f"scene.{name} has shape {shape}, must be {wanted}")


def _model(capacity: mjcf.Capacity, scene: base.Scene) -> mujoco.MjModel:
  """A model with the scene's terrain and empty slots, not to be changed."""
  return _terrain_model(capacity, *_terrain_key(scene))


def _terrain_key(scene: base.Scene) -> tuple[tuple[int, ...], bytes, bytes]:
  """Heights and ramps in a form that caches can look up."""
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
  model = mjcf.build(capacity, _pieces(shape, heights, ramps))
  model.opt.disableflags |= SENSORS_OFF  # On for moments, see CpuPhysics.
  return model
