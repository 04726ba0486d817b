"""Changes of the objects in a compiled model's slots, without compiling.

Models of one capacity differ only in the values of some rows of their arrays.
The rows of each object type are copied from models compiled for this purpose,
so that the arrays equal those of a newly compiled model.

C: slots written at once.
"""

from typing import Final

import mujoco
import numpy as np

from adaland.envs import constants
from adaland.envs.physics import mjcf, parts, terrain

_NUM_TYPE_IDS: Final = constants.NUM_OBJECT_TYPES + 1  # With 0 for empty.

_GEOM_FIELDS: Final = (
  "geom_type",
  "geom_dataid",
  "geom_size",
  "geom_aabb",
  "geom_rbound",
  "geom_pos",
  "geom_quat",
  "geom_sameframe",
  "geom_rgba",
  "geom_contype",
  "geom_conaffinity",
)
_BODY_FIELDS: Final = ("body_contype", "body_conaffinity")
_FREE_BODY_FIELDS: Final = (
  *_BODY_FIELDS,
  "body_mass",
  "body_subtreemass",
  "body_inertia",
  "body_invweight0",
  "body_gravcomp",
)
_DOF_FIELDS: Final = ("dof_M0", "dof_invweight0", "dof_length")
_DOFS: Final = 6
_COORDINATES: Final = 7


class _Rows:
  """Rows of some fields that depend on the type of object in a slot."""

  def __init__(self, fields: tuple[str, ...], addresses: np.ndarray):
    """Initializes empty tables.

    Args:
      fields: Names of the model's arrays.
      addresses: The rows of each slot, int [S] or [S, rows per slot].
    """
    self._fields = fields
    self._addresses = addresses
    self._tables: dict[str, np.ndarray] = {}  # By type id, [types, ...].

  def append(self, model: mujoco.MjModel) -> None:
    """Appends the rows of a model's first slot, for the next type."""
    for name in self._fields:
      row = np.asarray(getattr(model, name)[self._addresses[0]])[None]
      table = self._tables.get(name, row[:0])
      self._tables[name] = np.concatenate([table, row])

  def write(
    self, model: mujoco.MjModel, slots: np.ndarray, types: np.ndarray
  ) -> None:
    """Writes the rows of types, int [C], to slots of a model, int [C]."""
    rows = self._addresses[slots]
    for name in self._fields:
      getattr(model, name)[rows] = self._tables[name][types]


class SlotWriter:
  """A writer of slots for models of one capacity."""

  def __init__(self, capacity: mjcf.Capacity):
    layout = mjcf.layout(capacity)
    flat = np.zeros((2, 2), int)
    ground = terrain.pieces(flat, flat)
    model = mjcf.build(capacity, ground)
    self._layout = layout
    self._trees = model.body_treeid[layout.slot_bodies]
    dofs = layout.slot_dofs[:, None] + np.arange(_DOFS)
    self._coordinates = layout.slot_qpos[:, None] + np.arange(_COORDINATES)
    self._free = (
      _Rows(_GEOM_FIELDS, layout.slot_geoms),
      _Rows(_FREE_BODY_FIELDS, layout.slot_bodies),
      _Rows(_DOF_FIELDS, dofs),
      _Rows(("bvh_aabb",), model.body_bvhadr[layout.slot_bodies]),
      _Rows(("tree_sleep_policy",), self._trees),
    )
    self._fixed = (
      _Rows(_GEOM_FIELDS, layout.fixed_geoms),
      _Rows(_BODY_FIELDS, layout.fixed_bodies),
      _Rows(("bvh_aabb",), model.body_bvhadr[layout.fixed_bodies]),
    )
    for type_id in range(_NUM_TYPE_IDS):
      for rows, frozen in ((self._free, False), (self._fixed, True)):
        example = mjcf.build(capacity, ground, [parts.Slot(type_id, frozen)])
        for group in rows:
          group.append(example)

  def write(
    self,
    model: mujoco.MjModel,
    slots: np.ndarray,
    types: np.ndarray,
    frozen: np.ndarray,
    positions: np.ndarray,
    yaws: np.ndarray,
  ) -> None:
    """Writes objects with their start poses into slots.

    Args:
      model: A model of this capacity, changed in place.
      slots: The slots to change, distinct, int [C].
      types: Type ids, 0 for empty, int [C].
      frozen: Objects that never move, bool [C].
      positions: Centres, float [C, 3].
      yaws: Radians, float [C].
    """
    layout = self._layout
    frozen = frozen & (types > 0)
    free_types = np.where(frozen, 0, types)
    for group in self._free:
      group.write(model, slots, free_types)
    # Summed in the compiler's order, to get the same rounding.
    model.body_subtreemass[0] = np.cumsum(model.body_mass[::-1])[-1]

    quats = np.zeros((len(slots), 4))
    quats[:, 0], quats[:, 3] = np.cos(yaws / 2), np.sin(yaws / 2)
    bodies = layout.slot_bodies[slots]
    pose = np.concatenate([positions, quats], axis=1)
    model.body_pos[bodies], model.body_quat[bodies] = positions, quats
    coordinates = self._coordinates[slots]
    model.qpos0[coordinates] = model.qpos_spring[coordinates] = pose
    # Few objects are frozen, so usually no fixed body is used before or after.
    if frozen.any() or model.geom_contype[layout.fixed_geoms[slots]].any():
      self._write_fixed(model, slots, types, frozen, positions, quats)

  def _write_fixed(
    self,
    model: mujoco.MjModel,
    slots: np.ndarray,
    types: np.ndarray,
    frozen: np.ndarray,
    positions: np.ndarray,
    quats: np.ndarray,
  ) -> None:
    """Writes the fixed bodies."""
    layout = self._layout
    for group in self._fixed:
      group.write(model, slots, np.where(frozen, types, 0))
    fixed = layout.fixed_bodies[slots]
    model.body_pos[fixed] = np.where(frozen[:, None], positions, parts.PARKING)
    model.body_quat[fixed] = np.where(
      frozen[:, None], quats, (1.0, 0.0, 0.0, 0.0)
    )
