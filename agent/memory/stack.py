"""The stack of layers that each of Adaland's memories is.

A layer is a *mixer*, which carries information from step to step, and a gated
feed-forward part, which does not. Both normalise their input first and add to
the residual stream (AdA, arXiv 2301.07608). Our memories differ in their mixer
only, so that a comparison of memories compares nothing else.
"""

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import layers, types
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base


class MixerStack(hk.Module):
  """A stack of layers with one kind of mixer; a `base.Memory`."""

  def __init__(
    self,
    config: NetworkConfig,
    mixer: type[base.Mixer],
    name: str = "memory",
  ):
    """Makes the stack.

    Args:
      config: Sizes.
      mixer: The kind of mixer; made once a layer.
      name: Name of the module.
    """
    super().__init__(name=name)
    self._config = config
    self._mixer = mixer
    scale = base.residual_scale(config)
    self._shift = None
    if config.token_shift and mixer.initial_state(config, 1):
      self._shift = layers.output_projection(config.d_model, 1.0, "shift")
    self._layers = []
    for i in range(config.num_layers):
      self._layers.append(
        (
          layers.LayerNorm(name=f"mixer_norm_{i}"),
          mixer(config, name=f"mixer_{i}"),
          layers.LayerNorm(name=f"feed_forward_norm_{i}"),
          layers.GatedMLP(
            config.feed_forward_size, scale, name=f"feed_forward_{i}"
          ),
        )
      )
    self._final_norm = layers.LayerNorm(name="final_norm")

  def initial_state(self, batch_size: int) -> types.MemoryState:
    """Returns the state before any step.

    Args:
      batch_size: Number of rows, B.

    Returns:
      {"age": int32 [B], "previous": [B, d_model], "layer_0": {name: [B, ...]},
      ...}. Without token shift there is no previous input; layers that remember
      nothing are left out.
    """
    state: dict[str, types.Array | base.LayerState] = {
      "age": jnp.zeros([batch_size], jnp.int32)
    }
    if self._shift is not None:
      shape = (batch_size, self._config.d_model)
      state["previous"] = jnp.zeros(shape, self._config.compute_dtype)
    for i in range(self._config.num_layers):
      layer_state = self._mixer.initial_state(self._config, batch_size)
      if layer_state:
        state[_layer_key(i)] = layer_state
    return state

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
    if self._shift is not None:
      new_state["previous"] = x
      x = self._shifted(x, state["previous"], age)
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
    if self._shift is not None:
      new_state["previous"] = jax.lax.stop_gradient(x[:, -1])
      before = state["previous"] if state else jnp.zeros_like(x[:, 0])
      before = jnp.concatenate([before[:, None], x[:, :-1]], axis=1)
      x = self._shifted(x, before, age)
    for i, (mixer_norm, mixer, norm, feed_forward) in enumerate(self._layers):
      key = _layer_key(i)
      layer_state = state.get(key, {}) if state else None
      mixed, layer_state = mixer.unroll(mixer_norm(x), age, layer_state)
      if layer_state:
        new_state[key] = layer_state
      x = x + mixed
      x = x + feed_forward(norm(x))
    return self._final_norm(x), new_state

  def _shifted(
    self, x: jax.Array, previous: jax.Array, age: jax.Array
  ) -> jax.Array:
    """Adds a map of the inputs of the step before, if it was of the episode."""
    assert self._shift is not None
    return x + self._shift(jnp.where(age[..., None] > 0, previous, 0))


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


def _layer_key(i: int) -> str:
  return f"layer_{i}"
