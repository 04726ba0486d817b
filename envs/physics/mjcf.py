"""The MuJoCo model of one world: a skeleton whose sizes never change.

Every world of a run has the same bodies, joints, geoms, constraints and
sensors in the same order, so that one batch can run them all and what a slot
holds can change by copying numbers (see `slots`). Bodies are, in order: the
world with the terrain, a fixed body for each slot (used while the slot's
object is frozen), the players, their hands, the slots' free bodies.

A hand is an invisible heavy point that is driven exactly along the way the
engine asks for; a soft constraint pulls the held object towards it, so the
object still collides and lags behind when something stops it.

P: players, S: slots, G: terrain geoms.
"""

import functools
from collections.abc import Sequence
from typing import Final, NamedTuple

import mujoco
import numpy as np

from envs import constants, shapes
from envs.physics import terrain

SUBSTEPS: Final = 6

# --- Solver ------------------------------------------------------------------
# Below this speed (metres a second) an island counts as at rest.
_SLEEP_TOLERANCE: Final = 0.005
# Contacts act as springs this fast (seconds): the least MuJoCo allows.
_CONTACT_SECONDS: Final = 2 * constants.STEP_SECONDS / SUBSTEPS

# --- Bodies ------------------------------------------------------------------
_OBJECT_FRICTION: Final = (0.6, 0.005, 0.0001)
# Air drag; it also brings rolling spheres to rest within some seconds.
_OBJECT_DAMPING: Final = 0.15
# Like the objects' masses: a much heavier avatar would squeeze objects into
# walls, a much lighter one could not push them.
_AVATAR_MASS: Final = 5.0
_AVATAR_FRICTION: Final = (0.1, 0.005, 0.0001)
_AVATAR_SPEED_GAIN: Final = 180.0  # Newtons per metre a second of error.
_AVATAR_FORCE: Final = 82.0
_HAND_MASS: Final = 100.0
# Reaches the wanted speed in one substep (explicit Euler).
_HAND_SPEED_GAIN: Final = _HAND_MASS * SUBSTEPS / constants.STEP_SECONDS
# Spring and damper that pull a held object to the hand, per unit of mass.
_GRIP_STIFFNESS: Final = 90.0
_GRIP_DAMPING: Final = 16.0
_GRIP_IMPEDANCE: Final = 0.8

PARKING: Final = (0.0, 0.0, -100.0)  # Where unused slots wait, asleep.

_TERRAIN_RGBA: Final = (0.55, 0.55, 0.5, 1.0)
_PLAYER_RGBA: Final = ((0.2, 0.5, 0.9, 1.0), (0.9, 0.4, 0.2, 1.0))
_COLOUR_RGBA: Final = (
  (0.08, 0.08, 0.08, 1.0),
  (0.55, 0.15, 0.75, 1.0),
  (0.95, 0.85, 0.1, 1.0),
)
_HIDDEN_RGBA: Final = (0.0, 0.0, 0.0, 0.0)  # Rays and renderers skip it.


class Capacity(NamedTuple):
  """Sizes shared by all worlds of a run."""

  num_slots: int
  num_players: int
  max_boxes: int
  max_ramps: int

  @property
  def num_nodes(self) -> int:
    return self.num_players + self.num_slots


class Slot(NamedTuple):
  """What a slot of a compiled model starts with."""

  type_id: int = 0
  frozen: bool = False
  at: Sequence[float] = PARKING
  yaw: float = 0.0


