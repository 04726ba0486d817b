"""Attention over the latest steps with relative positions: Transformer-XL.

The score of query i and key j, at distance n = i - j, is (Dai et al. 2019)

    ((q_i + u) . k_j + (q_i + w) . W_R r_n) / sqrt(key_size)

with sinusoidal codes r_n and learned u, w. Step i sees j if
0 <= n <= min(age_i, memory_length): its own episode only, and not too far.

Acting keeps projected keys and values, so a step projects one position. They
lie in a ring of C = memory_length + 1 slots; a step of age a is in slot a mod
C, so nothing is ever moved, and rows may differ in age.

Shape letters: H heads, D key size, C ring slots, P cached past positions, N
distances, S = P + T positions that an unroll attends to.
"""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from agent import config as config_lib
from agent import layers
from agent.memory import base

# A logit that softmax turns to zero without making infinities to subtract.
_MASKED = -1e30


class RelativeAttention(hk.Module):
  """Multi-head attention over a sliding window of one episode."""

  def __init__(self, config: config_lib.NetworkConfig, name: str):
    super().__init__(name=name)
    self._num_heads = config.num_heads
    self._key_size = config.key_size
    self._d_model = config.d_model
    self._window = config.memory_length
    width = config.num_heads * config.key_size
    self._qkv = hk.Linear(3 * width, with_bias=False, name="qkv")
    self._relative = hk.Linear(width, with_bias=False, name="relative")
    self._out = layers.output_projection(
      config.d_model, base.residual_scale(config)
    )

  @staticmethod
  def initial_state(
    config: config_lib.NetworkConfig, batch_size: int
  ) -> base.LayerState:
    """Returns rings of keys and of values, [B, H, C, D]."""
    shape = (
      batch_size,
      config.num_heads,
      config.memory_length + 1,
      config.key_size,
    )
    dtype = jnp.dtype(config.compute_dtype)
    return {"keys": jnp.zeros(shape, dtype), "values": jnp.zeros(shape, dtype)}

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    query, key, value = self._project(x)  # [B, H, D]
    num_slots = self._window + 1
    rows = jnp.arange(x.shape[0])
    slot = age % num_slots
    keys = jnp.asarray(state["keys"]).at[rows, :, slot].set(key)
    values = jnp.asarray(state["values"]).at[rows, :, slot].set(value)

    distance = ring_distance(age, num_slots)  # [B, C]
    content_bias, position_bias = self._biases(x.dtype, leading=1)
    codes = self._position_codes(num_slots, x.dtype)  # [C, H, D]
    content = jnp.einsum("bhd,bhcd->bhc", query + content_bias, keys)
    position = jnp.einsum("bhd,nhd->bhn", query + position_bias, codes)
    position = jnp.take_along_axis(position, distance[:, None, :], axis=2)
    visible = distance <= age[:, None]
    weights = self._softmax(content + position, visible[:, None, :])
    mixed = jnp.einsum("bhc,bhcd->bhd", weights, values)
    mixed = mixed.reshape(x.shape[0], -1)
    return self._out(mixed), {"keys": keys, "values": values}

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    batch_size, length, _ = x.shape
    query, keys, values = (
      jnp.swapaxes(y, 1, 2) for y in self._project(x)
    )  # [B, H, T, D]
    num_past = 0
    if state is not None:
      num_past = self._window
      past = past_slots(age[:, 0], self._window)
      keys = jnp.concatenate([_gather(state["keys"], past), keys], axis=2)
      values = jnp.concatenate([_gather(state["values"], past), values], axis=2)

    num_distances = min(self._window + 1, num_past + length)
    content_bias, position_bias = self._biases(x.dtype, leading=2)
    content_bias = jnp.swapaxes(content_bias, 1, 2)  # [1, H, 1, D]
    position_bias = jnp.swapaxes(position_bias, 1, 2)
    codes = self._position_codes(num_distances, x.dtype)[::-1]  # [N, H, D]
    content = jnp.einsum("bhtd,bhsd->bhts", query + content_bias, keys)
    position = jnp.einsum("bhtd,nhd->bhtn", query + position_bias, codes)
    position = skew(position, num_past + length)
    visible = sliding_window_mask(age, num_past, self._window)
    weights = self._softmax(content + position, visible[:, None])
    mixed = jnp.einsum("bhts,bhsd->bhtd", weights, values)
    mixed = jnp.swapaxes(mixed, 1, 2).reshape(batch_size, length, -1)

    latest = latest_positions(age[:, -1], keys.shape[2], self._window + 1)
    new_state = {
      "keys": jax.lax.stop_gradient(_gather(keys, latest)),
      "values": jax.lax.stop_gradient(_gather(values, latest)),
    }
    return self._out(mixed), new_state

  def _project(self, x: jax.Array) -> list[jax.Array]:
    """Returns queries, keys and values, [..., H, D]."""
    qkv = self._qkv(x)
    shape = (*x.shape[:-1], 3, self._num_heads, self._key_size)
    qkv = qkv.reshape(shape)
    return [qkv[..., i, :, :] for i in range(3)]

  def _biases(
    self, dtype: jnp.dtype, leading: int
  ) -> tuple[jax.Array, jax.Array]:
    """Returns u and w with `leading` axes of one before [H, D]."""
    shape = (self._num_heads, self._key_size)
    biases = (
      hk.get_parameter(name, shape, init=jnp.zeros)
      for name in ("content_bias", "position_bias")
    )
    u, w = (b.astype(dtype).reshape((1,) * leading + shape) for b in biases)
    return u, w

  def _position_codes(self, num: int, dtype: jnp.dtype) -> jax.Array:
    """Returns W_R r_n for distances 0 to num - 1, [N, H, D]."""
    codes = jnp.asarray(sinusoids(num, self._d_model), dtype)
    return self._relative(codes).reshape(num, self._num_heads, -1)

  def _softmax(self, logits: jax.Array, visible: jax.Array) -> jax.Array:
    """Scaled, masked softmax over the last axis, computed in float32."""
    scaled = logits.astype(jnp.float32) / np.sqrt(self._key_size)
    weights = jax.nn.softmax(jnp.where(visible, scaled, _MASKED), axis=-1)
    return weights.astype(logits.dtype)


