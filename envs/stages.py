"""The jitted stages of a step, on a whole batch, between calls to physics."""

import functools

import jax
import jax.numpy as jnp

from envs import avatar, game, observations, sight, vision
from envs import hand as hand_lib

look = jax.jit(sight.wanted)
advance = jax.jit(game.advance)


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
def pixel_rays(poses, pitch, size):
  """Origins and directions of the pictures' rays, [N, P * H * W, 3]."""
  axes = avatar.view_axes(poses.player_yaw, pitch)
  view = jnp.asarray(vision.pixel_directions(*size))
  rays = vision.pixel_rays(view, avatar.eye(poses.player_pos), axes)
  return tuple(x.reshape(x.shape[0], -1, 3) for x in rays)


@jax.jit
def observe_entities(moment, tasks, visible):
  return observations.shared(moment) | {
    "entities": observations.entities(moment, visible),
    "terrain": observations.terrain_grid(moment, tasks),
  }


@functools.partial(jax.jit, static_argnames=("size",))
def observe_pixels(moment, origins, directions, hits, size):
  picture = observations.pixels(moment, origins, directions, hits, size)
  return observations.shared(moment) | {"pixels": picture}
