"""Ring buffers: the latest steps of an episode, stored without moving any.

A step of age a is in slot a mod C, so rows of a batch may differ in age.

Shape letters: H heads, D key size, C ring slots, P cached past positions,
S = P + T positions that an unroll attends to.
"""

import jax
import jax.numpy as jnp


def window_mask(age: jax.Array, num_past: int, window: int) -> jax.Array:
  """Returns which positions each step of an unroll can see.

  Args:
    age: int32 [B, T].
    num_past: Cached positions before the first step, P.
    window: Past steps that a step sees, besides itself.

  Returns:
    bool [B, T, P + T].
  """
  length = age.shape[1]
  query = num_past + jnp.arange(length)[:, None]
  distance = query - jnp.arange(num_past + length)[None, :]  # [T, S]
  reach = jnp.minimum(age, window)
  return (distance >= 0)[None] & (distance[None] <= reach[:, :, None])


def since(age: jax.Array, num_slots: int) -> jax.Array:
  """Returns the steps since each slot was written, if it was, int32 [B, C].

  Args:
    age: Age of the step that was just written, int32 [B].
    num_slots: C.
  """
  return (age[:, None] - jnp.arange(num_slots)[None, :]) % num_slots


def past_slots(age: jax.Array, window: int) -> jax.Array:
  """Returns slots of the `window` steps before one, oldest first, [B, window].

  Args:
    age: Age of that step, not yet written, int32 [B].
    window: Number of past steps; the ring has one more slot.
  """
  distance = jnp.arange(window, 0, -1)[None, :]
  return (age[:, None] - distance) % (window + 1)


def latest_positions(
  age: jax.Array, num_positions: int, num_slots: int
) -> jax.Array:
  """Returns which position of a sequence belongs in each slot, int32 [B, C].

  Args:
    age: Age of the last position, int32 [B].
    num_positions: Length of the sequence. A slot to which none of its positions
      belongs gets an arbitrary one: it lies outside the episode and is never
      seen.
    num_slots: C.
  """
  position = num_positions - 1 - since(age, num_slots)
  return jnp.maximum(position, 0)


def gather(ring: jax.Array, index: jax.Array) -> jax.Array:
  """Picks positions: [B, H, C, D] and [B, N] to [B, H, N, D]."""
  return jnp.take_along_axis(ring, index[:, None, :, None], axis=2)