def sliding_window_mask(
  age: jax.Array, num_past: int, window: int
) -> jax.Array:
  """Which positions each step of an unroll can see.

  Args:
    age: int32 [B, T].
    num_past: Cached positions before the first step, P.
    window: Past steps that a step sees, beside itself.

  Returns:
    bool [B, T, P + T].
  """
  length = age.shape[1]
  query = num_past + jnp.arange(length)[:, None]
  distance = query - jnp.arange(num_past + length)[None, :]  # [T, S]
  reach = jnp.minimum(age, window)
  return (distance >= 0)[None] & (distance[None] <= reach[:, :, None])


def skew(scores: jax.Array, num_positions: int) -> jax.Array:
  """Turns scores by distance into scores by position.

  Args:
    scores: [B, H, T, N]; the last axis runs from distance N - 1 to 0.
    num_positions: S; the query of the last step is at the last of them.

  Returns:
    [B, H, T, S]; zero where the distance is not in 0 to N - 1.
  """
  b, h, length, num_distances = scores.shape
  # In rows of N + T the scores of step t start at column 0; reading the same
  # numbers in rows that are shorter by one moves them to column t.
  width = num_distances + length
  padded = jnp.pad(scores, ((0, 0), (0, 0), (0, 0), (0, length)))
  flat = padded.reshape(b, h, length * width)[:, :, :-length]
  skewed = flat.reshape(b, h, length, width - 1)
  # The last column is the last step at distance 0, which ends both axes.
  extra = width - 1 - num_positions
  if extra < 0:
    return jnp.pad(skewed, ((0, 0), (0, 0), (0, 0), (-extra, 0)))
  return skewed[..., extra:]


def ring_distance(age: jax.Array, num_slots: int) -> jax.Array:
  """How long ago each slot was written, if it was: int32 [B, C].

  Args:
    age: Age of the step that was just written, int32 [B].
    num_slots: C.
  """
  return (age[:, None] - jnp.arange(num_slots)[None, :]) % num_slots


def past_slots(age: jax.Array, window: int) -> jax.Array:
  """Slots of the steps at distance window, ..., 1 before a step: [B, window].

  Args:
    age: Age of that step, not yet written, int32 [B].
    window: Number of past steps; the ring has one slot more.
  """
  distance = jnp.arange(window, 0, -1)[None, :]
  return (age[:, None] - distance) % (window + 1)


def latest_positions(
  age: jax.Array, num_positions: int, num_slots: int
) -> jax.Array:
  """Which of a sequence of positions belongs in each slot: int32 [B, C].

  Args:
    age: Age of the last position, int32 [B].
    num_positions: Length of the sequence. A slot that none of them belongs in
      gets any, for it is out of the episode and never seen.
    num_slots: C.
  """
  position = num_positions - 1 - ring_distance(age, num_slots)
  return jnp.maximum(position, 0)


def sinusoids(num: int, size: int) -> np.ndarray:
  """Sine and cosine codes of distances 0 to num - 1, float32 [num, size]."""
  frequency = 10000.0 ** (-np.arange(0, size, 2) / size)
  angle = np.arange(num)[:, None] * frequency[None, :]
  codes = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
  return codes.astype(np.float32)


def _gather(ring: jax.Array, index: jax.Array) -> jax.Array:
  """Picks positions: [B, H, C, D] and [B, N] to [B, H, N, D]."""
  return jnp.take_along_axis(ring, index[:, None, :, None], axis=2)
