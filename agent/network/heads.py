"""The model that looks ahead, and the heads on its hidden state."""

from collections.abc import Sequence

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import layers, types
from adaland.agent.config import NetworkConfig
from adaland.agent.privileged import belief

_POLICY = "policy"


class Heads(hk.Module):
  """Model LSTM with policy, value and reward heads.

  The memory's output is mapped to the LSTM's initial hidden and cell state.
  Policy and value are predicted from the initial hidden state and from that
  after each model step, the reward only after a step.
  """

  def __init__(self, config: NetworkConfig, name: str = "heads"):
    super().__init__(name=name)
    hidden_size = config.head_size
    self._init_hidden = _start(hidden_size, config.model_size, "init_hidden")
    self._init_cell = _start(hidden_size, config.model_size, "init_cell")
    # Two maps, so that many actions in one state share the product with the
    # state.
    self._state_gates = layers.Linear(4 * config.model_size, name="lstm_state")
    self._action_gates = layers.Linear(
      4 * config.model_size, with_bias=False, name="lstm_action"
    )
    self._policy = layers.head(hidden_size, sum(config.action_sizes), _POLICY)
    self._value = layers.head(
      hidden_size, config.num_bins, "value", _base_rates
    )
    self._reward = layers.head(
      hidden_size, config.num_bins, "reward", _base_rates
    )
    self._belief = None
    if config.belief:
      self._belief = layers.head(
        hidden_size,
        belief.NUM_KINDS * config.num_types,
        "belief",
        _first_belief,
      )
    self._critic = None
    if config.privileged_critic:
      self._critic = layers.head(
        hidden_size, config.num_bins, "critic", _base_rates
      )

  def belief(self, memory: jax.Array) -> jax.Array:
    """Returns the belief's logits, [..., NUM_KINDS * types]; empty without one.

    Args:
      memory: The memory's output, before recall: it has to hold what was
        learned about the rules, whatever is in view [..., d_model].
    """
    if self._belief is None:
      return jnp.zeros((*memory.shape[:-1], 0), memory.dtype)
    return self._belief(memory)

  def start(
    self, x: jax.Array, belief_logits: jax.Array
  ) -> types.NetworkOutput:
    """Predicts policy and value of a step, without look-ahead.

    Args:
      x: The memory's output after recall [..., d_model].
      belief_logits: Returned by `belief`.
    """
    hidden = self._init_hidden(x)
    return types.NetworkOutput(
      policy_logits=self._policy(hidden),
      value_logits=self._value(hidden),
      model_hidden=hidden,
      model_cell=self._init_cell(x),
      belief_logits=belief_logits,
    )

  def critic(self, hidden: jax.Array, truth: jax.Array) -> jax.Array:
    """Returns the privileged critic's value logits [..., num_bins].

    Args:
      hidden: Start state of the model's LSTM, [..., model_size].
      truth: The true types, `belief.targets` [..., NUM_KINDS * types].

    Raises:
      ValueError: If the network has no privileged critic.
    """
    if self._critic is None:
      raise ValueError("privileged_critic is False, allowed: True")
    return self._critic(jnp.concatenate([hidden, truth], axis=-1))

  def step(
    self, hidden: jax.Array, cell: jax.Array, action: jax.Array
  ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]:
    """Looks one action ahead.

    Leading axes of size one broadcast: K actions [B, K, S] in each of B states
    [B, 1, model_size].

    Args:
      hidden: [..., model_size].
      cell: [..., model_size].
      action: Concatenated one-hots of the six heads [..., sum(sizes)].

    Returns:
      The next hidden state, the next cell state, and the logits of the action's
      reward, of the next policy and of the next value.
    """
    gates = self._state_gates(hidden) + self._action_gates(action)
    i, g, f, o = jnp.split(gates, 4, axis=-1)
    # A forget gate that is initially open passes gradients through all model
    # steps.
    cell = jax.nn.sigmoid(f + 1) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
    return (
      hidden,
      cell,
      self._reward(hidden),
      self._policy(hidden),
      self._value(hidden),
    )


def with_temperature(params: types.Params, temperature: float) -> types.Params:
  """Returns an agent's parameters with a temperature in its policy.

  The policy is linear in the last layer of its head, so dividing that layer's
  parameters divides the logits, of predicted policies too.

  Args:
    params: The agent's parameters.
    temperature: Divides the logits: above 0; lower values are less random.
  """
  return {
    module: jax.tree.map(lambda x: x / temperature, leaves)
    if module.endswith(f"/{_POLICY}_output")
    else leaves
    for module, leaves in params.items()
  }


def _start(hidden_size: int, size: int, name: str) -> hk.Sequential:
  hidden = layers.Linear(hidden_size, name=f"{name}_hidden")
  output = layers.Linear(size, name=f"{name}_output")
  return hk.Sequential([hidden, jax.nn.relu, output], name=name)


def _base_rates(shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
  """Returns initial biases of bins: most mass at zero, the rest above it.

  Rewards and initial values are zero or small and never negative. A head that
  has to learn this first moves all bins at once, through a common shift of the
  hidden layers that drowns the small differences between observations, and may
  never recover. Bin k from the middle gets (1 + |k|)^-5, bins below the middle
  e^-4 times that.
  """
  k = jnp.arange(shape[0], dtype=jnp.float32) - (shape[0] - 1) / 2
  return (-5.0 * jnp.log1p(jnp.abs(k)) - 4.0 * (k < 0)).astype(dtype)


def _first_belief(shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
  """Returns the log-odds of one type in `num`, then of two, as base rates."""
  num = shape[0] // belief.NUM_KINDS
  rates = jnp.repeat(jnp.array([1.0, 2.0]) / num, num)
  return jnp.log(rates / (1.0 - rates)).astype(dtype)
