"""Griffin's recurrence: a gated linear unit that a scan computes in parallel.

The recurrent block of Griffin and RecurrentGemma (arXiv 2402.19427, section 2)
is a short convolution along time and the real-gated linear recurrent unit,

    r_t = sigmoid(W_r x_t + b_r), i_t = sigmoid(W_i x_t + b_i)
    log a_t = -8 softplus(d) r_t
    h_t = a_t h_{t-1} + sqrt(1 - a_t^2) (i_t x_t)

multiplied by a branch with GELU. The state has the same size at any age. h_t is
linear in h_{t-1}, so an unroll is an associative scan of depth log T. At an
episode's first step a_t is zero and i_t x_t is not scaled, as in
RecurrentGemma.

Shape letters: N width of the recurrence, H blocks of the gates' matrices.
"""

from collections.abc import Sequence
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base

# Steps that the convolution sees, and the constant c of the decay.
_TAPS = 4
_DECAY = 8.0
# Initial range of a at r = 1 / 8.
_SLOWEST, _FASTEST = 0.999, 0.9
# Bounds the gradient of the square root.
_LEAST = 1e-6


class RecurrentMixer(hk.Module):
  """Convolution and gated linear recurrence, times a gating branch."""

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(name=name)
    self._size = state_size(config)
    self._blocks = config.num_heads
    self._inputs = layers.Linear(2 * self._size, with_bias=False, name="inputs")
    self._out = layers.output_projection(
      config.d_model, base.residual_scale(config)
    )

  @staticmethod
  def initial_state(config: NetworkConfig, batch_size: int) -> base.LayerState:
    """Returns the hidden state [B, N] and the latest inputs [B, 3, N]."""
    size = state_size(config)
    dtype = jnp.dtype(config.compute_dtype)
    return {
      # Accumulated over hundreds of steps, so always float32.
      "hidden": jnp.zeros([batch_size, size], jnp.float32),
      "recent": jnp.zeros([batch_size, _TAPS - 1, size], dtype),
    }

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    y, new_state = self.unroll(x[:, None], age[:, None], state)
    return y[:, 0], new_state

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    gate, signal = jnp.split(self._inputs(x), 2, axis=-1)
    if state is None:
      shape = (x.shape[0], _TAPS - 1, self._size)
      recent = jnp.zeros(shape, x.dtype)
      start = jnp.zeros([x.shape[0], self._size], jnp.float32)
    else:
      recent, start = state["recent"], state["hidden"]
    sequence = jnp.concatenate([recent, signal], axis=1)
    decay, inputs = self._gated(self._convolved(sequence, age), age)
    # The previous state enters through the first step's input.
    inputs = inputs.at[:, 0].add(decay[:, 0] * start)
    hidden = scan(decay, inputs)
    mixed = jax.nn.gelu(gate) * hidden.astype(x.dtype)
    return self._out(mixed), {
      "hidden": jax.lax.stop_gradient(hidden[:, -1]),
      "recent": jax.lax.stop_gradient(sequence[:, -(_TAPS - 1) :]),
    }

  def _convolved(self, sequence: jax.Array, age: jax.Array) -> jax.Array:
    """Returns the convolution within an episode, [B, 3 + T, N] to [B, T, N]."""
    init = hk.initializers.VarianceScaling(1.0, "fan_in")
    weights = hk.get_parameter(
      "taps", (_TAPS, self._size), sequence.dtype, init=init
    )
    bias = hk.get_parameter(
      "taps_bias", (self._size,), sequence.dtype, init=jnp.zeros
    )
    total = bias.reshape(1, 1, -1)
    length = age.shape[1]
    for back in range(_TAPS):
      start = _TAPS - 1 - back
      tap = sequence[:, start : start + length]
      tap = jnp.where(age[:, :, None] >= back, tap, 0)
      total = total + tap * weights[back].reshape(1, 1, -1)
    return total

  def _gated(self, x: jax.Array, age: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns a_t and the term added to a_t h_{t-1}, float32 [B, T, N]."""
    width = self._size // self._blocks
    shape = (2, self._blocks, width, width)
    init = hk.initializers.RandomNormal(width**-0.5)
    weights = hk.get_parameter("gates", shape, x.dtype, init=init)
    bias = hk.get_parameter("gates_bias", (2, self._size), init=jnp.zeros)
    rate = hk.get_parameter("decay", (self._size,), init=_initial_decay)
    blocks = x.reshape(*x.shape[:-1], self._blocks, width)
    gates = jnp.einsum("bthi,ghij->gbthj", blocks, weights)
    gates = gates.reshape(2, *x.shape).astype(jnp.float32)
    recurrence, admission = jax.nn.sigmoid(
      gates + bias.astype(jnp.float32).reshape(2, 1, 1, -1)
    )
    log_decay = (
      -_DECAY
      * recurrence
      * jax.nn.softplus(rate.astype(jnp.float32).reshape(1, 1, -1))
    )
    starts = (age == 0)[:, :, None]
    # 1 - a^2 without cancellation where a is close to one.
    scale = jnp.sqrt(jnp.maximum(-jnp.expm1(2 * log_decay), _LEAST))
    scale = jnp.where(starts, 1.0, scale)
    decay = jnp.where(starts, 0.0, jnp.exp(log_decay))
    return decay, scale * admission * x.astype(jnp.float32)


def scan(decay: jax.Array, inputs: jax.Array) -> jax.Array:
  """Returns h_t = decay_t h_{t-1} + inputs_t with h_0 = inputs_0.

  Args:
    decay: [B, T, N].
    inputs: [B, T, N].

  Returns:
    [B, T, N].
  """

  def join(left, right):
    return left[0] * right[0], left[1] * right[0] + right[1]

  return jax.lax.associative_scan(join, (decay, inputs), axis=1)[1]


def state_size(config: NetworkConfig) -> int:
  """Returns the width that gives about as many parameters as attention.

  With width n, d = d_model and w = H * D, the maps have 3 d n parameters and
  the gates have 2 n^2 / H; their sum should be 5 d w. All blocks have the same
  width.
  """
  d, blocks = config.d_model, config.num_heads
  width = blocks * config.key_size
  linear = 3 * d
  size = ((linear**2 + 40 * d * width / blocks) ** 0.5 - linear) * blocks / 4
  return max(1, round(size / blocks)) * blocks


def _initial_decay(shape: Sequence[int], dtype: Any) -> jax.Array:
  """Returns parameters of the decay that are uniform in a^2.

  The square of exp(-softplus(d)) is uniform, from 0.9^2 to 0.999^2, as in
  Griffin.
  """
  square = np.linspace(_FASTEST**2, _SLOWEST**2, shape[0])
  rate = -0.5 * np.log(square)
  return jnp.asarray(np.log(np.expm1(rate)), dtype)
