"""Device code that changes what slots of worlds hold.

All writes go to rows of MJWarp's batched model fields and of its data; see
`gpu_model` for what the rows mean. Dimensions are worlds first.

W: worlds, S: slots, P: players, M = P + S: nodes, C: worlds changed.
"""

import warp as wp

wp.set_module_options({"enable_backward": False})

_SHAPES = wp.constant(3)  # Geoms a slot: box, sphere, pyramid.
_PYRAMID = wp.constant(2)
_ASLEEP = wp.constant(0)  # As mujoco.mjtSleepState has them.
_AWAKE = wp.constant(1)
# What MuJoCo gives a tree that must be at rest for ten steps before it sleeps.
_JUST_WOKEN = wp.constant(-11)


@wp.struct
class Kinds:
  """Rows of each type, see `gpu_model.Kinds`, and the pyramid's mesh."""

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
  """Rows of geoms: of the model, static ones' places, and what rays skip."""

  size: wp.array2d[wp.vec3]
  aabb: wp.array3d[wp.vec3]
  rbound: wp.array2d[float]
  dataid: wp.array2d[int]
  xpos: wp.array2d[wp.vec3]
  xmat: wp.array2d[wp.mat33]
  shown: wp.array2d[wp.bool]


@wp.struct
class Bodies:
  """Rows of bodies and degrees of freedom, and their motion."""

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
  """What slots hold, and of frozen objects where."""

  types: wp.array2d[int]
  frozen: wp.array2d[wp.bool]
  at: wp.array2d[wp.vec3]
  yaw: wp.array2d[float]
  held: wp.array2d[int]
  touching: wp.array3d[wp.bool]


@wp.struct
class Starts:
  """Where slots and players start, and which frozen objects touch."""

  types: wp.array2d[int]
  frozen: wp.array2d[wp.bool]
  at: wp.array2d[wp.vec3]
  yaw: wp.array2d[float]
  player_at: wp.array2d[wp.vec3]
  touching: wp.array3d[wp.bool]


@wp.struct
class Places:
  """Where slots and players are in the arrays, and where slots wait."""

  num_players: int
  num_slots: int
  fixed_geom: int
  slot_geom: int
  slot_body: int
  parking: wp.array[wp.vec3]


@wp.func
def upright(yaw: float) -> wp.mat33:
  """The rotation by yaw about z."""
  c, s = wp.cos(yaw), wp.sin(yaw)
  return wp.mat33(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)


@wp.func
def _write_geoms(geoms: Geoms, kinds: Kinds, world: int, first: int, kind: int):
  """Makes a slot's three geoms those of a kind."""
  half = kinds.box[kind]
  geoms.size[world, first] = half
  geoms.aabb[world, first, 1] = half
  geoms.rbound[world, first] = wp.length(half)
  radius = kinds.ball[kind]
  geoms.size[world, first + 1] = wp.vec3(radius, 0.0, 0.0)
  geoms.aabb[world, first + 1, 1] = wp.vec3(radius, radius, radius)
  geoms.rbound[world, first + 1] = radius
  shape = kinds.shape[kind]
  geoms.dataid[world, first + _PYRAMID] = wp.where(
    shape == _PYRAMID, kinds.mesh_id, -1
  )
  for i in range(_SHAPES):
    geoms.shown[world, first + i] = shape == i


@wp.kernel
def wake_neighbours(
  changed: wp.array2d[wp.bool],  # [W, S]
  places: Places,
  bodies: Bodies,
):
  """Wakes what sleeps in touch with slots that change.

  Trees that fell asleep together point at one another in a ring, which may
  not be left broken.
  """
  world = wp.tid()
  first = 2 * places.num_players
  for slot in range(places.num_slots):
    if changed[world, slot]:
      tree = int(first + slot)
      following = int(bodies.tree_asleep[world, tree])
      while following >= 0:
        bodies.tree_asleep[world, tree] = _JUST_WOKEN
        bodies.tree_awake[world, tree] = 1
        bodies.body_awake[world, places.slot_body + tree - first] = _AWAKE
        tree = following
        following = int(bodies.tree_asleep[world, tree])


