"""The parts of worlds: bodies, geoms, and the constants of their dynamics.

Lengths are in metres, masses in kilograms, times in seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import mujoco
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.physics import terrain

SUBSTEPS: Final = 6  # Simulation steps in a step of the environment.
PARKING: Final = (0.0, 0.0, -100.0)  # Position of unused slots, asleep.

# Time constant of contacts: the smallest that MuJoCo allows.
_CONTACT_SECONDS: Final = 2 * constants.STEP_SECONDS / SUBSTEPS

_OBJECT_FRICTION: Final = (0.6, 0.005, 0.0001)
# Air drag, which also brings rolling spheres to rest within a few seconds.
_OBJECT_DAMPING: Final = 0.15
# Similar to the objects' masses: a much heavier avatar would squeeze objects
# into walls, a much lighter one could not push them.
_AVATAR_MASS: Final = 5.0
_AVATAR_FRICTION: Final = (0.1, 0.005, 0.0001)
_AVATAR_SPEED_GAIN: Final = 180.0  # Newtons per metre per second of error.
# Newtons: too weak to walk up the side of a pyramid.
_AVATAR_FORCE: Final = 82.0
_HAND_MASS: Final = 100.0
# The hand reaches its wanted speed in one substep (explicit Euler).
_HAND_SPEED_GAIN: Final = _HAND_MASS * SUBSTEPS / constants.STEP_SECONDS

# Colours are defined in `observations.vision`; here they only tell rays what to
# hit.
_OPAQUE_RGBA: Final = (0.5, 0.5, 0.5, 1.0)
_HIDDEN_RGBA: Final = (0.0, 0.0, 0.0, 0.0)  # Skipped by rays and renderers.
_RAMP: Final = "terrain ramp"  # Name of a mesh; a shape's is a single word.


class Slot(NamedTuple):
  """Initial content of a slot of a compiled model.

  Attributes:
    type_id: Type id of the object, 0 for none.
    frozen: Whether the object never moves.
    at: Its centre, metres, [3].
    yaw: Its yaw, radians.
  """

  type_id: int = 0
  frozen: bool = False
  at: Sequence[float] = PARKING
  yaw: float = 0.0


def yaw_quat(yaw: float) -> tuple[float, float, float, float]:
  """Returns the rotation by yaw about z as (w, x, y, z)."""
  return float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))


def add_meshes(spec: mujoco.MjSpec) -> None:
  """Adds the shapes that are not primitives."""
  for shape in shapes.SHAPE_TABLE:
    if shape.form == "mesh":
      spec.add_mesh(name=shape.name, uservert=np.ravel(shape.corners).tolist())
  # The ramp climbs along +x and extends into the block below.
  half, rise = constants.TILE_METRES / 2, constants.LEVEL_METRES
  profile = [(-half, -rise), (half, -rise), (-half, 0.0), (half, rise)]
  wedge = [(i, j * half, k) for i, k in profile for j in (-1, 1)]
  spec.add_mesh(name=_RAMP, uservert=np.ravel(wedge).tolist())


def add_terrain(spec: mujoco.MjSpec, max_boxes: int, max_ramps: int) -> None:
  """Adds hidden pieces of terrain, which `set_terrain` shows."""
  values = {
    "friction": _OBJECT_FRICTION,
    "solref": (_CONTACT_SECONDS, 1.0),
    "rgba": _HIDDEN_RGBA,
  }
  box = {"type": mujoco.mjtGeom.mjGEOM_BOX, "size": (0.1, 0.1, 0.1)}
  ramp = {"type": mujoco.mjtGeom.mjGEOM_MESH, "meshname": _RAMP}
  # In a row, so that their bounding volume tree stays balanced.
  count = max(max_boxes, max_ramps)
  parked = np.asarray(PARKING) + np.outer(np.arange(count), (2.0, 0.0, 0.0))
  for kind, number in ((box, max_boxes), (ramp, max_ramps)):
    for at in parked[:number]:
      _assign(spec.worldbody.add_geom(), kind | values | {"pos": at})


def set_terrain(
  spec: mujoco.MjSpec, ground: terrain.Pieces, max_boxes: int, max_ramps: int
) -> None:
  """Moves hidden pieces, which must be the world's only geoms, into place.

  Args:
    spec: A specification with the pieces of `add_terrain`.
    ground: The terrain.
    max_boxes: Number of boxes in the specification.
    max_ramps: Number of ramps in it.

  Raises:
    ValueError: If the terrain has more pieces.
  """
  num_boxes, num_ramps = len(ground.box_centres), len(ground.ramp_bases)
  for name, needed, allowed in (
    ("boxes", num_boxes, max_boxes),
    ("ramps", num_ramps, max_ramps),
  ):
    if needed > allowed:
      raise ValueError(
        f"number of {name} in the terrain is {needed}, allowed: at most "
        f"{allowed}"
      )
  geoms = spec.worldbody.geoms
  for index, geom in enumerate(geoms[:num_boxes]):
    geom.pos = ground.box_centres[index]
    geom.size = ground.box_halves[index]
    geom.quat = yaw_quat(ground.box_yaws[index])
    if not ground.box_hidden[index]:
      geom.rgba = _OPAQUE_RGBA
  for index, geom in enumerate(geoms[max_boxes : max_boxes + num_ramps]):
    geom.pos = ground.ramp_bases[index]
    geom.quat = yaw_quat(ground.ramp_yaws[index])
    geom.rgba = _OPAQUE_RGBA


def _assign(element: object, values: Mapping[str, object]) -> None:
  """Sets attributes of an element of a specification."""
  for name, value in values.items():
    setattr(element, name, value)


def geom_values(type_id: int) -> dict[str, object]:
  """Returns the geom attributes of an object type; 0 gives a hidden geom."""
  values: dict[str, object] = {
    "friction": _OBJECT_FRICTION,
    "solref": (_CONTACT_SECONDS, 1.0),
    "gap": constants.TOUCHING_METRES / 2,  # The gaps of both geoms add up.
  }
  if type_id == 0:
    return values | {
      "type": mujoco.mjtGeom.mjGEOM_BOX,
      "size": shapes.CUBE.half_extents,
      "rgba": _HIDDEN_RGBA,
    }
  shape = shapes.shape_of_type(type_id)
  values["rgba"] = _OPAQUE_RGBA
  if shape.form == "mesh":
    return values | {"type": mujoco.mjtGeom.mjGEOM_MESH, "meshname": shape.name}
  ball = shape.form == "ball"
  kind = mujoco.mjtGeom.mjGEOM_SPHERE if ball else mujoco.mjtGeom.mjGEOM_BOX
  return values | {"type": kind, "size": shape.half_extents}


def set_mass(
  body: mujoco.MjsBody, mass: float, inertia: tuple[float, float, float]
) -> None:
  """Sets mass and inertia about the body's own origin and axes."""
  body.explicitinertial = True  # A diagonal mass matrix is faster.
  body.ipos, body.iquat = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
  body.mass, body.inertia = mass, inertia


