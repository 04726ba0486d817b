"""The model that looks ahead, and what is read off its hidden state (§3.3)."""

import haiku as hk
import jax
import jax.numpy as jnp

from agent import config as config_lib
from agent import layers, types


class Heads(hk.Module):
  """Model LSTM with policy, value and reward heads.

  The memory's output becomes the LSTM's first hidden and cell state; policy
  and value are read off the hidden state there and after every step of the
  model, the reward only after a step.
  """

  def __init__(self, config: config_lib.NetworkConfig, name: str = "heads"):
    super().__init__(name=name)
    hidden_size = config.head_size
    self._init_hidden = _start(hidden_size, config.model_size, "init_hidden")
    self._init_cell = _start(hidden_size, config.model_size, "init_cell")
    self._gates = layers.Linear(4 * config.model_size, name="lstm_gates")
    self._policy = layers.head(hidden_size, sum(config.action_sizes), "policy")
    self._value = layers.head(hidden_size, config.num_bins, "value")
    self._reward = layers.head(hidden_size, config.num_bins, "reward")

  def start(self, x: jax.Array) -> types.NetworkOutput:
    """Says what there is to say about a step without looking ahead.

    Args:
      x: The memory's output [..., d_model].
    """
    hidden = self._init_hidden(x)
    return types.NetworkOutput(
      policy_logits=self._policy(hidden),
      value_logits=self._value(hidden),
      model_hidden=hidden,
      model_cell=self._init_cell(x),
    )

  def step(
    self, hidden: jax.Array, cell: jax.Array, action: jax.Array
  ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]:
    """Looks one action ahead.

    Args:
      hidden: [..., model_size].
      cell: [..., model_size].
      action: Concatenated one-hots of the six heads [..., sum(sizes)].

    Returns:
      The next hidden and cell state, and the logits of the reward that the
      action brings, of the next policy and of the next value.
    """
    gates = self._gates(jnp.concatenate([action, hidden], axis=-1))
    i, g, f, o = jnp.split(gates, 4, axis=-1)
    # A forget gate that starts open lets gradients through all model steps.
    cell = jax.nn.sigmoid(f + 1) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
    return (
      hidden,
      cell,
      self._reward(hidden),
      self._policy(hidden),
      self._value(hidden),
    )


def _start(hidden_size: int, size: int, name: str) -> hk.Sequential:
  hidden = layers.Linear(hidden_size, name=f"{name}_hidden")
  output = layers.Linear(size, name=f"{name}_output")
  return hk.Sequential([hidden, jax.nn.relu, output], name=name)
