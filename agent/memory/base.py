"""What every memory is: the seam between memories and the rest of the agent.

A memory is a stack of layers, each a *mixer*, which carries information from
step to step, and a gated feed-forward part, which does not. Both normalise
their input first and add to the residual stream (§3.2). Memories differ in
their mixer only, so that a comparison of memories compares nothing else.

A row's *age* is the number of steps of its episode that came before: zero at
an episode's first step. It says all there is to know about episode borders.
"""

from collections.abc import Callable
from typing import Protocol

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import config as config_lib
from adaland.agent import layers, types

# What one mixer remembers: named arrays [B, ...].
LayerState = dict[str, jax.Array]


class Mixer(Protocol):
  """Carries information along time, within one layer. A Haiku module."""

  @staticmethod
  def initial_state(
    config: config_lib.NetworkConfig, batch_size: int
  ) -> LayerState:
    """Returns the state before any step; its content is never read."""
    ...

  def step(
    self, x: jax.Array, age: jax.Array, state: LayerState
  ) -> tuple[jax.Array, LayerState]:
    """Takes one step.

    Args:
      x: Normalised input [B, d_model].
      age: int32 [B]. Where zero, nothing in `state` may be read.
      state: From the previous step.

    Returns:
      What to add to the residual stream [B, d_model], and the new state.
    """
    ...

  def unroll(
    self, x: jax.Array, age: jax.Array, state: LayerState | None
  ) -> tuple[jax.Array, LayerState]:
    """Takes many steps; equal to repeated `step`.

    Args:
      x: Normalised input [B, T, d_model].
      age: int32 [B, T].
      state: From the previous step, or None if every row has age zero at its
        first step. No gradient flows into it.

    Returns:
      What to add to the residual stream [B, T, d_model], and the new state.
    """
    ...


class Memory(hk.Module):
  """A stack of layers with one kind of mixer."""

  def __init__(
    self,
    config: config_lib.NetworkConfig,
    make_mixer: Callable[[config_lib.NetworkConfig, str], Mixer],
    name: str = "memory",
  ):
    """Makes the stack.

    Args:
      config: Sizes.
      make_mixer: Called with `config` and a name, once a layer.
      name: Name of the module.
    """
    super().__init__(name=name)
    scale = residual_scale(config)
    self._layers = []
    for i in range(config.num_layers):
      self._layers.append(
        (
          layers.LayerNorm(name=f"mixer_norm_{i}"),
          make_mixer(config, f"mixer_{i}"),
          layers.LayerNorm(name=f"feed_forward_norm_{i}"),
          layers.GatedMLP(
            config.feed_forward_size, scale, name=f"feed_forward_{i}"
          ),
        )
      )
    self._final_norm = layers.LayerNorm(name="final_norm")

  def step(
    self, x: jax.Array, first: types.Array, state: types.MemoryState
  ) -> tuple[jax.Array, types.MemoryState]:
    """Takes one step.

    Args:
      x: Encoded observation [B, d_model].
      first: Nonzero where an episode starts [B].
      state: From `initial_state` or the previous call.

    Returns:
      [B, d_model], and the new state.
    """
    state = jax.tree_util.tree_map(jnp.asarray, state)
    age = jnp.where(first != 0, 0, state["age"])
    new_state = {"age": age + 1}
    for i, (mixer_norm, mixer, norm, feed_forward) in enumerate(self._layers):
      key = _layer_key(i)
      mixed, layer_state = mixer.step(mixer_norm(x), age, state.get(key, {}))
      if layer_state:
        new_state[key] = layer_state
      x = x + mixed
      x = x + feed_forward(norm(x))
    return self._final_norm(x), new_state

  def unroll(
    self, x: jax.Array, first: types.Array, state: types.MemoryState
  ) -> tuple[jax.Array, types.MemoryState]:
    """Takes many steps; equal to repeated `step`.

    Args:
      x: Encoded observations [B, T, d_model].
      first: Nonzero where an episode starts [B, T].
      state: From `initial_state` or the previous call, or an empty dict: then
        every row starts an episode at its first step, whatever `first` says
        there, which is cheaper. No gradient flows into it.

    Returns:
      [B, T, d_model], and the new state.
    """
    state = jax.tree_util.tree_map(jnp.asarray, state)
    state = jax.lax.stop_gradient(state)
    batch_size = x.shape[0]
    start = state["age"] if state else jnp.zeros([batch_size], jnp.int32)
    age = ages(first, start)
    new_state = {"age": age[:, -1] + 1}
    for i, (mixer_norm, mixer, norm, feed_forward) in enumerate(self._layers):
      key = _layer_key(i)
      layer_state = state.get(key, {}) if state else None
      mixed, layer_state = mixer.unroll(mixer_norm(x), age, layer_state)
      if layer_state:
        new_state[key] = layer_state
      x = x + mixed
      x = x + feed_forward(norm(x))
    return self._final_norm(x), new_state


def initial_state(
  config: config_lib.NetworkConfig, mixer: type[Mixer], batch_size: int
) -> types.MemoryState:
  """Returns the state of a `Memory` whose rows have seen nothing.

  Args:
    config: Sizes.
    mixer: The kind of mixer.
    batch_size: Number of rows, B.

  Returns:
    {"age": int32 [B], "layer_0": {name: [B, ...]}, ...}; layers that remember
    nothing are left out.
  """
  state: dict[str, types.Array | LayerState] = {
    "age": jnp.zeros([batch_size], jnp.int32)
  }
  for i in range(config.num_layers):
    layer_state = mixer.initial_state(config, batch_size)
    if layer_state:
      state[_layer_key(i)] = layer_state
  return state


def ages(first: types.Array, start: types.Array) -> jax.Array:
  """Returns every step's age.

  Args:
    first: Nonzero where an episode starts [B, T].
    start: Age of the first step, unless an episode starts there, int32 [B].

  Returns:
    int32 [B, T].
  """
  time = jnp.arange(first.shape[1], dtype=jnp.int32)[None, :]
  since_start = start[:, None] + time
  # Time of the latest episode start, -1 before there is one.
  starts = jnp.where(first != 0, time, -1)
  latest = jax.lax.cummax(starts, axis=1)
  return jnp.where(latest >= 0, time - latest, since_start)


def residual_scale(config: config_lib.NetworkConfig) -> float:
  """Initial variance factor of what is added to the residual stream."""
  return 1 / (2 * config.num_layers)


def _layer_key(i: int) -> str:
  return f"layer_{i}"
