"""Interfaces of memories, and of the mixers that Adaland's memories use.

A `Memory` is a Haiku module with three methods. Pass your own to
`network.make_network(..., memory=EMA)`; no registration is needed:

    class EMA(hk.Module):  # An exponential moving average of the inputs.

      def __init__(self, config):
        super().__init__(name="ema")
        self._config = config
        self._out = hk.Linear(config.d_model)

      def initial_state(self, batch_size):
        shape = (batch_size, self._config.d_model)
        return {"mean": jnp.zeros(shape, self._config.compute_dtype)}

      def step(self, x, first, state):
        mean = jnp.where(first[:, None] != 0, 0, state["mean"])
        mean = 0.9 * mean + 0.1 * x
        return x + self._out(mean), {"mean": mean}

      def unroll(self, x, first, state):
        return base.unroll_by_steps(self, x, first, state)

`adaland.agent.memory.checks` tests whether such a class keeps the contract. A
memory that attends to past steps may expose its attention weights with
`looks.offer`.

Adaland's own memories are stacks of layers (`adaland.agent.memory.stack`). Most
of them differ only in their *mixer*, the part of a layer that carries
information from step to step. To make a memory from your own mixer, use
`functools.partial(stack.MixerStack, mixer=MyMixer)`.

A row's *age* is the number of earlier steps in its episode: zero at an
episode's first step. Mixers need no other knowledge of episode boundaries.
"""

from collections.abc import Callable
from typing import Protocol

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import types
from adaland.agent.config import NetworkConfig

# The state of one mixer: named arrays [B, ...].
LayerState = dict[str, jax.Array]


class Memory(Protocol):
  """A recurrent core between encoder and heads, a Haiku module.

  Rows of a batch are independent. Repeated `step` equals `unroll`.
  """

  def initial_state(self, batch_size: int) -> types.MemoryState:
    """Returns the state before any step: a dictionary of arrays [B, ...].

    It may be nested, and is empty for a memory without state. Shapes and
    dtypes must stay the same from step to step. Neither this method nor the
    constructor may use parameters.
    """
    ...

  def step(
    self, x: jax.Array, first: jax.Array, state: types.MemoryState
  ) -> tuple[jax.Array, types.MemoryState]:
    """Takes one step.

    Args:
      x: Encoded observation [B, d_model].
      first: Nonzero where an episode starts [B]: there the row's state must
        not be read.
      state: From `initial_state` or the previous call.

    Returns:
      [B, d_model], and the new state.
    """
    ...

  def unroll(
    self, x: jax.Array, first: jax.Array, state: types.MemoryState
  ) -> tuple[jax.Array, types.MemoryState]:
    """Takes many steps; equal to repeated `step`.

    Args:
      x: Encoded observations [B, T, d_model].
      first: Nonzero where an episode starts [B, T].
      state: From `initial_state` or the previous call.

    Returns:
      [B, T, d_model], and the new state.
    """
    ...


# Called inside a Haiku transform: a class whose only required argument is the
# config, a `functools.partial` of one, or a function.
MemoryFactory = Callable[[NetworkConfig], Memory]


class Mixer(Protocol):
  """The part of a layer that carries information over time, a Haiku module."""

  def __init__(self, config: NetworkConfig, name: str): ...

  @staticmethod
  def initial_state(config: NetworkConfig, batch_size: int) -> LayerState:
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
      The addition to the residual stream [B, d_model], and the new state.
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
      The addition to the residual stream [B, T, d_model], and the new state.
    """
    ...


def initial_state(
  memory: MemoryFactory, config: NetworkConfig, batch_size: int
) -> types.MemoryState:
  """Returns a memory's state before any step, outside any transform.

  Args:
    memory: Makes the memory.
    config: Sizes.
    batch_size: Number of rows, B.

  Returns:
    Arrays [B, ...].
  """
  transformed = hk.transform(lambda: memory(config).initial_state(batch_size))
  # Copies: actors donate the state, which must not hold one buffer twice.
  return jax.tree_util.tree_map(jnp.array, transformed.apply({}, None))


def unroll_by_steps(
  memory: Memory, x: jax.Array, first: jax.Array, state: types.MemoryState
) -> tuple[jax.Array, types.MemoryState]:
  """Implements `Memory.unroll`, with its arguments, by a scan over `step`."""

  def body(state, inputs):
    x, first = inputs
    output, state = memory.step(x, first, state)
    return state, output

  inputs = (jnp.swapaxes(x, 0, 1), jnp.swapaxes(first, 0, 1))
  state, output = hk.scan(body, state, inputs)
  return jnp.swapaxes(output, 0, 1), state


def residual_scale(config: NetworkConfig) -> float:
  """Returns the initial variance factor of additions to the residual stream."""
  return 1 / (2 * config.num_layers)
