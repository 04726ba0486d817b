"""The jitted stages of a step, on a whole batch, between calls to physics."""

import functools

import jax
import jax.numpy as jnp

from envs import avatar, constants, observations, predicates, vision
from envs import hand as hand_lib


@jax.jit
def control(actions, hand, pitch, poses, visible, takeable):
  """From actions to what physics shall do, and the hands meanwhile."""
  wish = avatar.wish(actions, poses.player_yaw, pitch)
  eyes = avatar.eye(poses.player_pos)
  axes = avatar.view_axes(poses.player_yaw, pitch)
  offsets = poses.object_pos[:, None] - eyes[:, :, None]
  seen = visible[:, :, pitch.shape[1] :] & takeable[:, None]
  hand = hand_lib.operate(hand, wish, avatar.to_view(axes, offsets), seen)
  at = hand_lib.target(hand, wish, poses.player_pos, poses.player_yaw)
  return wish.velocity, wish.turn, at, hand, wish.pitch


@functools.partial(jax.jit, static_argnames=("size",))
def look(moment, size):
  """Where the players look: view geometry and, with a size, pixel rays."""
  eyes, axes, centres, in_view = observations.view(moment)
  if size is None:
    return eyes, centres, in_view
  # Only what the hand could take need be known; the rays show the rest.
  reach = jnp.linalg.norm(centres[:, None] - eyes[:, :, None], axis=-1)
  in_view &= reach <= constants.REACH_METRES
  view = jnp.asarray(vision.pixel_directions(*size))
  rays = vision.pixel_rays(view, eyes, axes)
  origins, directions = (x.reshape(x.shape[0], -1, 3) for x in rays)
  return eyes, centres, in_view, origins, directions


@jax.jit
def observe_entities(moment, game, visible):
  return observations.shared(moment) | {
    "entities": observations.entities(moment, visible),
    "terrain": observations.terrain_grid(moment, game),
  }


@functools.partial(jax.jit, static_argnames=("size",))
def observe_pixels(moment, origins, directions, hits, size):
  picture = observations.pixels(moment, origins, directions, hits, size)
  return observations.shared(moment) | {"pixels": picture}


@jax.jit
def look_pairs(slot_types, poses, pitch, literals):
  """Which lines of sight the tasks' `see` literals need.

  Args:
    slot_types: Type ids in the slots, int32 [N, S].
    poses: At the end of the step.
    pitch: Of the views, float32 [N, P].
    literals: Both type ids of each `see` literal, 0 for none, int32 [N, L, 2].

  Returns:
    Where the nodes look from, float32 [N, M, 3], their centres, the same
    shape, and the pairs to test, bool [N, M, M].
  """
  num_players = pitch.shape[1]
  types = jax.vmap(predicates.node_types, in_axes=(0, None))(
    slot_types, num_players
  )
  centres = jax.vmap(predicates.node_centres)(
    poses.player_pos, poses.object_pos
  )
  eyes = avatar.eye(poses.player_pos)
  axes = avatar.view_axes(poses.player_yaw, pitch)
  in_view = avatar.in_frustum(
    avatar.to_view(axes, centres[:, None] - eyes[:, :, None])
  )
  sources = jnp.concatenate([eyes, centres[:, num_players:]], axis=1)
  looks = literals[:, :, 0, None] == types[:, None]  # [N, L, M]
  seen = literals[:, :, 1, None] == types[:, None]
  wanted = jnp.any(looks[..., None] & seen[:, :, None], axis=1)  # [N, M, M]
  wanted &= (types > 0)[:, :, None] & (types > 0)[:, None]
  wanted &= ~jnp.eye(types.shape[1], dtype=bool)[None]
  limited = wanted[:, :num_players] & in_view
  wanted = jnp.concatenate([limited, wanted[:, num_players:]], axis=1)
  return sources, centres, wanted
