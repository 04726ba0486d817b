"""Attention over the latest steps with relative positions: Transformer-XL.

The score of query i and key j, at distance n = i - j, is (Dai et al. 2019)

    ((q_i + u) . k_j + (q_i + w) . W_R r_n) / sqrt(key_size)

with sinusoidal codes r_n and learned u, w. Step i sees j if
0 <= n <= min(age_i, memory_length): its own episode only, and not too far.

Acting keeps projected keys and values, so a step projects one position. They
lie in a ring of C = memory_length + 1 slots; a step of age a is in slot a mod
C, so nothing is ever moved, and rows may differ in age.

Shape letters: H heads, D key size, C ring slots, P cached past positions,
S = P + T positions that an unroll attends to.
"""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, fused

# A logit that softmax turns to zero without making infinities to subtract.
_MASKED = -1e30


class RelativeAttention(hk.Module):
  """Multi-head attention over a sliding window of one episode."""

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(name=name)
    self._num_heads = config.num_heads
    self._key_size = config.key_size
    self._position_size = config.position_size
    self._kernel = None
    if config.fused_attention:
      self._kernel = fused.kernel(
        config.key_size + config.position_size, config.compute_dtype
      )
    self._window = config.memory_length
    width = config.num_heads * config.key_size
    self._qkv = layers.Linear(3 * width, with_bias=False, name="qkv")
    self._relative = layers.Linear(width, with_bias=False, name="relative")
    self._out = layers.output_projection(
      config.d_model, base.residual_scale(config)
    )

  @staticmethod
  def initial_state(config: NetworkConfig, batch_size: int) -> base.LayerState:
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
    keys = state["keys"].at[rows, :, slot].set(key)
    values = state["values"].at[rows, :, slot].set(value)

    distance = ring_distance(age, num_slots)  # [B, C]
    content_bias, position_bias = (b[None] for b in self._biases(x.dtype))
    codes = self._position_codes(num_slots, x.dtype)  # [C, H, D]
    content = jnp.einsum("bhd,bhcd->bhc", query + content_bias, keys)
    position = jnp.einsum("bhd,chd->bhc", query + position_bias, codes)
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
    # Heads first: then every product below is a plain batch of matrices.
    query, keys, values = (
      jnp.moveaxis(y, 2, 0) for y in self._project(x)
    )  # [H, B, T, D]
    num_past = 0
    if state is not None:
      num_past = self._window
      past = past_slots(age[:, 0], self._window)
      cached = (_gather(state[name], past) for name in ("keys", "values"))
      past_keys, past_values = (jnp.swapaxes(y, 0, 1) for y in cached)
      keys = jnp.concatenate([past_keys, keys], axis=2)
      values = jnp.concatenate([past_values, values], axis=2)

    visible = sliding_window_mask(age, num_past, self._window)
    attend = self._attend if self._kernel is None else self._attend_fused
    mixed = attend(query, keys, values, visible)
    mixed = jnp.moveaxis(mixed, 0, 2).reshape(batch_size, length, -1)

    latest = latest_positions(age[:, -1], keys.shape[2], self._window + 1)
    new_state = {}
    for name, sequence in (("keys", keys), ("values", values)):
      sequence = jax.lax.stop_gradient(jnp.swapaxes(sequence, 0, 1))
      new_state[name] = _gather(sequence, latest)
    return self._out(mixed), new_state

  def _attend(
    self,
    query: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    visible: jax.Array,
  ) -> jax.Array:
    """Mixes values [H, B, S, D] for queries [H, B, T, D], as they are."""
    num_heads, batch_size, length, size = query.shape
    num_positions = keys.shape[2]
    content_bias, position_bias = (
      bias.reshape(num_heads, 1, 1, size) for bias in self._biases(query.dtype)
    )
    content = jnp.einsum("hbtd,hbsd->hbts", query + content_bias, keys)
    codes = self._position_codes(num_positions, query.dtype)[::-1]
    # One product for all rows, [H, B * T, S].
    flat = (query + position_bias).reshape(num_heads, -1, size)
    position = jnp.einsum("hqd,hsd->hqs", flat, jnp.swapaxes(codes, 0, 1))
    position = position.reshape(num_heads, batch_size, length, num_positions)
    weights = self._softmax(content + shift(position), visible[None])
    return jnp.einsum("hbts,hbsd->hbtd", weights, values)

  def _attend_fused(
    self,
    query: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    visible: jax.Array,
  ) -> jax.Array:
    """Mixes values as `_attend` does, by a kernel (see `fused`)."""
    assert self._kernel is not None
    query, keys, values = (
      jnp.moveaxis(y, 0, 2) for y in (query, keys, values)
    )  # [B, T or S, H, D]
    content_bias, position_bias = (
      bias[None, None] for bias in self._biases(query.dtype)
    )
    # The map itself, of which the codes are linear combinations.
    unit = jnp.eye(self._position_size, dtype=query.dtype)
    relative = self._relative(unit).reshape(-1, *query.shape[2:])
    mixed = fused.attend(
      query + content_bias,
      query + position_bias,
      keys,
      values,
      relative,
      frequencies(self._position_size),
      visible,
      self._kernel,
    )
    return jnp.moveaxis(mixed, 2, 0)

  def _project(self, x: jax.Array) -> list[jax.Array]:
    """Returns queries, keys and values, [..., H, D]."""
    qkv = self._qkv(x)
    shape = (*x.shape[:-1], 3, self._num_heads, self._key_size)
    qkv = qkv.reshape(shape)
    return [qkv[..., i, :, :] for i in range(3)]

  def _biases(self, dtype: jnp.dtype) -> list[jax.Array]:
    """Returns u and w, [H, D]."""
    shape = (self._num_heads, self._key_size)
    return [
      hk.get_parameter(name, shape, init=jnp.zeros).astype(dtype)
      for name in ("content_bias", "position_bias")
    ]

  def _position_codes(self, num: int, dtype: jnp.dtype) -> jax.Array:
    """Returns W_R r_n for distances 0 to num - 1, [N, H, D]."""
    codes = jnp.asarray(sinusoids(num, self._position_size), dtype)
    return self._relative(codes).reshape(num, self._num_heads, -1)

  def _softmax(self, logits: jax.Array, visible: jax.Array) -> jax.Array:
    """Applies a scaled, masked softmax over the last axis, in float32."""
    scaled = logits.astype(jnp.float32) / np.sqrt(self._key_size)
    weights = jax.nn.softmax(jnp.where(visible, scaled, _MASKED), axis=-1)
    return weights.astype(logits.dtype)


