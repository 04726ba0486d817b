"""Attention that keeps one step in several: a long context for many shots.

AdA's memory for many shots (arXiv 2301.07608, appendix) encodes the trajectory
with a GRU and passes every fourth output to Transformer-XL, so that the same
cache reaches four times as far back. Here the GRU is the first layer; the
layers above it keep the keys and values of every `skip_every`-th step of an
episode, and every step queries them. Distances count kept steps.

The kept step of index w = age / skip_every is in slot w mod C of a ring.

Shape letters: H heads, D key size, C ring slots, P cached past positions.
"""

import jax
import jax.numpy as jnp

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, ring, transformer_xl


class SkipAttention(transformer_xl.RelativeAttention):
  """Attention over `memory_length` kept steps of one episode."""

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(config, name)
    self._every = config.skip_every

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    query, key, value = self._project(x)  # [B, H, D]
    num_slots = self._window + 1
    index = age // self._every
    rows = jnp.arange(x.shape[0])
    # A write to a slot past the last one is dropped.
    slot = jnp.where(age % self._every == 0, index % num_slots, num_slots)
    keys, values = (
      state[name].at[rows, :, slot].set(y, mode="drop")
      for name, y in (("keys", key), ("values", value))
    )
    distance = ring.since(index, num_slots)
    visible = distance <= index[:, None]
    mixed = self._mix(
      query[:, :, None],
      keys,
      values,
      distance[:, None],
      visible[:, None],
    )
    mixed = mixed.reshape(x.shape[0], -1)
    return self._out(mixed), {"keys": keys, "values": values}

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    batch_size, length, _ = x.shape
    num_slots = self._window + 1
    query, new_keys, new_values = (
      jnp.swapaxes(y, 1, 2) for y in self._project(x)
    )  # [B, H, T, D]
    index = age // self._every
    time = jnp.arange(length)
    start = time[None, :] - age  # Where the episode started, [B, T].
    kept = age % self._every == 0
    visible = (
      (start[:, :, None] == start[:, None, :])
      & kept[:, None, :]
      & (time[:, None] >= time[None, :])[None]
    )
    keys, values, indices = new_keys, new_values, index
    if state is not None:
      # Kept steps before the first step, which may see all of the ring.
      before = -(-age[:, 0] // self._every)
      numbers = before[:, None] + jnp.arange(-num_slots, 0)[None, :]
      past = numbers % num_slots
      keys, values = (
        jnp.concatenate([ring.gather(state[name], past), y], axis=2)
        for name, y in (("keys", keys), ("values", values))
      )
      indices = jnp.concatenate([numbers, index], axis=1)
      continues = start == -age[:, :1]
      seen = continues[:, :, None] & (numbers >= 0)[:, None, :]
      visible = jnp.concatenate([seen, visible], axis=2)
    distance = index[:, :, None] - indices[:, None, :]  # [B, T, S]
    visible &= distance <= self._window
    distance = jnp.clip(distance, 0, self._window)
    mixed = self._mix(query, keys, values, distance, visible)
    mixed = jnp.swapaxes(mixed, 1, 2).reshape(batch_size, length, -1)

    # The steps that belong in the slots; slots without a new step are kept.
    last = index[:, -1]
    number = last[:, None] - ring.since(last, num_slots)
    position = start[:, -1:] + number * self._every
    new_state = {}
    for name, y in (("keys", new_keys), ("values", new_values)):
      picked = ring.gather(y, jnp.maximum(position, 0))
      if state is not None:
        is_new = (position >= 0)[:, None, :, None]
        picked = jnp.where(is_new, picked, state[name])
      new_state[name] = jax.lax.stop_gradient(picked)
    return self._out(mixed), new_state

  def _mix(
    self,
    query: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    distance: jax.Array,
    visible: jax.Array,
  ) -> jax.Array:
    """Mixes values.

    Args:
      query: [B, H, T, D].
      keys: [B, H, S, D].
      values: [B, H, S, D].
      distance: Distance of each position from each query, int32 [B, T, S].
      visible: Which positions each query sees, bool [B, T, S].

    Returns:
      [B, H, T, D].
    """
    content_bias, position_bias = (
      bias[None, :, None] for bias in self._biases(query.dtype)
    )
    codes = self._position_codes(self._window + 1, query.dtype)
    content = jnp.einsum("bhtd,bhsd->bhts", query + content_bias, keys)
    position = jnp.einsum("bhtd,chd->bhtc", query + position_bias, codes)
    position = jnp.take_along_axis(position, distance[:, None], axis=3)
    weights = self._softmax(content + position, visible[:, None])
    return jnp.einsum("bhts,bhsd->bhtd", weights, values)