class Layout(NamedTuple):
  """Where things are in a model's arrays.

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
    pairs: Nodes whose contact each sensor reports, lower first, int [K, 2].
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
  pairs: np.ndarray


def yaw_quat(yaw: float) -> tuple[float, float, float, float]:
  """The rotation by yaw about z as (w, x, y, z)."""
  return float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))


@functools.lru_cache
def layout(capacity: Capacity) -> Layout:
  """Where things are in the models of this capacity."""
  model = build(capacity, terrain.pieces(*2 * [np.zeros((2, 2), int)]))

  def geoms(kind: str, count: int) -> np.ndarray:
    return np.array([model.geom(f"{kind}{i}").id for i in range(count)], int)

  def bodies(kind: str, count: int) -> np.ndarray:
    return np.array([model.body(f"{kind}{i}").id for i in range(count)], int)

  def first(address: np.ndarray, kind: str, count: int) -> np.ndarray:
    return address[model.body_jntadr[bodies(kind, count)]]

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
    pairs=np.stack(np.triu_indices(P + S, 1), axis=1),
  )


def build(
  capacity: Capacity,
  ground: terrain.Pieces,
  slots: Sequence[Slot] = (),
) -> mujoco.MjModel:
  """Compiles a world; slots left out are empty.

  Raises:
    ValueError: if the terrain needs more pieces than the capacity has.
  """
  spec = mujoco.MjSpec()
  _set_options(spec)
  _add_meshes(spec)
  _add_terrain(spec, capacity, ground)
  missing = capacity.num_slots - len(slots)
  slots = [*slots, *[Slot()] * missing]
  for index, slot in enumerate(slots):
    _add_fixed(spec, index, slot)
  for player in range(capacity.num_players):
    _add_player(spec, player)
  for player in range(capacity.num_players):
    _add_hand(spec, player)
  for index, slot in enumerate(slots):
    _add_slot(spec, index, slot)
  _add_grips(spec, capacity)
  _add_contact_sensors(spec, capacity, slots)
  model = spec.compile()
  # The compiler places the second anchor by the start pose; we want centres.
  model.eq_data[:, :6] = 0.0
  # Compiled with contacts, as the compiler leaves other geoms out of its
  # bounding volume trees, whose sizes must not change either.
  for index, slot in enumerate(slots):
    if slot.type_id == 0 or slot.frozen:
      _disable_contacts(model, f"slot{index}")
      tree = model.body_treeid[model.body(f"slot{index}").id]
      model.tree_sleep_policy[tree] = mujoco.mjtSleepPolicy.mjSLEEP_INIT
    if slot.type_id == 0 or not slot.frozen:
      _disable_contacts(model, f"fixed{index}")
  return model


def _disable_contacts(model: mujoco.MjModel, name: str) -> None:
  model.geom_contype[model.geom(name).id] = 0
  model.geom_conaffinity[model.geom(name).id] = 0
  model.body_contype[model.body(name).id] = 0
  model.body_conaffinity[model.body(name).id] = 0


def _set_options(spec: mujoco.MjSpec) -> None:
  option = spec.option
  option.timestep = constants.STEP_SECONDS / SUBSTEPS
  option.integrator = mujoco.mjtIntegrator.mjINT_EULER
  option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
  option.sleep_tolerance = _SLEEP_TOLERANCE
  # Given, so that they do not depend on what the slots hold.
  spec.stat.meanmass = 1.0
  spec.stat.meansize = 0.5
  spec.stat.extent = 10.0
  spec.stat.center = [0.0, 0.0, 0.0]


def _add_meshes(spec: mujoco.MjSpec) -> None:
  x, y, half_height = shapes.PYRAMID.half_extents
  base = -shapes.PYRAMID.centre_height
  tip = 2 * half_height + base
  corners = [(i * x, j * y, base) for i in (-1, 1) for j in (-1, 1)]
  spec.add_mesh(
    name="pyramid", uservert=np.ravel([*corners, (0, 0, tip)]).tolist()
  )
  # Climbs along +x; it reaches into the block below.
  half, rise = constants.TILE_METRES / 2, constants.LEVEL_METRES
  profile = [(-half, -rise), (half, -rise), (-half, 0.0), (half, rise)]
  wedge = [(i, j * half, k) for i, k in profile for j in (-1, 1)]
  spec.add_mesh(name="ramp", uservert=np.ravel(wedge).tolist())


def _add_terrain(
  spec: mujoco.MjSpec, capacity: Capacity, ground: terrain.Pieces
) -> None:
  for name, found, room in (
    ("boxes", len(ground.box_centres), capacity.max_boxes),
    ("ramps", len(ground.ramp_bases), capacity.max_ramps),
  ):
    if found > room:
      raise ValueError(
        f"terrain needs {found} {name}, physics was built for at most {room}"
      )
  surface = {
    "friction": _OBJECT_FRICTION,
    "rgba": _TERRAIN_RGBA,
    "solref": (_CONTACT_SECONDS, 1.0),
  }
  # In a row, so that their bounding volume tree stays balanced.
  count = max(capacity.max_boxes, capacity.max_ramps)
  parked = np.asarray(PARKING) + np.outer(np.arange(count), (2.0, 0.0, 0.0))
  for index in range(capacity.max_boxes):
    geom = spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX)
    if index < len(ground.box_centres):
      geom.pos = ground.box_centres[index]
      geom.size = ground.box_halves[index]
      _assign(geom, surface)
    else:
      geom.pos, geom.size = parked[index], (0.1, 0.1, 0.1)
      geom.rgba = _HIDDEN_RGBA
  for index in range(capacity.max_ramps):
    geom = spec.worldbody.add_geom(
      type=mujoco.mjtGeom.mjGEOM_MESH, meshname="ramp"
    )
    if index < len(ground.ramp_bases):
      geom.pos = ground.ramp_bases[index]
      geom.quat = yaw_quat(ground.ramp_yaws[index])
      _assign(geom, surface)
    else:
      geom.pos = parked[index]
      geom.rgba = _HIDDEN_RGBA


def _assign(element: object, values: dict[str, object]) -> None:
  for name, value in values.items():
    setattr(element, name, value)


def _geom_values(type_id: int) -> dict[str, object]:
  """Geom attributes of an object type; 0 gives one that nothing meets."""
  values: dict[str, object] = {
    "friction": _OBJECT_FRICTION,
    "solref": (_CONTACT_SECONDS, 1.0),
    "gap": constants.TOUCHING_METRES / 2,  # Those of both geoms add up.
  }
  if type_id == 0:
    return values | {
      "type": mujoco.mjtGeom.mjGEOM_BOX,
      "size": shapes.CUBE.half_extents,
      "rgba": _HIDDEN_RGBA,
    }
  shape = shapes.shape_of_type(type_id)
  values["rgba"] = _COLOUR_RGBA[(type_id - 1) % constants.NUM_COLOURS]
  if shape is shapes.PYRAMID:
    return values | {"type": mujoco.mjtGeom.mjGEOM_MESH, "meshname": "pyramid"}
  ball = shape is shapes.SPHERE
  kind = mujoco.mjtGeom.mjGEOM_SPHERE if ball else mujoco.mjtGeom.mjGEOM_BOX
  return values | {"type": kind, "size": shape.half_extents}


def _inertia(shape: shapes.Shape) -> tuple[float, float, float]:
  """Principal moments about the centre of mass, kilograms metres squared."""
  x, y, z = (half * half for half in shape.half_extents)
  if shape is shapes.SPHERE:
    return (0.4 * shape.mass * x,) * 3
  if shape is shapes.PYRAMID:  # Square base 2a, height h: a²/5 + 3 h²/80.
    side = shape.mass * (x / 5 + 3 * (4 * z) / 80)
    return side, side, shape.mass * 2 * x / 5
  mass = shape.mass / 3
  return mass * (y + z), mass * (x + z), mass * (x + y)


def _set_mass(
  body: mujoco.MjsBody, mass: float, inertia: tuple[float, float, float]
) -> None:
  """About the body's own origin and axes: a diagonal mass matrix is faster."""
  body.explicitinertial = True
  body.ipos, body.iquat = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
  body.mass, body.inertia = mass, inertia


