"""Structs of all worlds for device code, and kernels that change slots.

All writes go to rows of MJWarp's batched model fields and of its data; `model`
explains the rows. The first axis of arrays is the world.

W: worlds, S: slots, P: players, M = P + S: nodes.
"""

import warp as wp

wp.set_module_options({"enable_backward": False})

_SHAPES = wp.constant(3)  # Geoms per slot: box, sphere, pyramid.
_PYRAMID = wp.constant(2)
_ASLEEP = wp.constant(0)  # Numbered as in mujoco.mjtSleepState.
_AWAKE = wp.constant(1)
# MuJoCo's state of a tree that will sleep only after ten steps at rest.
_JUST_WOKEN = wp.constant(-11)


@wp.struct
class TypeTable:
  """The rows of `model.TypeTable`, and the pyramid's mesh."""

  box: wp.array[wp.vec3]
  ball: wp.array[float]
  shape: wp.array[int]
  mass: wp.array[float]
  inertia: wp.array[wp.vec3]
  inverse: wp.array[wp.vec2]
  weightless: wp.array[float]
  mesh_id: int
  mesh_pos: wp.vec3
  mesh_mat: wp.mat33


@wp.struct
class Geoms:
  """Rows of geoms: sizes, meshes, poses, and whether rays can hit them."""

  size: wp.array2d[wp.vec3]
  aabb: wp.array3d[wp.vec3]
  rbound: wp.array2d[float]
  dataid: wp.array2d[int]
  xpos: wp.array2d[wp.vec3]
  xmat: wp.array2d[wp.mat33]
  active: wp.array2d[wp.bool]


@wp.struct
class Bodies:
  """Rows of bodies, degrees of freedom and trees, and their state."""

  mass: wp.array2d[float]
  subtreemass: wp.array2d[float]
  inertia: wp.array2d[wp.vec3]
  invweight0: wp.array2d[wp.vec2]
  gravcomp: wp.array2d[float]
  dof_invweight0: wp.array2d[float]
  qpos: wp.array2d[float]
  qvel: wp.array2d[float]
  qacc: wp.array2d[float]
  warmstart: wp.array2d[float]
  ctrl: wp.array2d[float]
  eq_active: wp.array2d[wp.bool]
  tree_asleep: wp.array2d[int]
  tree_awake: wp.array2d[int]
  body_awake: wp.array2d[int]


@wp.struct
class Slots:
  """Objects in slots, start poses, and the state of hands and contacts."""

  types: wp.array2d[int]
  frozen: wp.array2d[wp.bool]
  at: wp.array2d[wp.vec3]
  yaw: wp.array2d[float]
  held: wp.array2d[int]
  touching: wp.array3d[wp.bool]


@wp.struct
class StartStates:
  """Start states of slots and players, and the contacts that are reported.

  `contacts` has the pairs of type ids whose contacts are reported, `touching`
  those between frozen objects at the start.
  """

  types: wp.array2d[int]
  frozen: wp.array2d[wp.bool]
  at: wp.array2d[wp.vec3]
  yaw: wp.array2d[float]
  player_at: wp.array2d[wp.vec3]
  contacts: wp.array3d[wp.bool]
  touching: wp.array3d[wp.bool]


@wp.struct
class Layout:
  """Addresses of slots and players, and the positions of parked slots."""

  num_players: int
  num_slots: int
  fixed_geom: int
  slot_geom: int
  slot_body: int
  parking: wp.array[wp.vec3]


@wp.func
def upright(yaw: float) -> wp.mat33:
  """Returns the rotation by yaw about z."""
  c, s = wp.cos(yaw), wp.sin(yaw)
  return wp.mat33(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)


@wp.func
def _write_geoms(
  geoms: Geoms, table: TypeTable, world: int, first: int, type_id: int
):
  """Writes the rows of a type to a slot's three geoms."""
  half = table.box[type_id]
  geoms.size[world, first] = half
  geoms.aabb[world, first, 1] = half
  geoms.rbound[world, first] = wp.length(half)
  radius = table.ball[type_id]
  geoms.size[world, first + 1] = wp.vec3(radius, 0.0, 0.0)
  geoms.aabb[world, first + 1, 1] = wp.vec3(radius, radius, radius)
  geoms.rbound[world, first + 1] = radius
  shape = table.shape[type_id]
  geoms.dataid[world, first + _PYRAMID] = wp.where(
    shape == _PYRAMID, table.mesh_id, -1
  )
  for i in range(_SHAPES):
    geoms.active[world, first + i] = shape == i


