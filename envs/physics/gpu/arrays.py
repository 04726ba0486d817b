"""The device arrays and structs through which kernels see all worlds.

W: worlds, S: slots, P: players.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import warp as wp

from adaland.envs.physics import terrain
from adaland.envs.physics.gpu import model as gpu_model
from adaland.envs.physics.gpu import rays, worlds


def struct(kind: Any, **fields: Any) -> Any:
  """An instance of a Warp struct."""
  made = kind()
  for name, value in fields.items():
    setattr(made, name, value)
  return made


def padded(
  grounds: Sequence[terrain.Pieces], field: str, most: int
) -> np.ndarray:
  """A field of some terrains, float32 [C, most, ...]."""
  rows = [np.asarray(getattr(ground, field)) for ground in grounds]
  out = np.zeros((len(rows), most, *rows[0].shape[1:]), np.float32)
  for row, values in zip(out, rows, strict=True):
    row[: len(values)] = values
  return out


def slots(num_worlds: int, num_players: int, num_slots: int) -> Any:
  """Slots that hold nothing."""
  W, P, S = num_worlds, num_players, num_slots
  return struct(
    worlds.Slots,
    types=wp.zeros((W, S), dtype=int),
    frozen=wp.zeros((W, S), dtype=wp.bool),
    at=wp.zeros((W, S), dtype=wp.vec3),
    yaw=wp.zeros((W, S), dtype=float),
    held=wp.full((W, P), -1, dtype=int),
    touching=wp.zeros((W, P + S, P + S), dtype=wp.bool),
  )


def starts(num_worlds: int, num_players: int, num_slots: int) -> Any:
  """Room for the worlds' starts."""
  W, P, S = num_worlds, num_players, num_slots
  return struct(
    worlds.Starts,
    types=wp.zeros((W, S), dtype=int),
    frozen=wp.zeros((W, S), dtype=wp.bool),
    at=wp.zeros((W, S), dtype=wp.vec3),
    yaw=wp.zeros((W, S), dtype=float),
    player_at=wp.zeros((W, P), dtype=wp.vec3),
    touching=wp.zeros((W, P + S, P + S), dtype=wp.bool),
  )


def places(
  compiled: gpu_model.Compiled, num_players: int, num_slots: int
) -> Any:
  """Where slots and players are in the arrays."""
  return struct(
    worlds.Places,
    num_players=num_players,
    num_slots=num_slots,
    fixed_geom=compiled.fixed_geom,
    slot_geom=compiled.slot_geom,
    slot_body=compiled.slot_body,
    parking=wp.array(gpu_model.parking(num_slots), dtype=wp.vec3),
  )


def kinds(compiled: gpu_model.Compiled) -> Any:
  """What a slot's rows are for each type."""
  rows = gpu_model.kinds()
  position, rotation = compiled.pyramid_pose
  return struct(
    worlds.Kinds,
    box=wp.array(rows.box, dtype=wp.vec3),
    ball=wp.array(rows.ball, dtype=float),
    shape=wp.array(rows.shape, dtype=int),
    mass=wp.array(rows.mass, dtype=float),
    inertia=wp.array(rows.inertia, dtype=wp.vec3),
    inverse=wp.array(rows.inverse, dtype=wp.vec2),
    weightless=wp.array(rows.weightless, dtype=float),
    mesh_id=int(compiled.model.geom_dataid[compiled.slot_geom + 2]),
    mesh_pos=wp.vec3(*position.tolist()),
    mesh_mat=wp.mat33(*rotation.ravel().tolist()),
  )


def geom_rows(
  compiled: gpu_model.Compiled, model: Any, data: Any
) -> dict[str, Any]:
  """Rows of geoms, [W, geoms, ...]."""
  shown = np.zeros((data.nworld, compiled.model.ngeom), bool)
  shown[:, compiled.player_geom : compiled.slot_geom] = True
  return {
    "size": model.geom_size,
    "aabb": model.geom_aabb,
    "rbound": model.geom_rbound,
    "dataid": model.geom_dataid,
    "xpos": data.geom_xpos,
    "xmat": data.geom_xmat,
    "shown": wp.array(shown, dtype=wp.bool),
  }


def body_rows(model: Any, data: Any) -> dict[str, Any]:
  """Rows of bodies, degrees of freedom and trees, [W, ...]."""
  return {
    "mass": model.body_mass,
    "subtreemass": model.body_subtreemass,
    "inertia": model.body_inertia,
    "invweight0": model.body_invweight0,
    "gravcomp": model.body_gravcomp,
    "dof_invweight0": model.dof_invweight0,
    "qpos": data.qpos,
    "qvel": data.qvel,
    "qacc": data.qacc,
    "warmstart": data.qacc_warmstart,
    "ctrl": data.ctrl,
    "eq_active": data.eq_active,
    "tree_asleep": data.tree_asleep,
    "tree_awake": data.tree_awake,
    "body_awake": data.body_awake,
  }


def ray_scene(compiled: gpu_model.Compiled, nodes: Any, geoms: Any) -> Any:
  """Geoms as rays see them."""
  host = compiled.model
  planes, rows = [], np.zeros((host.nmesh, 2), np.int32)
  for geom, faces in (
    (compiled.slot_geom + 2, compiled.pyramid_planes),
    (compiled.first_ramp, compiled.ramp_planes),
  ):
    first = sum(map(len, planes))
    rows[host.geom_dataid[geom]] = first, first + len(faces)
    planes.append(faces)
  return struct(
    rays.Scene,
    types=wp.array(host.geom_type.astype(np.int32), dtype=int),
    nodes=nodes,
    planes=wp.array(np.concatenate(planes), dtype=wp.vec4),
    plane_rows=wp.array(rows, dtype=wp.vec2i),
    size=geoms.size,
    rbound=geoms.rbound,
    dataid=geoms.dataid,
    shown=geoms.shown,
    xpos=geoms.xpos,
    xmat=geoms.xmat,
  )
