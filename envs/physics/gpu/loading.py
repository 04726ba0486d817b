"""Device code that loads worlds and resets them to their start.

W: worlds, S: slots, P: players, M = P + S: nodes, C: worlds changed, T: type
ids, with 0.
"""

import warp as wp

from adaland.envs.physics.gpu import worlds

wp.set_module_options({"enable_backward": False})


@wp.kernel
def load_terrain(
  ids: wp.array[int],  # [C]
  num_boxes: wp.array[int],  # [C]
  box_at: wp.array2d[wp.vec3],  # [C, B]
  box_half: wp.array2d[wp.vec3],  # [C, B]
  box_yaw: wp.array2d[float],  # [C, B]
  box_hidden: wp.array2d[wp.bool],  # [C, B]
  num_ramps: wp.array[int],  # [C]
  ramp_at: wp.array2d[wp.vec3],  # [C, R]
  ramp_yaw: wp.array2d[float],  # [C, R]
  first_ramp: int,
  ramp_mesh: int,
  mesh_pos: wp.vec3,
  mesh_mat: wp.mat33,
  parking: wp.vec3,
  geoms: worlds.Geoms,
):
  """Writes the pieces of some worlds' terrain."""
  row, piece = wp.tid()
  world = ids[row]
  used, shown = wp.bool(False), wp.bool(False)
  if piece < first_ramp:
    at, half, yaw = wp.vec3(parking), wp.vec3(0.1, 0.1, 0.1), float(0.0)
    used = piece < num_boxes[row]
    if used:
      at = wp.vec3(box_at[row, piece])
      half = wp.vec3(box_half[row, piece])
      yaw = float(box_yaw[row, piece])
      shown = not box_hidden[row, piece]
    geoms.size[world, piece] = half
    geoms.aabb[world, piece, 1] = half
    geoms.rbound[world, piece] = wp.length(half)
    geoms.xpos[world, piece] = at
    geoms.xmat[world, piece] = worlds.upright(yaw)
  else:
    ramp = piece - first_ramp
    used = ramp < num_ramps[row]
    shown = used
    geoms.dataid[world, piece] = wp.where(used, ramp_mesh, -1)
    if used:
      turn = worlds.upright(ramp_yaw[row, ramp])
      geoms.xpos[world, piece] = ramp_at[row, ramp] + turn @ mesh_pos
      geoms.xmat[world, piece] = turn @ mesh_mat
    else:
      geoms.xpos[world, piece] = parking
  geoms.active[world, piece] = shown


@wp.kernel
def load_start_states(
  ids: wp.array[int],  # [C]
  types: wp.array2d[int],  # [C, S]
  frozen: wp.array2d[wp.bool],  # [C, S]
  at: wp.array2d[wp.vec3],  # [C, S]
  yaw: wp.array2d[float],  # [C, S]
  player_at: wp.array2d[wp.vec3],  # [C, P]
  contacts: wp.array3d[wp.bool],  # [C, T, T]
  touching: wp.array3d[wp.bool],  # [C, M, M]
  num_players: int,
  starts: worlds.StartStates,
):
  """Writes the start states of some worlds."""
  row, node = wp.tid()
  world = ids[row]
  if node < num_players:
    starts.player_at[world, node] = player_at[row, node]
  else:
    slot = node - num_players
    starts.types[world, slot] = types[row, slot]
    starts.frozen[world, slot] = frozen[row, slot]
    starts.at[world, slot] = at[row, slot]
    starts.yaw[world, slot] = yaw[row, slot]
  for other in range(touching.shape[2]):
    starts.touching[world, node, other] = touching[row, node, other]
  for first in range(node, contacts.shape[1], touching.shape[1]):
    for second in range(contacts.shape[2]):
      starts.contacts[world, first, second] = contacts[row, first, second]


@wp.kernel
def start_players(
  restored: wp.array[wp.bool],  # [W]
  start_yaw: wp.array2d[float],  # [W, P]
  starts: worlds.StartStates,
  layout: worlds.Layout,
  bodies: worlds.Bodies,
  slots: worlds.Slots,
  yaw: wp.array2d[float],  # [W, P]
  stood: wp.array2d[wp.bool],  # [W, P]
):
  """Puts players at their start, empty-handed, after slots are written."""
  world = wp.tid()
  if not restored[world]:
    return
  for player in range(layout.num_players):
    yaw[world, player] = start_yaw[world, player]
    stood[world, player] = False
    slots.held[world, player] = -1
    feet = starts.player_at[world, player]
    for i in range(3):
      bodies.qpos[world, 3 * player + i] = feet[i]
      bodies.qpos[world, 3 * (layout.num_players + player) + i] = 0.0
  for i in range(6 * layout.num_players):
    bodies.qvel[world, i] = 0.0
    bodies.qacc[world, i] = 0.0
    bodies.warmstart[world, i] = 0.0
  for i in range(5 * layout.num_players):
    bodies.ctrl[world, i] = 0.0
  nodes = layout.num_players + layout.num_slots
  for first in range(nodes):
    for second in range(nodes):
      slots.touching[world, first, second] = starts.touching[
        world, first, second
      ]
