"""The players' hands: each grips one object at a distance, and may lose it.

A hand holds its object at `eye + forward * distance`. When it grips, it starts
at the object's position and swings to the view axis at SWING_SPEED, so that
the grip does not tear away an object far from the axis.
"""

from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar, ground

Array = Any  # NumPy between jitted functions, JAX inside.

SWING_SPEED: Final = 3.0  # Metres per second.
_CLEARANCE: Final = 0.1  # Metres between a hand and the ground or outer wall.
_LIFTED_METRES: Final = 0.3  # Less than a level of the ground.
# Points between a player and its hand at which the ground's height is looked
# up: at most 0.25 m apart, a quarter of a tile.
_NUM_PROBES: Final = 8
# Minimum distance of a hand from the axis of the player's body, at which a held
# object can touch the player; distance within which an object is next to it.
_HAND_METRES: Final = 0.45
_BESIDE_METRES: Final = 0.6


class Hand(NamedTuple):
  """State of the players' hands between steps.

  Attributes:
    held: Slot of the held object, -1 for none, int32 [N, P].
    distance: Distance of the hand from the eye along the view, metres, float32
      [N, P].
    offset: Displacement of the hand from that point while it swings, (forward,
      left, up) in the view frame, metres, float32 [N, P, 3].
    ready: False after an object is torn away, until the grip is opened, bool
      [N, P].
  """

  held: Array
  distance: Array
  offset: Array
  ready: Array


def choose(view_offsets: Array, graspable: Array) -> tuple[Array, Array]:
  """Chooses the graspable object closest to the view axis.

  Args:
    view_offsets: Objects' centres relative to the eye, in the view frame,
      float32 [N, P, S, 3].
    graspable: Objects that may be taken, bool [N, P, S].

  Returns:
    Whether any is within REACH_METRES, bool [N, P], and its slot, int32
    [N, P].
  """
  distance = jnp.linalg.norm(view_offsets, axis=-1)
  in_reach = graspable & (distance <= constants.REACH_METRES)
  cosine = view_offsets[..., 0] / jnp.maximum(distance, 1e-6)
  slot = jnp.argmax(jnp.where(in_reach, cosine, -2.0), axis=-1)
  return jnp.any(in_reach, axis=-1), slot.astype(jnp.int32)