@wp.func
def wake_ring(tree: int, world: int, layout: Layout, bodies: Bodies):
  """Wakes a slot's tree and all trees that fell asleep together with it.

  Trees that fell asleep together point at one another in a ring, which must
  not be left broken.
  """
  first = 2 * layout.num_players
  now = int(tree)
  following = int(0)
  while following >= 0:
    following = bodies.tree_asleep[world, now]
    bodies.tree_asleep[world, now] = _JUST_WOKEN
    if now >= first:
      bodies.tree_awake[world, now] = 1
      bodies.body_awake[world, layout.slot_body + now - first] = _AWAKE
    now = following


@wp.kernel
def wake(
  changed: wp.array2d[wp.bool],  # [W, S]
  layout: Layout,
  bodies: Bodies,
  slots: Slots,
):
  """Wakes all objects of the worlds in which slots change.

  An object that rested on one that is gone must fall.
  """
  world = wp.tid()
  changes = wp.bool(False)
  for slot in range(layout.num_slots):
    changes = changes or changed[world, slot]
  if not changes:
    return
  first = 2 * layout.num_players
  for slot in range(layout.num_slots):
    if slots.types[world, slot] > 0 and not slots.frozen[world, slot]:
      wake_ring(first + slot, world, layout, bodies)


@wp.kernel
def write_slots(
  changed: wp.array2d[wp.bool],  # [W, S]
  types: wp.array2d[int],  # [W, S]
  frozen: wp.array2d[wp.bool],  # [W, S]
  at: wp.array2d[wp.vec3],  # [W, S]
  yaw: wp.array2d[float],  # [W, S]
  table: TypeTable,
  layout: Layout,
  geoms: Geoms,
  bodies: Bodies,
  slots: Slots,
):
  """Writes objects at rest into slots; type 0 parks a slot."""
  world, slot = wp.tid()
  if not changed[world, slot]:
    return
  type_id = types[world, slot]
  is_frozen = type_id > 0 and frozen[world, slot]
  free = wp.where(is_frozen, 0, type_id)
  fixed = wp.where(is_frozen, type_id, 0)
  centre, turn = at[world, slot], yaw[world, slot]
  slots.types[world, slot] = type_id
  slots.frozen[world, slot] = is_frozen
  slots.at[world, slot] = centre
  slots.yaw[world, slot] = turn

  first = layout.fixed_geom + _SHAPES * slot
  _write_geoms(geoms, table, world, first, fixed)
  position = wp.where(is_frozen, centre, layout.parking[slot])
  rotation = upright(turn)
  geoms.xpos[world, first] = position
  geoms.xmat[world, first] = rotation
  geoms.xpos[world, first + 1] = position
  geoms.xmat[world, first + 1] = rotation
  geoms.xpos[world, first + 2] = position + rotation @ table.mesh_pos
  geoms.xmat[world, first + 2] = rotation @ table.mesh_mat

  _write_geoms(geoms, table, world, layout.slot_geom + _SHAPES * slot, free)
  body = layout.slot_body + slot
  bodies.mass[world, body] = table.mass[free]
  bodies.subtreemass[world, body] = table.mass[free]
  bodies.inertia[world, body] = table.inertia[free]
  inverse = table.inverse[free]
  bodies.invweight0[world, body] = inverse
  bodies.gravcomp[world, body] = table.weightless[free]
  dof = 6 * layout.num_players + 6 * slot
  qpos = 6 * layout.num_players + 7 * slot
  for i in range(3):
    bodies.dof_invweight0[world, dof + i] = inverse[0]
    bodies.dof_invweight0[world, dof + 3 + i] = inverse[1]
  for i in range(6):
    bodies.qvel[world, dof + i] = 0.0
    bodies.qacc[world, dof + i] = 0.0
    bodies.warmstart[world, dof + i] = 0.0
  origin = wp.where(free > 0, centre, layout.parking[slot])
  half_turn = wp.where(free > 0, 0.5 * turn, 0.0)
  for i in range(3):
    bodies.qpos[world, qpos + i] = origin[i]
  bodies.qpos[world, qpos + 3] = wp.cos(half_turn)
  bodies.qpos[world, qpos + 4] = 0.0
  bodies.qpos[world, qpos + 5] = 0.0
  bodies.qpos[world, qpos + 6] = wp.sin(half_turn)

  tree = 2 * layout.num_players + slot
  bodies.tree_asleep[world, tree] = wp.where(free > 0, _JUST_WOKEN, tree)
  bodies.tree_awake[world, tree] = wp.where(free > 0, 1, 0)
  bodies.body_awake[world, body] = wp.where(free > 0, _AWAKE, _ASLEEP)

  for player in range(layout.num_players):
    bodies.eq_active[world, player * layout.num_slots + slot] = False
    if slots.held[world, player] == slot:
      slots.held[world, player] = -1
  node = layout.num_players + slot
  for other in range(layout.num_players + layout.num_slots):
    slots.touching[world, node, other] = False
    slots.touching[world, other, node] = False
