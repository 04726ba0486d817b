"""The MuJoCo model of one world: a skeleton whose sizes never change.

Every world of a run has the same bodies, joints, geoms, constraints and
sensors in the same order, so that one batch can run them all, and the object
in a slot can be changed by copying numbers (see `slots`). The bodies are, in
order: the world with the terrain, a fixed body for each slot (used while the
slot's object is frozen), the players, their hands, the slots' free bodies.

A soft constraint pulls a held object to the hand, so that the object still
collides, and lags behind when something stops it.

P: players, S: slots.
"""

import functools
from collections.abc import Sequence
from typing import Final, NamedTuple

import mujoco
import numpy as np

from adaland.envs import constants
from adaland.envs.physics import parts, terrain

# Contact sensors, each for two nodes. MuJoCo visits every sensor three times
# per substep, in use or not, so a sensor for each pair of nodes would cost as
# much as everything else. Of 300 sampled tasks none needs more than five.
_MAX_SENSORS: Final = 12
# Speed (metres per second) below which an island counts as at rest.
_SLEEP_TOLERANCE: Final = 0.005
# Spring and damper that pull a held object to the hand, per kilogram.
_GRIP_STIFFNESS: Final = 90.0
_GRIP_DAMPING: Final = 16.0
_GRIP_IMPEDANCE: Final = 0.8


class Capacity(NamedTuple):
  """Sizes shared by all worlds of a run.

  Attributes:
    num_slots: Number of object slots.
    num_players: Number of players.
    max_boxes: Maximum number of boxes of a terrain.
    max_ramps: Maximum number of ramps of a terrain.
  """

  num_slots: int
  num_players: int
  max_boxes: int
  max_ramps: int

  def including(self, boxes: int, ramps: int) -> "Capacity":
    """Returns a capacity that also fits these numbers of pieces."""
    return self._replace(
      max_boxes=max(boxes, self.max_boxes),
      max_ramps=max(ramps, self.max_ramps),
    )


class Layout(NamedTuple):
  """Addresses in a model's arrays.

  Attributes:
    player_geoms: Geom ids, int [P].
    player_bodies: Body ids, int [P].
    slot_geoms: Geom ids of the free bodies, int [S].
    slot_bodies: Body ids of the free bodies, int [S].
    fixed_geoms: Geom ids of the fixed bodies, int [S].
    fixed_bodies: Body ids of the fixed bodies, int [S].
    player_qpos: First position of each player, int [P].
    hand_qpos: First position of each hand, int [P].
    slot_qpos: First position of each slot, int [S].
    slot_dofs: First degree of freedom of each slot, int [S].
  """

  player_geoms: np.ndarray
  player_bodies: np.ndarray
  slot_geoms: np.ndarray
  slot_bodies: np.ndarray
  fixed_geoms: np.ndarray
  fixed_bodies: np.ndarray
  player_qpos: np.ndarray
  hand_qpos: np.ndarray
  slot_qpos: np.ndarray
  slot_dofs: np.ndarray


@functools.lru_cache
def layout(capacity: Capacity) -> Layout:
  """Returns the addresses in models of this capacity."""
  model = build(capacity, terrain.pieces(*2 * [np.zeros((2, 2), int)]))

  def geoms(name: str, count: int) -> np.ndarray:
    return np.array([model.geom(f"{name}{i}").id for i in range(count)], int)

  def bodies(name: str, count: int) -> np.ndarray:
    return np.array([model.body(f"{name}{i}").id for i in range(count)], int)

  def first(address: np.ndarray, name: str, count: int) -> np.ndarray:
    return address[model.body_jntadr[bodies(name, count)]]

  P, S = capacity.num_players, capacity.num_slots
  return Layout(
    player_geoms=geoms("player", P),
    player_bodies=bodies("player", P),
    slot_geoms=geoms("slot", S),
    slot_bodies=bodies("slot", S),
    fixed_geoms=geoms("fixed", S),
    fixed_bodies=bodies("fixed", S),
    player_qpos=first(model.jnt_qposadr, "player", P),
    hand_qpos=first(model.jnt_qposadr, "hand", P),
    slot_qpos=first(model.jnt_qposadr, "slot", S),
    slot_dofs=first(model.jnt_dofadr, "slot", S),
  )


