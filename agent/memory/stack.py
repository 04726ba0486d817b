"""The stack of layers that all of Adaland's memories are made of.

A layer is a *mixer*, which carries information from step to step, and a gated
feed-forward part, which does not. Both normalise their input and add to the
residual stream (AdA, arXiv 2301.07608). Most of the memories differ only in
their mixers, so that a comparison of memories compares nothing else; those of
Gemma 2 and Griffin also have the norms of these models.
"""

import dataclasses
from collections.abc import Sequence

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import layers, types
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base


@dataclasses.dataclass(frozen=True)
class Style:
  """The form of a layer around its mixer.

  Attributes:
    norm: Normalisation of inputs, and of the stack's output.
    norms_outputs: Whether additions to the stream are normalised too, as in
      Gemma 2 (arXiv 2408.00118, section 2).
  """

  norm: type[layers.LayerNorm] | type[layers.RMSNorm] = layers.LayerNorm
  norms_outputs: bool = False


class MixerStack(hk.Module):
  """A stack of layers with mixers of one kind or several; a `base.Memory`."""

  def __init__(
    self,
    config: NetworkConfig,
    mixer: type[base.Mixer] | Sequence[type[base.Mixer]],
    name: str = "memory",
    style: Style = Style(),
    spare_widths: Sequence[int] = (),
  ):
    """Makes the stack.

    Args:
      config: Sizes.
      mixer: The kind of mixer of all layers, or of each layer.
      name: Name of the module.
      style: The layers' form.
      spare_widths: Hidden units of each layer's feed-forward part beyond
        the config's; none if left out.
    """
    super().__init__(name=name)
    self._config = config
    one_kind = isinstance(mixer, type)
    self._mixers = [mixer] * config.num_layers if one_kind else list(mixer)
    scale = base.residual_scale(config)
    self._shift = None
    if config.token_shift and any(
      each.initial_state(config, 1) for each in self._mixers
    ):
      self._shift = layers.output_projection(config.d_model, 1.0, "shift")
    self._layers = []
    widths = spare_widths or [0] * config.num_layers
    for i, (each, spare) in enumerate(zip(self._mixers, widths, strict=True)):
      size = config.feed_forward_size + spare
      self._layers.append(
        _Layer(
          config,
          style,
          each(config, name=f"mixer_{i}"),
          layers.GatedMLP(size, scale, name=f"feed_forward_{i}"),
          i,
        )
      )
    self._final_norm = style.norm(name="final_norm")

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
    for i, mixer in enumerate(self._mixers):
      layer_state = mixer.initial_state(self._config, batch_size)
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
    for i, layer in enumerate(self._layers):
      key = _layer_key(i)
      mixed, layer_state = layer.mixer.step(
        layer.normed(x), age, state.get(key, {})
      )
      if layer_state:
        new_state[key] = layer_state
      x = layer.added(x, mixed)
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
        there, and the unroll is cheaper. No gradient flows into it.

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
    for i, layer in enumerate(self._layers):
      key = _layer_key(i)
      layer_state = state.get(key, {}) if state else None
      mixed, layer_state = layer.mixer.unroll(layer.normed(x), age, layer_state)
      if layer_state:
        new_state[key] = layer_state
      x = layer.added(x, mixed)
    return self._final_norm(x), new_state

  def _shifted(
    self, x: jax.Array, previous: jax.Array, age: jax.Array
  ) -> jax.Array:
    """Adds a map of the previous step's input, within an episode."""
    assert self._shift is not None
    return x + self._shift(jnp.where(age[..., None] > 0, previous, 0))


class _Layer:
  """A mixer and a feed-forward part, with their norms."""

  def __init__(
    self,
    config: NetworkConfig,
    style: Style,
    mixer: base.Mixer,
    feed_forward: layers.GatedMLP,
    number: int,
  ):
    self.mixer = mixer
    self._feed_forward = feed_forward
    self.normed = style.norm(name=f"mixer_norm_{number}")
    self._norm = style.norm(name=f"feed_forward_norm_{number}")
    self._output_norms = []
    if style.norms_outputs:
      scale = base.residual_scale(config) ** 0.5
      self._output_norms = [
        layers.RMSNorm(f"{part}_output_norm_{number}", scale)
        for part in ("mixer", "feed_forward")
      ]

  def added(self, x: jax.Array, mixed: jax.Array) -> jax.Array:
    """Adds the mixer's output to the stream, then the feed-forward part's."""
    if not self._output_norms:
      x = x + mixed
      return x + self._feed_forward(self._norm(x))
    mixer_norm, norm = self._output_norms
    x = x + mixer_norm(mixed)
    return x + norm(self._feed_forward(self._norm(x)))


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
  # Time of the latest episode start; -1 before the first one.
  starts = jnp.where(first != 0, time, -1)
  latest = jax.lax.cummax(starts, axis=1)
  return jnp.where(latest >= 0, time - latest, since_start)


def _layer_key(i: int) -> str:
  return f"layer_{i}"
