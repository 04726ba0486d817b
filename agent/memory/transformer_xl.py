"""Attention over the latest steps with relative positions: Transformer-XL.

The score of query i and key j, at distance n = i - j, is (Dai et al. 2019)

    ((q_i + u) . k_j + (q_i + w) . W_R r_n) / sqrt(key_size)

with sinusoidal codes r_n and learned u and w. Step i sees j if
0 <= n <= min(age_i, memory_length): only its own episode, and not too far back.

Acting keeps projected keys and values, so a step projects one position. They
are in a ring buffer (see `ring`) of C = memory_length + 1 slots. With attention
sinks (see `sinks`) the first steps of an episode always stay visible.

Shape letters: H heads, D key size, C ring slots, P cached past positions,
S = P + T positions that an unroll attends to, N attention sinks.
"""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, fused, looks, ring, sinks

# A logit that softmax maps to zero, without subtracting infinities.
_MASKED = -1e30


class RelativeAttention(hk.Module):
  """Multi-head attention over a sliding window of one episode."""

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(name=name)
    self._num_heads = config.num_heads
    self._key_size = config.key_size
    self._position_size = config.position_size
    self._num_sinks = config.attention_sinks
    self._kernel = None
    # `skip` has its own way of attending, with this class's parameters.
    fusible = config.memory == "transformer_xl" and not config.attention_sinks
    if config.fused_attention and fusible:
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
    """Returns rings of keys and of values, [B, H, C, D], and any sinks."""
    sizes = {"": config.memory_length + 1, "sink_": config.attention_sinks}
    dtype = jnp.dtype(config.compute_dtype)
    return {
      prefix + name: jnp.zeros(
        (batch_size, config.num_heads, size, config.key_size), dtype
      )
      for prefix, size in sizes.items()
      if size
      for name in ("keys", "values")
    }

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    query, key, value = self._project(x)  # [B, H, D]
    num_slots = self._window + 1
    rows = jnp.arange(x.shape[0])
    slot = age % num_slots
    new_state = {
      "keys": state["keys"].at[rows, :, slot].set(key),
      "values": state["values"].at[rows, :, slot].set(value),
    }
    keys, values = new_state["keys"], new_state["values"]
    distance = since = ring.since(age, num_slots)  # [B, C]
    visible = distance <= age[:, None]
    if self._num_sinks:
      kept = sinks.written(state, key, value, age)
      new_state |= kept
      keys = jnp.concatenate([kept["sink_keys"], keys], axis=2)
      values = jnp.concatenate([kept["sink_values"], values], axis=2)
      far, seen = sinks.seen(age, self._num_sinks, self._window)
      distance = jnp.concatenate([far, distance], axis=1)
      # `far` is measured within the memory, as it chooses position codes.
      sink_since = age[:, None] - jnp.arange(self._num_sinks)[None, :]
      since = jnp.concatenate([sink_since, since], axis=1)
      visible = jnp.concatenate([seen, visible], axis=1)

    content_bias, position_bias = (b[None] for b in self._biases(x.dtype))
    codes = self._position_codes(num_slots + self._num_sinks, x.dtype)
    content = jnp.einsum("bhd,bhcd->bhc", query + content_bias, keys)
    position = jnp.einsum("bhd,chd->bhc", query + position_bias, codes)
    position = jnp.take_along_axis(position, distance[:, None, :], axis=2)
    weights = self._softmax(content + position, visible[:, None, :])
    looks.offer(weights, since)
    mixed = jnp.einsum("bhc,bhcd->bhd", weights, values)
    mixed = mixed.reshape(x.shape[0], -1)
    return self._out(mixed), new_state

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    batch_size, length, _ = x.shape
    # Heads first: then every product below is a plain batch of matrices.
    query, keys, values = (
      jnp.moveaxis(y, 2, 0) for y in self._project(x)
    )  # [H, B, T, D]
    new_state, step_sinks = {}, None
    if self._num_sinks:
      step_sinks = sinks.of_steps(state, keys, values, age, self._num_sinks)
      new_state |= step_sinks.latest()
    num_past = 0
    if state is not None:
      num_past = self._window
      past = ring.past_slots(age[:, 0], self._window)
      cached = (ring.gather(state[name], past) for name in ("keys", "values"))
      past_keys, past_values = (jnp.swapaxes(y, 0, 1) for y in cached)
      keys = jnp.concatenate([past_keys, keys], axis=2)
      values = jnp.concatenate([past_values, values], axis=2)

    visible = ring.window_mask(age, num_past, self._window)
    if self._kernel is None:
      mixed = self._attend(query, keys, values, visible, step_sinks)
    else:
      mixed = self._attend_fused(query, keys, values, visible)
    mixed = jnp.moveaxis(mixed, 0, 2).reshape(batch_size, length, -1)

    latest = ring.latest_positions(age[:, -1], keys.shape[2], self._window + 1)
    for name, sequence in (("keys", keys), ("values", values)):
      sequence = jax.lax.stop_gradient(jnp.swapaxes(sequence, 0, 1))
      new_state[name] = ring.gather(sequence, latest)
    return self._out(mixed), new_state

  def _attend(
    self,
    query: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    visible: jax.Array,
    step_sinks: sinks.Sinks | None,
  ) -> jax.Array:
    """Mixes values [H, B, S, D] for queries [H, B, T, D], without a kernel."""
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
    logits = content + shift(position)
    if step_sinks is None:
      weights = self._softmax(logits, visible[None])
      return jnp.einsum("hbts,hbsd->hbtd", weights, values)
    # The same for the sinks, which differ from query to query.
    distance, seen = sinks.seen(step_sinks.age, self._num_sinks, self._window)
    codes = self._position_codes(
      self._window + 1 + self._num_sinks, query.dtype
    )
    content = jnp.einsum(
      "hbtd,hbtnd->hbtn", query + content_bias, step_sinks.keys
    )
    position = jnp.einsum(
      "hqd,hsd->hqs", flat, jnp.swapaxes(codes, 0, 1)
    ).reshape(num_heads, batch_size, length, -1)
    position = jnp.take_along_axis(position, distance[None], axis=3)
    weights = self._softmax(
      jnp.concatenate([content + position, logits], axis=3),
      jnp.concatenate([seen, visible], axis=2)[None],
    )
    first, rest = jnp.split(weights, [self._num_sinks], axis=3)
    return jnp.einsum(
      "hbtn,hbtnd->hbtd", first, step_sinks.values
    ) + jnp.einsum("hbts,hbsd->hbtd", rest, values)

  def _attend_fused(
    self,
    query: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    visible: jax.Array,
  ) -> jax.Array:
    """Mixes values as `_attend` does, with a kernel (see `fused`)."""
    assert self._kernel is not None
    query, keys, values = (
      jnp.moveaxis(y, 0, 2) for y in (query, keys, values)
    )  # [B, T or S, H, D]
    content_bias, position_bias = (
      bias[None, None] for bias in self._biases(query.dtype)
    )
    # W_R itself: the map applied to the identity.
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


def shift(scores: jax.Array) -> jax.Array:
  """Turns scores by distance into scores by position.

  Each row is padded with a leading number; the flattened rows are then cut into
  rows of the old length, each moved by one position more than the row before.

  Args:
    scores: [..., T, S]; the last axis runs from distance S - 1 to 0. The query
      of the last step is at the last of the S positions.

  Returns:
    [..., T, S]; arbitrary at positions after the query's.
  """
  *leading, length, num_positions = scores.shape
  padding = [(0, 0)] * (scores.ndim - 1) + [(1, 0)]
  flat = jnp.pad(scores, padding).reshape(*leading, -1)
  return flat[..., length:].reshape(*leading, length, num_positions)


def sinusoids(num: int, size: int) -> np.ndarray:
  """Returns sine and cosine codes of distances 0...num - 1, [num, size]."""
  angle = np.arange(num)[:, None] * frequencies(size)[None, :]
  codes = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
  return codes.astype(np.float32)


def frequencies(size: int) -> np.ndarray:
  """Returns the frequencies of the codes in radians per step, [size / 2]."""
  return 10000.0 ** (-np.arange(0, size, 2) / size)
