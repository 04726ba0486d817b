"""A gated recurrent unit in place of attention."""

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base


class GRUMixer(hk.Module):
  """A GRU with about as many parameters as attention.

  The reset gate is applied after the recurrent product (Cho et al. 2014, in
  cuDNN's form), so that one product serves all three gates.
  """

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(name=name)
    self._size = state_size(config)
    self._inputs = layers.Linear(3 * self._size, name="inputs")
    self._out = layers.output_projection(
      config.d_model, base.residual_scale(config)
    )

  @staticmethod
  def initial_state(config: NetworkConfig, batch_size: int) -> base.LayerState:
    """Returns the hidden state, [B, size]."""
    dtype = jnp.dtype(config.compute_dtype)
    return {"hidden": jnp.zeros([batch_size, state_size(config)], dtype)}

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    recurrent = recurrent_weights(self._size, x.dtype)
    hidden = jnp.where(age[:, None] == 0, 0, state["hidden"])
    hidden = cell(self._inputs(x), hidden, recurrent)
    return self._out(hidden), {"hidden": hidden}

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    recurrent = recurrent_weights(self._size, x.dtype)
    if state is None:
      start = jnp.zeros([x.shape[0], self._size], x.dtype)
    else:
      start = jnp.asarray(state["hidden"], x.dtype)
    # All input products at once; only the recurrent ones are sequential.
    inputs = jnp.swapaxes(self._inputs(x), 0, 1)  # [T, B, 3 * size]

    def body(hidden, step_inputs):
      step_inputs, step_age = step_inputs
      hidden = jnp.where(step_age[:, None] == 0, 0, hidden)
      hidden = cell(step_inputs, hidden, recurrent)
      return hidden, hidden

    last, hidden = jax.lax.scan(body, start, (inputs, age.T))
    return self._out(jnp.swapaxes(hidden, 0, 1)), {"hidden": last}


def state_size(config: NetworkConfig) -> int:
  """Returns the width that gives about as many parameters as attention.

  Attention has 5 matrices of [d_model, H * D], with position codes as wide as
  the network. With width n a GRU and its output have 4 d_model n + 3 n^2, which
  is 5 d_model^2 at n = 0.786 d_model.
  """
  width = config.num_heads * config.key_size
  d = config.d_model
  return round((((4 * d) ** 2 + 60 * d * width) ** 0.5 - 4 * d) / 6)


def recurrent_weights(size: int, dtype: jnp.dtype) -> jax.Array:
  """Returns the parameters [size, 3 * size] of the calling module."""
  init = hk.initializers.VarianceScaling()
  return hk.get_parameter("recurrent", (size, 3 * size), dtype, init=init)


def cell(
  inputs: jax.Array, hidden: jax.Array, recurrent: jax.Array
) -> jax.Array:
  """Returns the next hidden state.

  Args:
    inputs: The input's contribution to the reset gate, the update gate and the
      candidate, [B, 3 * size].
    hidden: [B, size].
    recurrent: Weights [size, 3 * size].
  """
  from_inputs = jnp.split(inputs, 3, axis=-1)
  from_hidden = jnp.split(hidden @ recurrent, 3, axis=-1)
  reset, update = (
    jax.nn.sigmoid(a + b)
    for a, b in zip(from_inputs[:2], from_hidden[:2], strict=True)
  )
  candidate = jnp.tanh(from_inputs[2] + reset * from_hidden[2])
  return (1 - update) * candidate + update * hidden