def _add_fixed(spec: mujoco.MjSpec, index: int, slot: Slot) -> None:
  """The body that stands in for a frozen object: part of the world."""
  used = slot.frozen and slot.type_id > 0
  body = spec.worldbody.add_body(name=f"fixed{index}")
  _set_mass(body, 0.0, (0.0, 0.0, 0.0))  # It can't move anyway.
  if used:
    body.pos, body.quat = slot.at, yaw_quat(slot.yaw)
  else:
    body.pos = PARKING
  geom = body.add_geom(name=f"fixed{index}")
  _assign(geom, _geom_values(slot.type_id if used else 0))


def _add_slot(spec: mujoco.MjSpec, index: int, slot: Slot) -> None:
  """The free body of a slot; while frozen it marks the place, untouchable."""
  free = slot.type_id > 0 and not slot.frozen
  type_id = slot.type_id if free else 0
  shape = shapes.shape_of_type(type_id) if free else shapes.CUBE
  body = spec.worldbody.add_body(name=f"slot{index}")
  body.pos, body.quat = slot.at, yaw_quat(slot.yaw)
  _set_mass(body, shape.mass, _inertia(shape))
  body.gravcomp = 0.0 if free else 1.0
  body.sleep = mujoco.mjtSleepPolicy.mjSLEEP_ALLOWED
  joint = body.add_freejoint()
  joint.damping[0] = _OBJECT_DAMPING
  geom = body.add_geom(name=f"slot{index}")
  _assign(geom, _geom_values(type_id))


