"""The one MuJoCo model behind all worlds of the gpu back end.

MJWarp keeps sizes, masses and mesh ids per world, but only one type per geom.
Each slot's body therefore has three geoms: a box (walls and cubes), a sphere
and a mesh (pyramids). At least two of the three are always unused. An unused
mesh has the id -1, which MJWarp treats as absent from the world; an unused box
or sphere is too small to reach the surface of the geom in use. A world's
terrain and the objects in its slots are written into its rows of the model's
fields on the device; no task needs compiling.

S: slots, P: players, B: boxes, R: ramps.
"""

import functools
from collections.abc import Iterator
from typing import Final, NamedTuple

import mujoco
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.physics import base, mjcf, parts

GEOMS_A_SLOT: Final = 3  # Box, sphere, pyramid.
_UNUSED_METRES: Final = 1e-3  # Half size of unused boxes and spheres.
# Distance between parked slots, so that they never touch.
_PARKING_STEP: Final = 3.0
# Keeps objects that stand exactly on the ground in contact with it, however
# single precision rounds.
_GROUND_MARGIN: Final = 1e-5


class Compiled(NamedTuple):
  """A compiled model with its addresses; all ranges are contiguous.

  Attributes:
    model: The model; boxes, ramps and slots are unused.
    first_ramp: Geom id of the first ramp; boxes start at 0.
    fixed_geom: Geom id of the first slot's fixed geoms.
    player_geom: Geom id of the first player.
    slot_geom: Geom id of the first slot's free geoms.
    slot_body: Body id of the first slot's free body.
    geom_nodes: The node of each geom, NODE_TERRAIN for terrain, int32.
    pyramid_pose: Position and orientation of the pyramid mesh in its body.
    ramp_pose: The same for the ramp mesh, relative to the centre of its base.
    pyramid_planes: Normals and offsets of the pyramid's faces in the mesh's
      frame, float32 [5, 4].
    ramp_planes: The same for the ramp, float32 [5, 4].
  """

  model: mujoco.MjModel
  first_ramp: int
  fixed_geom: int
  player_geom: int
  slot_geom: int
  slot_body: int
  geom_nodes: np.ndarray
  pyramid_pose: tuple[np.ndarray, np.ndarray]
  ramp_pose: tuple[np.ndarray, np.ndarray]
  pyramid_planes: np.ndarray
  ramp_planes: np.ndarray


class TypeTable(NamedTuple):
  """Rows of a free body for each type id, 0 for an empty slot.

  Attributes:
    box: Half sizes of the box, float32 [T, 3].
    ball: Radius of the sphere, float32 [T].
    shape: Index of the geom in use, 0 to 2, -1 for none, int32 [T].
    mass: Kilograms, float32 [T].
    inertia: Principal moments, kg m², float32 [T, 3].
    inverse: 1 / mass and the mean of 1 / inertia, which scale constraints,
      float32 [T, 2].
    weightless: 1 where gravity does not act, else 0, float32 [T].
  """

  box: np.ndarray
  ball: np.ndarray
  shape: np.ndarray
  mass: np.ndarray
  inertia: np.ndarray
  inverse: np.ndarray
  weightless: np.ndarray


@functools.lru_cache
def type_table() -> TypeTable:
  """Returns the rows of all types."""
  table = [shapes.CUBE] + [
    shapes.shape_of_type(t) for t in range(1, constants.NUM_OBJECT_TYPES + 1)
  ]
  for shape in table:
    if shape.form == "mesh" and shape is not shapes.PYRAMID:
      raise ValueError(
        f"shape {shape.name!r} is a mesh, allowed on the gpu back end: boxes, "
        "balls and the pyramid"
      )
  geoms = [("box", "ball", "mesh").index(shape.form) for shape in table]
  used = np.array([-1, *geoms[1:]], np.int32)
  box = [
    shape.half_extents if geom == 0 else (_UNUSED_METRES,) * 3
    for shape, geom in zip(table, used, strict=True)
  ]
  ball = [
    shape.half_extents[0] if geom == 1 else _UNUSED_METRES
    for shape, geom in zip(table, used, strict=True)
  ]
  mass = np.array([shape.mass for shape in table])
  inertia = np.array([parts.even(x.inertia(x.mass)) for x in table])
  return TypeTable(
    box=np.array(box, np.float32),
    ball=np.array(ball, np.float32),
    shape=used,
    mass=mass.astype(np.float32),
    inertia=inertia.astype(np.float32),
    inverse=np.column_stack([1 / mass, (1 / inertia).mean(axis=1)]).astype(
      np.float32
    ),
    weightless=(used < 0).astype(np.float32),
  )


def parking(num_slots: int) -> np.ndarray:
  """Returns the positions of empty slots' bodies, float32 [S, 3]."""
  at = np.tile(np.asarray(parts.PARKING, np.float32), (num_slots, 1))
  at[:, 1] += _PARKING_STEP * (1 + np.arange(num_slots))
  return at