def operate(
  hand: Hand, command: avatar.Command, view_offsets: Array, graspable: Array
) -> Hand:
  """Opens, closes and moves the hands at the start of a step.

  Args:
    hand: The hands before the step.
    command: The players' commands.
    view_offsets: Objects' centres relative to the eye, in the view frame in
      which the player chose its action, float32 [N, P, S, 3].
    graspable: Objects that are in sight and not frozen, bool [N, P, S].

  Returns:
    The hands during the step.
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
    grips = command.grip[:, p]
    takes = found & grips & hand.ready[:, p] & (hand.held[:, p] < 0)
    taken |= takes[:, None] & (slots == slot[:, None])
    kept = jnp.where(grips, hand.held[:, p], -1)
    held.append(jnp.where(takes, slot, kept))
    took.append(takes)
  now_held, took_now = jnp.stack(held, axis=1), jnp.stack(took, axis=1)

  target_offset = jnp.take_along_axis(
    view_offsets, jnp.maximum(now_held, 0)[..., None, None], axis=2
  )[:, :, 0]
  distance = jnp.where(
    took_now, jnp.linalg.norm(target_offset, axis=-1), hand.distance
  )
  distance = jnp.clip(
    distance, constants.HAND_MIN_METRES, constants.REACH_METRES
  )
  ahead = jnp.stack([distance, 0 * distance, 0 * distance], axis=-1)
  offset = jnp.where(took_now[..., None], target_offset - ahead, hand.offset)
  gap = jnp.linalg.norm(offset, axis=-1)
  swing = SWING_SPEED * constants.STEP_SECONDS
  left = jnp.maximum(gap - swing, 0) / jnp.maximum(gap, 1e-6)
  holding = now_held >= 0
  distance = jnp.clip(
    distance + command.reach, constants.HAND_MIN_METRES, constants.REACH_METRES
  )
  return Hand(
    held=now_held,
    distance=jnp.where(holding, distance, 0),
    offset=jnp.where(holding[..., None], offset * left[..., None], 0),
    ready=hand.ready | ~command.grip,
  )


def position(hand: Hand, player_pos: Array, yaw: Array, pitch: Array) -> Array:
  """Returns the hands' positions in the world frame, float32 [N, P, 3].

  Args:
    hand: The hands.
    player_pos: Players' feet, float32 [N, P, 3].
    yaw: Players' headings, radians, float32 [N, P].
    pitch: Pitch of the views, radians up, float32 [N, P].
  """
  zero = jnp.zeros_like(hand.distance)
  ahead = jnp.stack([hand.distance, zero, zero], axis=-1) + hand.offset
  axes = avatar.view_axes(yaw, pitch)
  return (
    avatar.eye(player_pos)
    + avatar.from_view(axes, ahead[..., None, :])[..., 0, :]
  )


def target(
  hand: Hand, command: avatar.Command, player_pos: Array, yaw: Array
) -> Array:
  """Returns the hands' positions after a step that follows the commands.

  Args:
    hand: The hands during the step.
    command: The players' commands.
    player_pos: Players' feet before the step, float32 [N, P, 3].
    yaw: Players' headings before it, radians, float32 [N, P].

  Returns:
    Positions in the world frame, metres, float32 [N, P, 3].
  """
  moved = command.velocity * constants.STEP_SECONDS
  moved = jnp.concatenate([moved, jnp.zeros_like(moved[..., :1])], axis=-1)
  turned = yaw + command.turn * constants.STEP_SECONDS
  return position(hand, player_pos + moved, turned, command.pitch)


def keep_inside(
  hand_pos: Array, player_pos: Array, terrain: tuple[Array, Array, Array]
) -> Array:
  """Moves hands out of the ground, of walls and of the player's own body.

  A hand that moved into the ground or a wall would press its object deep into
  it. So it stops before ground that is higher than both the hand and the
  player's feet, if that is beyond the player's body. Over ground that is higher
  than the feet, the hand stays at the height of the feet, so that it does not
  lift its object up a cliff. A hand close to the player's axis would lift the
  player, who is in its way, together with the object.

  Args:
    hand_pos: The hands' positions in the world frame, float32 [N, P, 3].
    player_pos: Players' feet, float32 [N, P, 3].
    terrain: Heights, ramps and tiles, the arguments of
      `ground.surface_height`, [N, ...].
  """
  away = hand_pos[..., :2] - player_pos[..., :2]
  distance = jnp.linalg.norm(away, axis=-1, keepdims=True)
  above = hand_pos[..., 2:] - player_pos[..., 2:] > constants.AVATAR_HEIGHT
  least = jnp.where(above, 0, _HAND_METRES)
  away *= jnp.maximum(distance, least) / jnp.maximum(distance, 1e-6)
  half = terrain[2][:, None] * (constants.TILE_METRES / 2) - _CLEARANCE
  xy = jnp.clip(player_pos[..., :2] + away, -half, half)
  away = xy - player_pos[..., :2]
  parts = jnp.linspace(0, 1, _NUM_PROBES + 1)[1:].reshape(1, 1, -1, 1)
  probes = player_pos[..., None, :2] + away[..., None, :] * parts
  surface_height = jax.vmap(ground.surface_height)
  low = jnp.maximum(hand_pos[..., 2], player_pos[..., 2] + _CLEARANCE)
  free = surface_height(*terrain, probes) <= low[..., None]
  way = jnp.sum(jnp.cumprod(free, axis=-1), axis=-1, keepdims=True)
  distance = jnp.linalg.norm(away, axis=-1, keepdims=True)
  least = jnp.minimum(least / jnp.maximum(distance, 1e-6), 1)
  xy = player_pos[..., :2] + away * jnp.maximum(way / _NUM_PROBES, least)
  floor = jnp.minimum(surface_height(*terrain, xy), player_pos[..., 2])
  z = jnp.maximum(hand_pos[..., 2], floor + _CLEARANCE)
  return jnp.concatenate([xy, z[..., None]], axis=-1)


def lifts_its_player(
  hand: Hand,
  player_pos: Array,
  object_pos: Array,
  terrain: tuple[Array, Array, Array],
) -> Array:
  """Returns the hands that lift their own player off the ground, bool [N, P].

  The hand moves with the player, so a player on top of its held object would
  fly. See `keep_inside` for the arguments; object_pos has the objects' centres,
  float32 [N, S, 3].
  """
  held_pos = jnp.take_along_axis(
    object_pos, jnp.maximum(hand.held, 0)[..., None], axis=1
  )
  floor = jax.vmap(ground.surface_height)(*terrain, player_pos[..., :2])
  offset = held_pos - player_pos
  beside = jnp.linalg.norm(offset[..., :2], axis=-1) < _BESIDE_METRES
  low = offset[..., 2] < _LIFTED_METRES
  lifted = player_pos[..., 2] - floor > _LIFTED_METRES
  return (hand.held >= 0) & beside & low & lifted


def lag(hand: Hand, hand_pos: Array, object_pos: Array) -> Array:
  """Returns the distance of each held object from its hand.

  Args:
    hand: The hands.
    hand_pos: Their positions in the world frame, float32 [N, P, 3].
    object_pos: Objects' centres, float32 [N, S, 3].

  Returns:
    Metres, 0 for empty hands, float32 [N, P].
  """
  held_pos = jnp.take_along_axis(
    object_pos, jnp.maximum(hand.held, 0)[..., None], axis=1
  )
  distance = jnp.linalg.norm(held_pos - hand_pos, axis=-1)
  return jnp.where(hand.held >= 0, distance, 0)


def tear(hand: Hand, metres: Array) -> Hand:
  """Empties the hands whose object lags by more than TEAR_METRES.

  Args:
    hand: The hands.
    metres: As returned by `lag`, float32 [N, P].
  """
  torn = metres > constants.TEAR_METRES
  return empty(hand._replace(ready=hand.ready & ~torn), torn)


def empty(hand: Hand, which: Array) -> Hand:
  """Empties the hands selected by `which`, bool [N, P]."""
  return hand._replace(
    held=jnp.where(which, -1, hand.held),
    distance=jnp.where(which, 0, hand.distance),
    offset=jnp.where(which[..., None], 0, hand.offset),
  )
