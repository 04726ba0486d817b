"""Attention with rotary positions and shared keys, as in Gemma 2.

Queries and keys are rotated by angles that grow with the age of their step, so
that their product depends only on the distance (RoFormer, arXiv 2104.09864).
Each key and value serves H / K heads (grouped-query attention, arXiv
2305.13245). Gemma 2 (arXiv 2408.00118, section 2) caps the logits,
l <- c tanh(l / c), and alternates layers that see a short window with layers
that see all of the context; Griffin (arXiv 2402.19427) has only layers with a
short window.

A step sees itself and past steps of its own episode, in a ring (see `ring`).

Shape letters: H heads, K heads of keys and values, G = H / K, D key size, C
ring slots, P cached past positions.
"""

from typing import ClassVar

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, ring

_MASKED = -1e30
# Gemma 2's cap on attention logits (arXiv 2408.00118, table 1).
_CAP = 50.0
_BASE = 10000.0


class _RotaryAttention(hk.Module):
  """Grouped attention over a sliding window of one episode.

  Attributes:
    is_local: Whether the window is `local_length`, not `memory_length`.
    is_capped: Whether logits are capped.
  """

  is_local: ClassVar[bool]
  is_capped: ClassVar[bool]

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(name=name)
    self._num_heads = config.num_heads
    self._num_keys = config.key_heads
    self._size = config.key_size
    self._window = self.window(config)
    width = config.num_heads * config.key_size
    self._query = layers.Linear(width, with_bias=False, name="query")
    self._key_value = layers.Linear(
      2 * config.key_heads * config.key_size, with_bias=False, name="key_value"
    )
    self._out = layers.output_projection(
      config.d_model, base.residual_scale(config)
    )

  @classmethod
  def window(cls, config: NetworkConfig) -> int:
    """Returns how many past steps a step sees, besides itself."""
    return config.local_length if cls.is_local else config.memory_length

  @classmethod
  def initial_state(
    cls, config: NetworkConfig, batch_size: int
  ) -> base.LayerState:
    """Returns rings of keys and of values, [B, K, C, D]."""
    slots = cls.window(config) + 1
    shape = (batch_size, config.key_heads, slots, config.key_size)
    dtype = jnp.dtype(config.compute_dtype)
    return {"keys": jnp.zeros(shape, dtype), "values": jnp.zeros(shape, dtype)}

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    query, key, value = self._project(x, age)
    num_slots = self._window + 1
    rows = jnp.arange(x.shape[0])
    slot = age % num_slots
    keys = state["keys"].at[rows, :, slot].set(key)
    values = state["values"].at[rows, :, slot].set(value)
    visible = ring.since(age, num_slots) <= age[:, None]
    mixed = self._attend(query[:, None], keys, values, visible[:, None])
    return self._out(mixed[:, 0]), {"keys": keys, "values": values}

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    query, keys, values = self._project(x, age)
    keys, values = (jnp.swapaxes(y, 1, 2) for y in (keys, values))
    num_past = 0
    if state is not None:
      num_past = self._window
      past = ring.past_slots(age[:, 0], self._window)
      keys, values = (
        jnp.concatenate([ring.gather(state[name], past), y], axis=2)
        for name, y in (("keys", keys), ("values", values))
      )
    visible = ring.window_mask(age, num_past, self._window)
    mixed = self._attend(query, keys, values, visible)
    latest = ring.latest_positions(age[:, -1], keys.shape[2], self._window + 1)
    return self._out(mixed), {
      name: ring.gather(jax.lax.stop_gradient(y), latest)
      for name, y in (("keys", keys), ("values", values))
    }

  def _project(
    self, x: jax.Array, age: jax.Array
  ) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns queries [..., H, D], keys and values [..., K, D]."""
    heads = (*x.shape[:-1], -1, self._size)
    query = self._query(x).reshape(heads)
    key, value = jnp.split(self._key_value(x), 2, axis=-1)
    key, value = key.reshape(heads), value.reshape(heads)
    return rotate(query, age), rotate(key, age), value

  def _attend(
    self,
    query: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    visible: jax.Array,
  ) -> jax.Array:
    """Mixes values.

    Args:
      query: [B, T, H, D].
      keys: [B, K, S, D].
      values: [B, K, S, D].
      visible: Which positions each query sees, bool [B, T, S].

    Returns:
      [B, T, H * D].
    """
    batch_size, length = query.shape[:2]
    group = self._num_heads // self._num_keys
    query = query.reshape(batch_size, length, self._num_keys, group, self._size)
    logits = jnp.einsum("btkgd,bksd->bktgs", query, keys)
    logits = logits.astype(jnp.float32) / np.sqrt(self._size)
    if self.is_capped:
      logits = _CAP * jnp.tanh(logits / _CAP)
    logits = jnp.where(visible[:, None, :, None], logits, _MASKED)
    weights = jax.nn.softmax(logits, axis=-1).astype(values.dtype)
    mixed = jnp.einsum("bktgs,bksd->btkgd", weights, values)
    return mixed.reshape(batch_size, length, -1)


class LocalAttention(_RotaryAttention):
  """Griffin's attention: the latest `local_length` steps."""

  is_local = True
  is_capped = False


class CappedLocalAttention(_RotaryAttention):
  """Gemma 2's attention over the latest `local_length` steps."""

  is_local = True
  is_capped = True


class CappedGlobalAttention(_RotaryAttention):
  """Gemma 2's attention over all of the context, `memory_length` steps."""

  is_local = False
  is_capped = True


def rotate(x: jax.Array, age: jax.Array) -> jax.Array:
  """Rotates pairs of numbers by angles that grow with age.

  Pair i, of numbers i and D / 2 + i, is rotated by age 10000^(-2 i / D)
  radians. An unpaired number at the end is left unchanged.

  Args:
    x: [..., H, D].
    age: int32 [...].

  Returns:
    [..., H, D].
  """
  size = x.shape[-1]
  half = size // 2
  if not half:
    return x
  frequency = (_BASE ** (-np.arange(half) / half)).astype(np.float32)
  # In float32: in bfloat16 an angle of hundreds of radians has no precision.
  angle = jnp.asarray(age, jnp.float32)[..., None, None] * frequency.reshape(
    (1,) * (age.ndim + 1) + (half,)
  )
  sin, cos = jnp.sin(angle), jnp.cos(angle)
  h = x.astype(jnp.float32)
  a, b, rest = h[..., :half], h[..., half : 2 * half], h[..., 2 * half :]
  turned = [a * cos - b * sin, b * cos + a * sin, rest]
  return jnp.concatenate(turned, axis=-1).astype(x.dtype)


def spare_width(config: NetworkConfig) -> int:
  """Returns hidden units that make up for the smaller number of parameters.

  Relative attention has 5 matrices of [d_model, H * D], this one has 2 of that
  size and 2 of [d_model, K * D]; a gated feed-forward part has 3 of [d_model,
  hidden]. With that many additional hidden units all memories have one size.
  """
  width = config.num_heads * config.key_size
  shared = config.key_heads * config.key_size
  return max(0, round((3 * width - 2 * shared) / 3))