def make_model(
  capacity: mjcf.Capacity, fovy: float | None = None
) -> mujoco.MjModel:
  """Compiles the model for worlds of this capacity.

  Args:
    capacity: Sizes of the model.
    fovy: Vertical field of view of a camera in the world, degrees; None for no
      camera.
  """
  P, S = capacity.num_players, capacity.num_slots
  spec = mujoco.MjSpec()
  mjcf.set_options(spec)
  # Box against box as in mujoco.batch: up to eight contacts.
  spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_NATIVECCD
  parts.add_meshes(spec)
  parts.add_terrain(spec, capacity.max_boxes, capacity.max_ramps)
  for index in range(S):
    body = spec.worldbody.add_body(name=f"fixed{index}", pos=parts.PARKING)
    parts.set_mass(body, 0.0, (0.0, 0.0, 0.0))
    _add_geoms(body)
  for player in range(P):
    parts.add_player(spec, player)
  for player in range(P):
    parts.add_hand(spec, player)
  for index in range(S):
    body = parts.add_slot_body(spec, index, parts.Slot())
    _add_geoms(body)
  mjcf.add_grips(spec, capacity)
  if fovy is not None:
    spec.worldbody.add_camera(name="eye", fovy=fovy)
  model = spec.compile()
  model.eq_data[:, :6] = 0.0  # Anchors at the centres, as in mjcf.build.
  model.geom_margin[: model.ngeom - P - GEOMS_A_SLOT * S] = _GROUND_MARGIN
  policies = mujoco.mjtSleepPolicy
  allowed = model.tree_sleep_policy == policies.mjSLEEP_ALLOWED
  model.tree_sleep_policy[allowed] = policies.mjSLEEP_AUTO_ALLOWED
  return model


@functools.lru_cache
def build(capacity: mjcf.Capacity) -> Compiled:
  """Compiles the model for worlds of this capacity, with its addresses."""
  return _with_addresses(make_model(capacity), capacity)


def _add_geoms(body: mujoco.MjsBody) -> None:
  """Adds the three geoms of a slot."""
  for shape in ("cube", "sphere", "pyramid"):
    type_id = 1 + constants.SHAPES.index(shape) * constants.NUM_COLOURS
    geom = body.add_geom(name=f"{body.name}_{shape}")
    for name, value in parts.geom_values(type_id).items():
      setattr(geom, name, value)


def _with_addresses(model: mujoco.MjModel, capacity: mjcf.Capacity) -> Compiled:
  """Finds the addresses in a model of this capacity."""
  P, S = capacity.num_players, capacity.num_slots
  first_ramp = capacity.max_boxes
  fixed_geom = first_ramp + capacity.max_ramps
  player_geom = fixed_geom + GEOMS_A_SLOT * S
  slot_geom = player_geom + P
  nodes = np.full(model.ngeom, base.NODE_TERRAIN, np.int32)
  of_slots = P + np.repeat(np.arange(S), GEOMS_A_SLOT)
  nodes[fixed_geom:player_geom] = of_slots
  nodes[player_geom:slot_geom] = np.arange(P)
  nodes[slot_geom:] = of_slots
  pyramid, ramp = slot_geom + 2, first_ramp
  return Compiled(
    model=model,
    first_ramp=first_ramp,
    fixed_geom=fixed_geom,
    player_geom=player_geom,
    slot_geom=slot_geom,
    slot_body=1 + S + 2 * P,
    geom_nodes=nodes,
    pyramid_pose=_mesh_pose(model, pyramid),
    ramp_pose=_mesh_pose(model, ramp),
    pyramid_planes=_planes(model, model.geom_dataid[pyramid]),
    ramp_planes=_planes(model, model.geom_dataid[ramp]),
  )


def _mesh_pose(
  model: mujoco.MjModel, geom: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns a mesh's compiled frame relative to its defined frame."""
  mesh = model.geom_dataid[geom]
  rotation = np.zeros(9)
  mujoco.mju_quat2Mat(rotation, model.mesh_quat[mesh])
  return (
    model.mesh_pos[mesh].astype(np.float32),
    rotation.reshape(3, 3).astype(np.float32),
  )


def _planes(model: mujoco.MjModel, mesh: int) -> np.ndarray:
  """Returns outward unit normals and offsets of a convex mesh, [faces, 4]."""
  first = model.mesh_vertadr[mesh]
  corners = model.mesh_vert[first : first + model.mesh_vertnum[mesh]]
  first = model.mesh_polyadr[mesh]
  normals = model.mesh_polynormal[first : first + model.mesh_polynum[mesh]]
  offsets = (normals @ corners.T).max(axis=1)
  return np.column_stack([normals, offsets]).astype(np.float32)


def fixed_contacts(scene: base.Scene) -> Iterator[tuple[int, int]]:
  """Yields pairs of touching frozen slots, which simulation never reports."""
  frozen = np.flatnonzero(scene.slot_frozen & (scene.slot_types > 0))
  if len(frozen) < 2:
    return
  spec = mujoco.MjSpec()
  parts.add_meshes(spec)
  for index in frozen:
    slot = parts.Slot(
      int(scene.slot_types[index]),
      True,
      scene.slot_at[index],
      scene.slot_yaw[index],
    )
    parts.add_fixed(spec, int(index), slot)
  model = spec.compile()
  data = mujoco.MjData(model)
  mujoco.mj_kinematics(model, data)
  reach = 2 * constants.TOUCHING_METRES
  for a, first in enumerate(frozen):
    for b, second in enumerate(frozen[:a]):
      gap = mujoco.mj_geomDistance(model, data, a, b, reach, None)
      if gap <= constants.TOUCHING_METRES:
        yield int(first), int(second)