def build(
  capacity: Capacity,
  ground: terrain.Pieces,
  slots: Sequence[parts.Slot] = (),
) -> mujoco.MjModel:
  """Compiles the model of a world.

  Args:
    capacity: Sizes of the model.
    ground: Pieces of the terrain.
    slots: Contents of the first slots; the others are empty.

  Raises:
    ValueError: If the terrain needs more pieces than the capacity has.
  """
  used = len(slots)
  slots = [*slots, *[parts.Slot()] * (capacity.num_slots - used)]
  spec = _specification(capacity, slots) if used else _empty(capacity).copy()
  parts.set_terrain(spec, ground, capacity.max_boxes, capacity.max_ramps)
  model = spec.compile()
  model.sensor_needstage[:] = mujoco.mjtStage.mjSTAGE_NONE  # All off.
  # The compiler derives the second anchor from the start pose, but both anchors
  # must be at the centres.
  model.eq_data[:, :6] = 0.0
  # Contacts are disabled only after compiling: the compiler leaves geoms
  # without contacts out of its bounding volume trees, whose sizes must not
  # change either.
  for index, slot in enumerate(slots):
    if slot.type_id == 0 or slot.frozen:
      _disable_contacts(model, f"slot{index}")
      tree = model.body_treeid[model.body(f"slot{index}").id]
      model.tree_sleep_policy[tree] = mujoco.mjtSleepPolicy.mjSLEEP_INIT
    if slot.type_id == 0 or not slot.frozen:
      _disable_contacts(model, f"fixed{index}")
  return model


@functools.lru_cache(maxsize=8)
def _empty(capacity: Capacity) -> mujoco.MjSpec:
  """Returns the specification of an empty world, to be copied.

  Copying and compiling it takes a third as long as making it again.
  """
  return _specification(capacity, [parts.Slot()] * capacity.num_slots)


def _specification(
  capacity: Capacity, slots: Sequence[parts.Slot]
) -> mujoco.MjSpec:
  """Returns the specification of a world with hidden terrain and all slots."""
  spec = mujoco.MjSpec()
  set_options(spec)
  parts.add_meshes(spec)
  parts.add_terrain(spec, capacity.max_boxes, capacity.max_ramps)
  for index, slot in enumerate(slots):
    parts.add_fixed(spec, index, slot)
  for player in range(capacity.num_players):
    parts.add_player(spec, player)
  for player in range(capacity.num_players):
    parts.add_hand(spec, player)
  for index, slot in enumerate(slots):
    parts.add_slot(spec, index, slot)
  add_grips(spec, capacity)
  _add_contact_sensors(spec, capacity)
  return spec


def _disable_contacts(model: mujoco.MjModel, name: str) -> None:
  model.geom_contype[model.geom(name).id] = 0
  model.geom_conaffinity[model.geom(name).id] = 0
  model.body_contype[model.body(name).id] = 0
  model.body_conaffinity[model.body(name).id] = 0


def set_options(spec: mujoco.MjSpec) -> None:
  """Sets the options of the simulation."""
  option = spec.option
  option.timestep = constants.STEP_SECONDS / parts.SUBSTEPS
  option.integrator = mujoco.mjtIntegrator.mjINT_EULER
  # With pyramidal cones, a hand drives a pyramid 0.3 m deep into a wall.
  option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
  option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
  option.sleep_tolerance = _SLEEP_TOLERANCE
  # Fixed, so as not to depend on the objects in the slots.
  spec.stat.meanmass = 1.0
  spec.stat.meansize = 0.5
  spec.stat.extent = 10.0
  spec.stat.center = [0.0, 0.0, 0.0]


def add_grips(spec: mujoco.MjSpec, capacity: Capacity) -> None:
  """Adds a disabled constraint for each player and slot, in this order."""
  for player in range(capacity.num_players):
    for index in range(capacity.num_slots):
      spec.add_equality(
        type=mujoco.mjtEq.mjEQ_CONNECT,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        name1=f"hand{player}",
        name2=f"slot{index}",
        active=False,
        solref=(-_GRIP_STIFFNESS, -_GRIP_DAMPING),
        solimp=(_GRIP_IMPEDANCE, _GRIP_IMPEDANCE, 0.001, 0.5, 2.0),
      )


def _add_contact_sensors(spec: mujoco.MjSpec, capacity: Capacity) -> None:
  """Adds sensors that count the contacts of two geoms, which are set later."""
  num_nodes = capacity.num_players + capacity.num_slots
  found = 1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND)
  for _ in range(min(_MAX_SENSORS, num_nodes * (num_nodes - 1) // 2)):
    spec.add_sensor(
      type=mujoco.mjtSensor.mjSENS_CONTACT,
      objtype=mujoco.mjtObj.mjOBJ_GEOM,
      objname="player0",
      reftype=mujoco.mjtObj.mjOBJ_GEOM,
      refname="slot0",
      intprm=(found, 0, 1),
    )
