"""The hand: grips one object at a distance, holds it, loses it.

The hand holds at `eye + forward * distance`. On gripping, it is where the
object is and swings to the view axis at SWING_SPEED, so that an object far
from the axis is not torn away by the grip itself.
"""

from typing import Any, Final, NamedTuple

import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar

Array = Any  # NumPy between jitted functions, JAX inside.

SWING_SPEED: Final = 3.0  # Metres a second.


class Hand(NamedTuple):
  """State of the players' hands between steps.

  Attributes:
    held: Slot of the held object, -1 none, int32 [N, P].
    distance: Of the hand from the eye along the view, float32 [N, P].
    offset: What the hand lacks to be there, (forward, left, up) in the view
      frame, float32 [N, P, 3].
    ready: False from a tearing away until the grip is opened, bool [N, P].
  """

  held: Array
  distance: Array
  offset: Array
  ready: Array


def choose(view_offsets: Array, graspable: Array) -> tuple[Array, Array]:
  """The graspable object closest to the view axis.

  Args:
    view_offsets: Objects' centres from the eye in the view frame, float32
      [N, P, S, 3].
    graspable: Which may be taken at all, bool [N, P, S].

  Returns:
    Whether there is one within REACH_METRES, bool [N, P], and its slot.
  """
  distance = jnp.linalg.norm(view_offsets, axis=-1)
  in_reach = graspable & (distance <= constants.REACH_METRES)
  cosine = view_offsets[..., 0] / jnp.maximum(distance, 1e-6)
  slot = jnp.argmax(jnp.where(in_reach, cosine, -2.0), axis=-1)
  return jnp.any(in_reach, axis=-1), slot.astype(jnp.int32)


def operate(
  hand: Hand, wish: avatar.Wish, view_offsets: Array, graspable: Array
) -> Hand:
  """Opens or closes the hand and moves it, at the start of a step.

  Args:
    hand: Before the step.
    wish: What the action asks.
    view_offsets: Objects' centres from the eye in the view frame that the
      player saw when it chose the action, float32 [N, P, S, 3].
    graspable: Objects that are in sight and not frozen, bool [N, P, S].
  """
  num_players, num_slots = hand.held.shape[1], view_offsets.shape[2]
  slots = jnp.arange(num_slots)[None]
  held, took = [], []
  taken = jnp.zeros_like(graspable[:, 0])
  for p in range(num_players):
    taken |= slots == hand.held[:, p, None]
  for p in range(num_players):
    # A player can't take what another holds, or takes in the same step.
    found, slot = choose(
      view_offsets[:, p, None], (graspable[:, p] & ~taken)[:, None]
    )
    found, slot = found[:, 0], slot[:, 0]
    takes = found & wish.grip[:, p] & hand.ready[:, p] & (hand.held[:, p] < 0)
    taken |= takes[:, None] & (slots == slot[:, None])
    kept = jnp.where(wish.grip[:, p], hand.held[:, p], -1)
    held.append(jnp.where(takes, slot, kept))
    took.append(takes)
  now_held, took_now = jnp.stack(held, axis=1), jnp.stack(took, axis=1)

  there = jnp.take_along_axis(
    view_offsets, jnp.maximum(now_held, 0)[..., None, None], axis=2
  )[:, :, 0]
  distance = jnp.where(took_now, jnp.linalg.norm(there, axis=-1), hand.distance)
  distance = jnp.clip(
    distance, constants.HAND_MIN_METRES, constants.REACH_METRES
  )
  ahead = jnp.stack([distance, 0 * distance, 0 * distance], axis=-1)
  offset = jnp.where(took_now[..., None], there - ahead, hand.offset)
  gap = jnp.linalg.norm(offset, axis=-1)
  swing = SWING_SPEED * constants.STEP_SECONDS
  left = jnp.maximum(gap - swing, 0) / jnp.maximum(gap, 1e-6)
  holding = now_held >= 0
  distance = jnp.clip(
    distance + wish.reach, constants.HAND_MIN_METRES, constants.REACH_METRES
  )
  return Hand(
    held=now_held,
    distance=jnp.where(holding, distance, 0),
    offset=jnp.where(holding[..., None], offset * left[..., None], 0),
    ready=hand.ready | ~wish.grip,
  )


def position(hand: Hand, player_pos: Array, yaw: Array, pitch: Array) -> Array:
  """Where the hand is for players so placed, world frame, [N, P, 3]."""
  zero = jnp.zeros_like(hand.distance)
  ahead = jnp.stack([hand.distance, zero, zero], axis=-1) + hand.offset
  axes = avatar.view_axes(yaw, pitch)
  return (
    avatar.eye(player_pos)
    + avatar.from_view(axes, ahead[..., None, :])[..., 0, :]
  )


def target(
  hand: Hand, wish: avatar.Wish, player_pos: Array, yaw: Array
) -> Array:
  """Where the hand will be at the end of a step that goes as wished."""
  moved = wish.velocity * constants.STEP_SECONDS
  moved = jnp.concatenate([moved, jnp.zeros_like(moved[..., :1])], axis=-1)
  turned = yaw + wish.turn * constants.STEP_SECONDS
  return position(hand, player_pos + moved, turned, wish.pitch)


def lag(hand: Hand, at: Array, object_pos: Array) -> Array:
  """How far the held objects are from the hands, 0 for empty hands [N, P]."""
  there = jnp.take_along_axis(
    object_pos, jnp.maximum(hand.held, 0)[..., None], axis=1
  )
  return jnp.where(hand.held >= 0, jnp.linalg.norm(there - at, axis=-1), 0)


def tear(hand: Hand, lag_: Array) -> Hand:
  """Empties hands whose object lags more than TEAR_METRES."""
  torn = lag_ > constants.TEAR_METRES
  return empty(hand._replace(ready=hand.ready & ~torn), torn)


def empty(hand: Hand, which: Array) -> Hand:
  """Empties some hands; `which` is bool [N, P]."""
  return hand._replace(
    held=jnp.where(which, -1, hand.held),
    distance=jnp.where(which, 0, hand.distance),
    offset=jnp.where(which[..., None], 0, hand.offset),
  )
