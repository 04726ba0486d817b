"""The avatar: commands decoded from actions, the eyes and the field of view.

All functions work on a whole batch, [N, P, ...], in JAX.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from adaland.envs import constants

Array = Any  # NumPy between jitted functions, JAX inside.

_TURN_RATES = np.asarray(constants.TURN_RATES, np.float32)


class Poses(NamedTuple):
  """Poses and contacts: `physics.base.PhysicsState` without orientations.

  Attributes:
    object_pos: Centres of the objects, metres, float32 [N, S, 3].
    player_pos: Players' feet, metres, float32 [N, P, 3].
    player_yaw: Headings, radians, float32 [N, P].
    touching: Contacts between nodes, bool [N, P+S, P+S].
  """

  object_pos: Array
  player_pos: Array
  player_yaw: Array
  touching: Array


class Command(NamedTuple):
  """A player's commands for the next step, decoded from its action.

  Attributes:
    velocity: Wanted planar velocity, world frame, m/s, float32 [N, P, 2].
    turn: Wanted yaw rate, rad/s, float32 [N, P].
    pitch: Pitch at the end of the step, radians up, float32 [N, P].
    grip: Whether the hand is closed, bool [N, P].
    reach: Wanted change of the hand's distance, metres, float32 [N, P].
  """

  velocity: Array
  turn: Array
  pitch: Array
  grip: Array
  reach: Array


def decode_actions(actions: Array, yaw: Array, pitch: Array) -> Command:
  """Decodes the six action heads (see `constants.ACTION_HEADS`).

  The wanted velocity points along the heading in the middle of the step, so
  that walking while turning follows the arc. Diagonal moves are not faster.

  Args:
    actions: Indices, int [N, P, 6].
    yaw: Current heading, radians, float32 [N, P].
    pitch: Current pitch, radians up, float32 [N, P].
  """
  move, strafe, turn, look, grip, hand = jnp.moveaxis(actions, -1, 0)
  rate = jnp.asarray(_TURN_RATES)[turn]
  heading = yaw + rate * constants.STEP_SECONDS / 2
  ahead = (move - 1).astype(jnp.float32)
  left = (1 - strafe).astype(jnp.float32)
  speed = constants.WALK_SPEED / jnp.maximum(jnp.hypot(ahead, left), 1)
  velocity = jnp.stack(
    [
      ahead * jnp.cos(heading) - left * jnp.sin(heading),
      ahead * jnp.sin(heading) + left * jnp.cos(heading),
    ],
    axis=-1,
  )
  pitch += (look - 1) * constants.LOOK_RATE * constants.STEP_SECONDS
  return Command(
    velocity=velocity * speed[..., None],
    turn=rate,
    pitch=jnp.clip(pitch, -constants.PITCH_LIMIT, constants.PITCH_LIMIT),
    grip=grip == 1,
    reach=(hand - 1) * constants.HAND_RATE * constants.STEP_SECONDS,
  )


def eye(player_pos: Array) -> Array:
  """Returns the positions of the eyes [..., 3], given those of the feet."""
  up = jnp.asarray([0.0, 0.0, constants.EYE_HEIGHT], player_pos.dtype)
  return player_pos + up.reshape((1,) * (player_pos.ndim - 1) + (3,))


def view_axes(yaw: Array, pitch: Array) -> Array:
  """Returns the view's unit vectors: forward, left, up, [..., 3 axes, 3]."""
  cos_yaw, sin_yaw = jnp.cos(yaw), jnp.sin(yaw)
  cos_pitch, sin_pitch = jnp.cos(pitch), jnp.sin(pitch)
  zero = jnp.zeros_like(cos_yaw * cos_pitch)
  forward = [cos_pitch * cos_yaw, cos_pitch * sin_yaw, sin_pitch + zero]
  left = [zero - sin_yaw, zero + cos_yaw, zero]
  up = [-sin_pitch * cos_yaw, -sin_pitch * sin_yaw, cos_pitch + zero]
  return jnp.stack(
    [jnp.stack(axis, axis=-1) for axis in (forward, left, up)], axis=-2
  )


def to_view(axes: Array, offsets: Array) -> Array:
  """Rotates world offsets [..., K, 3] to (forward, left, up) [..., K, 3]."""
  return jnp.einsum("...ax,...kx->...ka", axes, offsets)


def from_view(axes: Array, offsets: Array) -> Array:
  """Rotates (forward, left, up) offsets [..., K, 3] to the world frame."""
  return jnp.einsum("...ax,...ka->...kx", axes, offsets)


def in_frustum(view_offsets: Array) -> Array:
  """Returns which (forward, left, up) points [..., 3] are in view, bool [...].

  It tests the field of view alone: other bodies may hide the points.
  """
  forward, left, up = jnp.moveaxis(view_offsets, -1, 0)
  across = forward * np.tan(constants.FOV_X / 2).astype(np.float32)
  return (
    (forward > 0)
    & (jnp.abs(left) <= across)
    & (jnp.abs(up) <= across / constants.ASPECT)
  )