def sliding_window_mask(
  age: jax.Array, num_past: int, window: int
) -> jax.Array:
  """Returns which positions each step of an unroll can see.

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


def shift(scores: jax.Array) -> jax.Array:
  """Turns scores by distance into scores by position.

  In rows that are one number longer the numbers of row t start t positions
  later; cut into rows of the old length they have moved by one position a row.

  Args:
    scores: [..., T, S]; the last axis runs from distance S - 1 to 0. The query
      of the last step is at the last of the S positions.

  Returns:
    [..., T, S]; anything at positions after the query's.
  """
  *leading, length, num_positions = scores.shape
  padding = [(0, 0)] * (scores.ndim - 1) + [(1, 0)]
  flat = jnp.pad(scores, padding).reshape(*leading, -1)
  return flat[..., length:].reshape(*leading, length, num_positions)


def ring_distance(age: jax.Array, num_slots: int) -> jax.Array:
  """Returns how long ago each slot was written, if it was: int32 [B, C].

  Args:
    age: Age of the step that was just written, int32 [B].
    num_slots: C.
  """
  return (age[:, None] - jnp.arange(num_slots)[None, :]) % num_slots


def past_slots(age: jax.Array, window: int) -> jax.Array:
  """Returns slots of the `window` steps before one, oldest first, [B, window].

  Args:
    age: Age of that step, not yet written, int32 [B].
    window: Number of past steps; the ring has one slot more.
  """
  distance = jnp.arange(window, 0, -1)[None, :]
  return (age[:, None] - distance) % (window + 1)


def latest_positions(
  age: jax.Array, num_positions: int, num_slots: int
) -> jax.Array:
  """Returns which position of a sequence belongs in each slot, int32 [B, C].

  Args:
    age: Age of the last position, int32 [B].
    num_positions: Length of the sequence. A slot that none of them belongs in
      gets an arbitrary one: it lies outside the episode and is never seen.
    num_slots: C.
  """
  position = num_positions - 1 - ring_distance(age, num_slots)
  return jnp.maximum(position, 0)


def sinusoids(num: int, size: int) -> np.ndarray:
  """Returns sine and cosine codes of distances 0...num - 1, [num, size]."""
  angle = np.arange(num)[:, None] * frequencies(size)[None, :]
  codes = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
  return codes.astype(np.float32)


def frequencies(size: int) -> np.ndarray:
  """Returns the frequencies of the codes, radians a step, [size / 2]."""
  return 10000.0 ** (-np.arange(0, size, 2) / size)


def _gather(ring: jax.Array, index: jax.Array) -> jax.Array:
  """Picks positions: [B, H, C, D] and [B, N] to [B, H, N, D]."""
  return jnp.take_along_axis(ring, index[:, None, :, None], axis=2)