def even(moments: tuple[float, float, float]) -> tuple[float, float, float]:
  """Returns moments of inertia with the same mean, equal about all axes.

  If they differ, the gyroscopic torque of an object that spins at 60 radians
  per second, as after a hand strikes it against an edge, grows without bound:
  it is integrated explicitly, and in a substep the object turns by more than a
  radian.
  """
  return (sum(moments) / 3,) * 3


def add_fixed(spec: mujoco.MjSpec, index: int, slot: Slot) -> None:
  """Adds the body that represents a frozen object, as part of the world."""
  used = slot.frozen and slot.type_id > 0
  body = spec.worldbody.add_body(name=f"fixed{index}")
  set_mass(body, 0.0, (0.0, 0.0, 0.0))  # It cannot move anyway.
  if used:
    body.pos, body.quat = slot.at, yaw_quat(slot.yaw)
  else:
    body.pos = PARKING
  geom = body.add_geom(name=f"fixed{index}")
  _assign(geom, geom_values(slot.type_id if used else 0))


def add_slot_body(
  spec: mujoco.MjSpec, index: int, slot: Slot
) -> mujoco.MjsBody:
  """Adds the free body of a slot, without geoms."""
  free = slot.type_id > 0 and not slot.frozen
  shape = shapes.shape_of_type(slot.type_id) if free else shapes.CUBE
  body = spec.worldbody.add_body(name=f"slot{index}")
  body.pos, body.quat = slot.at, yaw_quat(slot.yaw)
  set_mass(body, shape.mass, even(shape.inertia(shape.mass)))
  body.gravcomp = 0.0 if free else 1.0
  body.sleep = mujoco.mjtSleepPolicy.mjSLEEP_ALLOWED
  joint = body.add_freejoint()
  joint.damping[0] = _OBJECT_DAMPING
  return body


def add_slot(spec: mujoco.MjSpec, index: int, slot: Slot) -> None:
  """Adds the free body of a slot; if frozen, it only marks the position."""
  body = add_slot_body(spec, index, slot)
  free = slot.type_id > 0 and not slot.frozen
  geom = body.add_geom(name=f"slot{index}")
  _assign(geom, geom_values(slot.type_id if free else 0))


def _add_slides(
  spec: mujoco.MjSpec,
  body: mujoco.MjsBody,
  gain: float,
  axes: int,
  force: float | None,
) -> None:
  """Adds slide joints along the world's axes; the first `axes` have motors."""
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


def add_player(spec: mujoco.MjSpec, player: int) -> None:
  """Adds an avatar: an upright capsule with the origin at its feet."""
  body = spec.worldbody.add_body(name=f"player{player}")
  set_mass(body, _AVATAR_MASS, (1.0, 1.0, 1.0))
  _add_slides(spec, body, _AVATAR_SPEED_GAIN, 2, _AVATAR_FORCE)
  radius, height = constants.AVATAR_RADIUS, constants.AVATAR_HEIGHT
  body.add_geom(
    name=f"player{player}",
    type=mujoco.mjtGeom.mjGEOM_CAPSULE,
    fromto=(0, 0, radius, 0, 0, height - radius),
    size=(radius, 0, 0),
    friction=_AVATAR_FRICTION,
    priority=1,  # Contacts take the avatar's friction.
    solref=(_CONTACT_SECONDS, 1.0),
    gap=constants.TOUCHING_METRES / 2,
    rgba=_OPAQUE_RGBA,
  )


def add_hand(spec: mujoco.MjSpec, player: int) -> None:
  """Adds a hand: a heavy point that follows its target exactly."""
  body = spec.worldbody.add_body(name=f"hand{player}", gravcomp=1.0)
  set_mass(body, _HAND_MASS, (1.0, 1.0, 1.0))
  _add_slides(spec, body, _HAND_SPEED_GAIN, 3, None)