def _add_slides(
  spec: mujoco.MjSpec,
  body: mujoco.MjsBody,
  gain: float,
  axes: int,
  force: float | None,
) -> None:
  """Three slides along the world's axes, the first `axes` driven by speed."""
  for axis in range(3):
    name = f"{body.name}_{'xyz'[axis]}"
    body.add_joint(
      name=name,
      type=mujoco.mjtJoint.mjJNT_SLIDE,
      axis=np.eye(3)[axis],
    )
    if axis >= axes:
      continue
    drive = spec.add_actuator(
      name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT
    )
    drive.set_to_velocity(kv=gain)
    if force is not None:
      drive.forcelimited, drive.forcerange = True, (-force, force)


def _add_player(spec: mujoco.MjSpec, player: int) -> None:
  """An upright capsule; its origin is at its feet."""
  body = spec.worldbody.add_body(name=f"player{player}")
  _set_mass(body, _AVATAR_MASS, (1.0, 1.0, 1.0))
  _add_slides(spec, body, _AVATAR_SPEED_GAIN, 2, _AVATAR_FORCE)
  radius, height = constants.AVATAR_RADIUS, constants.AVATAR_HEIGHT
  body.add_geom(
    name=f"player{player}",
    type=mujoco.mjtGeom.mjGEOM_CAPSULE,
    fromto=(0, 0, radius, 0, 0, height - radius),
    size=(radius, 0, 0),
    friction=_AVATAR_FRICTION,
    priority=1,  # Its friction, not the other's.
    solref=(_CONTACT_SECONDS, 1.0),
    gap=constants.TOUCHING_METRES / 2,
    rgba=_PLAYER_RGBA[player % len(_PLAYER_RGBA)],
  )


def _add_hand(spec: mujoco.MjSpec, player: int) -> None:
  body = spec.worldbody.add_body(name=f"hand{player}", gravcomp=1.0)
  _set_mass(body, _HAND_MASS, (1.0, 1.0, 1.0))
  _add_slides(spec, body, _HAND_SPEED_GAIN, 3, None)


def _add_grips(spec: mujoco.MjSpec, capacity: Capacity) -> None:
  """One constraint a player and slot, in this order, all off."""
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


def _add_contact_sensors(
  spec: mujoco.MjSpec, capacity: Capacity, slots: Sequence[Slot]
) -> None:
  """A sensor a pair of nodes: how many contacts they share."""
  names = [f"player{i}" for i in range(capacity.num_players)]
  for index, slot in enumerate(slots):
    fixed = slot.frozen and slot.type_id > 0
    names.append(f"{'fixed' if fixed else 'slot'}{index}")
  found = 1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND)
  for first, second in zip(*np.triu_indices(len(names), 1), strict=True):
    spec.add_sensor(
      type=mujoco.mjtSensor.mjSENS_CONTACT,
      objtype=mujoco.mjtObj.mjOBJ_GEOM,
      objname=names[first],
      reftype=mujoco.mjtObj.mjOBJ_GEOM,
      refname=names[second],
      intprm=(found, 0, 1),
    )
