"""Device code around a step: the players' controls, contacts and poses.

W: worlds, S: slots, P: players, M = P + S: nodes.
"""

import math

import warp as wp

from adaland.envs import constants
from adaland.envs.physics.gpu import worlds

wp.set_module_options({"enable_backward": False})

_STEP = wp.constant(constants.STEP_SECONDS)
_TURN = wp.constant(2.0 * math.pi)
_ASLEEP = wp.constant(0)
_FIRST_PLAYER_TYPE = wp.constant(constants.PLAYER_TYPE_IDS[0])


@wp.kernel
def apply_controls(
  velocity: wp.array3d[float],  # [W, P, 2]
  turn: wp.array2d[float],  # [W, P]
  held_slot: wp.array2d[int],  # [W, P]
  hand_at: wp.array3d[float],  # [W, P, 3]
  max_slip: float,
  max_hand_speed: float,
  layout: worlds.Layout,
  bodies: worlds.Bodies,
  slots: worlds.Slots,
  yaw: wp.array2d[float],  # [W, P]
  stood: wp.array2d[wp.bool],  # [W, P]
  anchor: wp.array2d[wp.vec2],  # [W, P]
):
  """Turns controls into drives and grips, as `cpu.CpuPhysics.step` does."""
  world, player = wp.tid()
  P, S = layout.num_players, layout.num_slots
  angle = yaw[world, player] + _STEP * turn[world, player]
  yaw[world, player] = angle - _TURN * wp.rint(angle / _TURN)

  # A standing player returns to its anchor after slipping, see `driving`.
  x = float(velocity[world, player, 0])
  y = float(velocity[world, player, 1])
  at = wp.vec2(
    bodies.qpos[world, 3 * player], bodies.qpos[world, 3 * player + 1]
  )
  stands = x == 0.0 and y == 0.0
  back = wp.vec2(0.0, 0.0)
  if stands and stood[world, player]:
    slip = anchor[world, player] - at
    back = wp.vec2(
      wp.clamp(slip[0], -max_slip, max_slip),
      wp.clamp(slip[1], -max_slip, max_slip),
    )
  stood[world, player] = stands
  anchor[world, player] = at + back
  bodies.ctrl[world, 2 * player] = x + back[0] / _STEP
  bodies.ctrl[world, 2 * player + 1] = y + back[1] / _STEP

  held = int(held_slot[world, player])
  if held >= 0:
    if slots.types[world, held] == 0 or slots.frozen[world, held]:
      held = -1
  hand = 3 * (P + player)
  if held != slots.held[world, player]:
    # An object that was held still counts as at rest, see `cpu.CpuPhysics`.
    if slots.held[world, player] >= 0:
      tree = 2 * P + slots.held[world, player]
      worlds.wake_ring(tree, world, layout, bodies)
    for slot in range(S):
      bodies.eq_active[world, player * S + slot] = slot == held
    if held >= 0:
      # The hand starts at the object's position.
      for i in range(3):
        bodies.qpos[world, hand + i] = bodies.qpos[world, 6 * P + 7 * held + i]
        bodies.qvel[world, hand + i] = 0.0
    slots.held[world, player] = held
  drive = wp.vec3(0.0, 0.0, 0.0)
  if held >= 0:
    for i in range(3):
      drive[i] = hand_at[world, player, i] - bodies.qpos[world, hand + i]
    drive /= _STEP
    speed = wp.length(drive)
    if speed > max_hand_speed:
      drive *= max_hand_speed / speed
  for i in range(3):
    bodies.ctrl[world, 2 * P + 3 * player + i] = drive[i]


@wp.func
def _is_at_rest(
  world: int,
  node: int,
  layout: worlds.Layout,
  bodies: worlds.Bodies,
  slots: worlds.Slots,
) -> bool:
  """Tests whether an object is asleep or frozen.

  MJWarp finds no contacts between two such objects.
  """
  slot = node - layout.num_players
  if slot < 0:
    return False
  if slots.frozen[world, slot]:
    return True
  return bodies.body_awake[world, layout.slot_body + slot] == _ASLEEP


@wp.kernel
def clear_contacts(
  layout: worlds.Layout, bodies: worlds.Bodies, slots: worlds.Slots
):
  """Clears all contacts except those among sleeping and frozen objects."""
  world, first, second = wp.tid()
  if not (
    _is_at_rest(world, first, layout, bodies, slots)
    and _is_at_rest(world, second, layout, bodies, slots)
  ):
    slots.touching[world, first, second] = False


@wp.func
def _type_id(
  world: int, node: int, layout: worlds.Layout, slots: worlds.Slots
) -> int:
  """Returns the type id of a node."""
  if node < layout.num_players:
    return _FIRST_PLAYER_TYPE + node
  return slots.types[world, node - layout.num_players]


@wp.kernel
def record_contacts(
  count: wp.array[int],  # [1]
  contact_worlds: wp.array[int],
  geoms: wp.array[wp.vec2i],
  nodes: wp.array[int],  # [G]
  starts: worlds.StartStates,
  layout: worlds.Layout,
  slots: worlds.Slots,
):
  """Records the contacts that MJWarp found and that are reported."""
  contact = wp.tid()
  if contact >= count[0]:
    return
  world, pair = contact_worlds[contact], geoms[contact]
  first, second = nodes[pair[0]], nodes[pair[1]]
  if first < 0 or second < 0 or first == second:
    return
  first_type = _type_id(world, first, layout, slots)
  second_type = _type_id(world, second, layout, slots)
  if starts.contacts[world, first_type, second_type]:
    slots.touching[world, first, second] = True
    slots.touching[world, second, first] = True


@wp.kernel
def read_poses(
  layout: worlds.Layout,
  bodies: worlds.Bodies,
  slots: worlds.Slots,
  empty_at: wp.vec3,
  object_pos: wp.array3d[float],  # [W, S, 3]
  object_quat: wp.array3d[float],  # [W, S, 4]
  player_pos: wp.array3d[float],  # [W, P, 3]
):
  """Writes the nodes' poses to output arrays."""
  world, node = wp.tid()
  P = layout.num_players
  if node < P:
    for i in range(3):
      player_pos[world, node, i] = bodies.qpos[world, 3 * node + i]
    return
  slot = node - P
  type_id = slots.types[world, slot]
  if type_id > 0 and not slots.frozen[world, slot]:
    first = 6 * P + 7 * slot
    for i in range(3):
      object_pos[world, slot, i] = bodies.qpos[world, first + i]
    for i in range(4):
      object_quat[world, slot, i] = bodies.qpos[world, first + 3 + i]
    return
  at, yaw = wp.vec3(empty_at), float(0.0)
  if type_id > 0:
    at = wp.vec3(slots.at[world, slot])
    yaw = float(slots.yaw[world, slot])
  for i in range(3):
    object_pos[world, slot, i] = at[i]
  object_quat[world, slot, 0] = wp.cos(0.5 * yaw)
  object_quat[world, slot, 1] = 0.0
  object_quat[world, slot, 2] = 0.0
  object_quat[world, slot, 3] = wp.sin(0.5 * yaw)