@wp.kernel
def write_slots(
  changed: wp.array2d[wp.bool],  # [W, S]
  types: wp.array2d[int],  # [W, S]
  frozen: wp.array2d[wp.bool],  # [W, S]
  at: wp.array2d[wp.vec3],  # [W, S]
  yaw: wp.array2d[float],  # [W, S]
  kinds: Kinds,
  places: Places,
  geoms: Geoms,
  bodies: Bodies,
  slots: Slots,
):
  """Makes slots hold objects at rest; type 0 parks them."""
  world, slot = wp.tid()
  if not changed[world, slot]:
    return
  kind = types[world, slot]
  still = kind > 0 and frozen[world, slot]
  free, fixed = wp.where(still, 0, kind), wp.where(still, kind, 0)
  here, turn = at[world, slot], yaw[world, slot]
  slots.types[world, slot] = kind
  slots.frozen[world, slot] = still
  slots.at[world, slot] = here
  slots.yaw[world, slot] = turn

  first = places.fixed_geom + _SHAPES * slot
  _write_geoms(geoms, kinds, world, first, fixed)
  place = wp.where(still, here, places.parking[slot])
  rotation = upright(turn)
  geoms.xpos[world, first] = place
  geoms.xmat[world, first] = rotation
  geoms.xpos[world, first + 1] = place
  geoms.xmat[world, first + 1] = rotation
  geoms.xpos[world, first + 2] = place + rotation @ kinds.mesh_pos
  geoms.xmat[world, first + 2] = rotation @ kinds.mesh_mat

  _write_geoms(geoms, kinds, world, places.slot_geom + _SHAPES * slot, free)
  body = places.slot_body + slot
  bodies.mass[world, body] = kinds.mass[free]
  bodies.subtreemass[world, body] = kinds.mass[free]
  bodies.inertia[world, body] = kinds.inertia[free]
  inverse = kinds.inverse[free]
  bodies.invweight0[world, body] = inverse
  bodies.gravcomp[world, body] = kinds.weightless[free]
  dof = 6 * places.num_players + 6 * slot
  qpos = 6 * places.num_players + 7 * slot
  for i in range(3):
    bodies.dof_invweight0[world, dof + i] = inverse[0]
    bodies.dof_invweight0[world, dof + 3 + i] = inverse[1]
  for i in range(6):
    bodies.qvel[world, dof + i] = 0.0
    bodies.qacc[world, dof + i] = 0.0
    bodies.warmstart[world, dof + i] = 0.0
  origin = wp.where(free > 0, here, places.parking[slot])
  half_turn = wp.where(free > 0, 0.5 * turn, 0.0)
  for i in range(3):
    bodies.qpos[world, qpos + i] = origin[i]
  bodies.qpos[world, qpos + 3] = wp.cos(half_turn)
  bodies.qpos[world, qpos + 4] = 0.0
  bodies.qpos[world, qpos + 5] = 0.0
  bodies.qpos[world, qpos + 6] = wp.sin(half_turn)

  tree = 2 * places.num_players + slot
  bodies.tree_asleep[world, tree] = wp.where(free > 0, _JUST_WOKEN, tree)
  bodies.tree_awake[world, tree] = wp.where(free > 0, 1, 0)
  bodies.body_awake[world, body] = wp.where(free > 0, _AWAKE, _ASLEEP)

  for player in range(places.num_players):
    bodies.eq_active[world, player * places.num_slots + slot] = False
    if slots.held[world, player] == slot:
      slots.held[world, player] = -1
  node = places.num_players + slot
  for other in range(places.num_players + places.num_slots):
    slots.touching[world, node, other] = False
    slots.touching[world, other, node] = False
