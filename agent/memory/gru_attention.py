"""A GRU that reads its own past: AdA's "RNN with attention".

At every `store_every`-th step of an episode the hidden state is written to a
store of the latest `store_size` such states. At every step the hidden state
queries the store with several heads; the result is part of the GRU's input.
The store holds projected keys and values, so each is projected once. See AdA,
arXiv 2301.07608.
"""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, gru


class GRUAttentionMixer(hk.Module):
  """A GRU with an episodic store.

  Shape letters: H heads, D key size, S slots of the store.
  """

  def __init__(self, config: NetworkConfig, name: str):
    super().__init__(name=name)
    self._config = config
    self._size = state_size(config)
    width = config.num_heads * config.key_size
    self._inputs = layers.Linear(3 * self._size, name="inputs")
    self._out = layers.output_projection(
      config.d_model, base.residual_scale(config)
    )
    self._width = width

  @staticmethod
  def initial_state(config: NetworkConfig, batch_size: int) -> base.LayerState:
    """Returns hidden state [B, size], keys and values [B, H, S, D]."""
    dtype = jnp.dtype(config.compute_dtype)
    shape = (batch_size, config.num_heads, config.store_size, config.key_size)
    return {
      "hidden": jnp.zeros([batch_size, state_size(config)], dtype),
      "keys": jnp.zeros(shape, dtype),
      "values": jnp.zeros(shape, dtype),
    }

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    weights = self._weights(x.dtype)
    state = self._advance(self._inputs(x), age, state, weights)
    return self._out(state["hidden"]), state

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    weights = self._weights(x.dtype)
    if state is None:
      state = self.initial_state(self._config, x.shape[0])
    start = {key: jnp.asarray(leaf, x.dtype) for key, leaf in state.items()}

    def body(state, inputs):
      step_inputs, step_age = inputs
      state = self._advance(step_inputs, step_age, state, weights)
      return state, state["hidden"]

    inputs = jnp.swapaxes(self._inputs(x), 0, 1)
    last, hidden = jax.lax.scan(body, start, (inputs, age.T))
    return self._out(jnp.swapaxes(hidden, 0, 1)), last

  def _weights(self, dtype: jnp.dtype) -> dict[str, jax.Array]:
    """Returns the parameters used within the recurrence."""
    init = hk.initializers.VarianceScaling()
    shapes = {
      "query": (self._size, self._width),
      "key_value": (self._size, 2 * self._width),
      "read": (self._width, 3 * self._size),
    }
    weights = {
      name: hk.get_parameter(name, shape, dtype, init=init)
      for name, shape in shapes.items()
    }
    weights["recurrent"] = gru.recurrent_weights(self._size, dtype)
    return weights

  def _advance(
    self,
    inputs: jax.Array,
    age: jax.Array,
    state: base.LayerState,
    weights: dict[str, jax.Array],
  ) -> base.LayerState:
    """Takes one step of the recurrence: reads, updates, perhaps writes."""
    config = self._config
    hidden = jnp.where(age[:, None] == 0, 0, state["hidden"])
    heads = (-1, config.num_heads, config.key_size)
    query = (hidden @ weights["query"]).reshape(heads)
    logits = jnp.einsum("bhd,bhsd->bhs", query, state["keys"])
    logits = logits.astype(jnp.float32) / np.sqrt(config.key_size)
    # Writes so far; once the store is full, all of it can be read.
    num_written = age // config.store_every
    slots = jnp.arange(config.store_size)
    written = (slots[None, :] < num_written[:, None])[:, None, :]
    # The factor makes the result of reading an empty store zero.
    read = jax.nn.softmax(jnp.where(written, logits, -1e30), axis=-1) * written
    read = jnp.einsum(
      "bhs,bhsd->bhd", read.astype(hidden.dtype), state["values"]
    )
    inputs = inputs + read.reshape(-1, self._width) @ weights["read"]
    hidden = gru.cell(inputs, hidden, weights["recurrent"])

    key_value = (hidden @ weights["key_value"]).reshape(
      -1, 2, config.num_heads, 1, config.key_size
    )
    is_time = (age + 1) % config.store_every == 0
    slot = num_written % config.store_size
    here = (slots[None, :] == slot[:, None]) & is_time[:, None]
    here = here[:, None, :, None]
    return {
      "hidden": hidden,
      "keys": jnp.where(here, key_value[:, 0], state["keys"]),
      "values": jnp.where(here, key_value[:, 1], state["values"]),
    }


def state_size(config: NetworkConfig) -> int:
  """Returns the width that gives about as many parameters as attention.

  With width n, w = H * D and d = d_model, the GRU and its output have
  4 d n + 3 n^2 parameters and the store has 6 w n; their sum should be 5 d w.
  """
  w = config.num_heads * config.key_size
  d = config.d_model
  linear = 4 * d + 6 * w
  return round(((linear**2 + 60 * d * w) ** 0.5 - linear) / 6)
