"""Device arrays: their exchange with NumPy and JAX, and structs for kernels.

W: worlds, S: slots, P: players, C: worlds changed.
"""

from collections.abc import Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import warp as wp

from adaland.envs.physics import base, terrain
from adaland.envs.physics.gpu import model, rays, worlds

_NUMPY_TYPES: Final = {
  int: np.int32,
  wp.int32: np.int32,
  wp.bool: np.bool_,
}  # All other types are made of float32.


class Exchange:
  """Transfers of arrays between host, JAX and Warp that never wait.

  On CUDA, Warp reads JAX's arrays in place: with DLPack, one library's stream
  waits for the other's on the device. NumPy arrays also go through JAX, whose
  copies are staged, because Warp's own copy of pageable memory may wait for the
  device. On Warp's CPU device the host is the device.
  """

  def __init__(self, device: Any):
    """Initializes the exchange with a Warp device."""
    self._device = device
    # JAX may reuse memory as soon as nothing refers to it, even if Warp has not
    # read it yet. Once JAX waits for Warp, all later JAX work comes after that.
    self._lent: list[jax.Array] = []

  def take(self, array: Any, dtype: Any) -> Any:
    """Returns a NumPy or JAX array as a read-only Warp array."""
    numpy_type = _NUMPY_TYPES.get(dtype, np.float32)
    if self._device.is_cuda:
      lent = jnp.asarray(array, numpy_type)
      self._lent.append(lent)
      return wp.from_jax(lent, dtype=dtype)
    return wp.array(np.ascontiguousarray(array, numpy_type), dtype=dtype)

  def give(self, *arrays: Any) -> list[jax.Array]:
    """Copies Warp arrays, which change every step, to JAX arrays."""
    if self._device.is_cuda:
      given = [jnp.copy(wp.to_jax(array)) for array in arrays]
      self._lent.clear()
      return given
    return [jnp.array(array.numpy()) for array in arrays]


def make_struct(struct: Any, **fields: Any) -> Any:
  """Makes an instance of a Warp struct."""
  made = struct()
  for name, value in fields.items():
    setattr(made, name, value)
  return made


def padded(
  grounds: Sequence[terrain.Pieces], field: str, length: int
) -> np.ndarray:
  """Stacks a field of terrains, padded with zeros, float32 [C, length, ...]."""
  rows = [np.asarray(getattr(ground, field)) for ground in grounds]
  out = np.zeros((len(rows), length, *rows[0].shape[1:]), np.float32)
  for row, values in zip(out, rows, strict=True):
    row[: len(values)] = values
  return out


def slots(num_worlds: int, num_players: int, num_slots: int) -> Any:
  """Makes empty slots."""
  W, P, S = num_worlds, num_players, num_slots
  return make_struct(
    worlds.Slots,
    types=wp.zeros((W, S), dtype=int),
    frozen=wp.zeros((W, S), dtype=wp.bool),
    at=wp.zeros((W, S), dtype=wp.vec3),
    yaw=wp.zeros((W, S), dtype=float),
    held=wp.full((W, P), -1, dtype=int),
    touching=wp.zeros((W, P + S, P + S), dtype=wp.bool),
  )


def start_states(num_worlds: int, num_players: int, num_slots: int) -> Any:
  """Makes empty start states."""
  W, P, S = num_worlds, num_players, num_slots
  return make_struct(
    worlds.StartStates,
    types=wp.zeros((W, S), dtype=int),
    frozen=wp.zeros((W, S), dtype=wp.bool),
    at=wp.zeros((W, S), dtype=wp.vec3),
    yaw=wp.zeros((W, S), dtype=float),
    player_at=wp.zeros((W, P), dtype=wp.vec3),
    contacts=wp.zeros((W, *base.ALL_CONTACTS.shape), dtype=wp.bool),
    touching=wp.zeros((W, P + S, P + S), dtype=wp.bool),
  )


def layout(compiled: model.Compiled, num_players: int, num_slots: int) -> Any:
  """Makes the struct of addresses of slots and players in the arrays."""
  return make_struct(
    worlds.Layout,
    num_players=num_players,
    num_slots=num_slots,
    fixed_geom=compiled.fixed_geom,
    slot_geom=compiled.slot_geom,
    slot_body=compiled.slot_body,
    parking=wp.array(model.parking(num_slots), dtype=wp.vec3),
  )


def type_table(compiled: model.Compiled) -> Any:
  """Makes the struct of a slot's rows for each type."""
  rows = model.type_table()
  position, rotation = compiled.pyramid_pose
  return make_struct(
    worlds.TypeTable,
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


def geom_rows(compiled: model.Compiled, m: Any, d: Any) -> dict[str, Any]:
  """Returns rows of geoms of MJWarp's model and data, [W, geoms, ...]."""
  active = np.zeros((d.nworld, compiled.model.ngeom), bool)
  active[:, compiled.player_geom : compiled.slot_geom] = True
  return {
    "size": m.geom_size,
    "aabb": m.geom_aabb,
    "rbound": m.geom_rbound,
    "dataid": m.geom_dataid,
    "xpos": d.geom_xpos,
    "xmat": d.geom_xmat,
    "active": wp.array(active, dtype=wp.bool),
  }


def body_rows(m: Any, d: Any) -> dict[str, Any]:
  """Returns rows of bodies, degrees of freedom and trees, [W, ...]."""
  return {
    "mass": m.body_mass,
    "subtreemass": m.body_subtreemass,
    "inertia": m.body_inertia,
    "invweight0": m.body_invweight0,
    "gravcomp": m.body_gravcomp,
    "dof_invweight0": m.dof_invweight0,
    "qpos": d.qpos,
    "qvel": d.qvel,
    "qacc": d.qacc,
    "warmstart": d.qacc_warmstart,
    "ctrl": d.ctrl,
    "eq_active": d.eq_active,
    "tree_asleep": d.tree_asleep,
    "tree_awake": d.tree_awake,
    "body_awake": d.body_awake,
  }


def ray_scene(compiled: model.Compiled, nodes: Any, geoms: Any) -> Any:
  """Makes the scene of geoms through which rays are cast."""
  host = compiled.model
  planes, rows = [], np.zeros((host.nmesh, 2), np.int32)
  for geom, faces in (
    (compiled.slot_geom + 2, compiled.pyramid_planes),
    (compiled.first_ramp, compiled.ramp_planes),
  ):
    first = sum(map(len, planes))
    rows[host.geom_dataid[geom]] = first, first + len(faces)
    planes.append(faces)
  return make_struct(
    rays.Scene,
    types=wp.array(host.geom_type.astype(np.int32), dtype=int),
    nodes=nodes,
    planes=wp.array(np.concatenate(planes), dtype=wp.vec4),
    plane_rows=wp.array(rows, dtype=wp.vec2i),
    size=geoms.size,
    rbound=geoms.rbound,
    dataid=geoms.dataid,
    active=geoms.active,
    xpos=geoms.xpos,
    xmat=geoms.xmat,
  )
