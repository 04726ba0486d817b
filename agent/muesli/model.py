"""Look-ahead by the network's model: one step for q-values, I for learning.

Shape letters: B batch, T time, S sum of the heads' sizes, K actions asked
about, I model steps.
"""

import jax
import jax.numpy as jnp

from adaland.agent import types
from adaland.agent.muesli import categorical, muesli


def look_ahead(
  network: types.Network,
  params: types.Params,
  output: types.NetworkOutput,
  actions: jax.Array,
  config: muesli.MuesliConfig,
) -> jax.Array:
  """Returns one-step model q-values q(s, a) = r_1 + γ v_1.

  Args:
    network: The network's functions.
    params: Parameters of the model.
    output: The same parameters' output for the states, [B, T, ...].
    actions: One-hots of K actions for each state, [B, T, K, S].
    config: γ and the range of values.

  Returns:
    q-values, [B, T, K].
  """
  # One state for K actions, left to broadcast.
  hidden, cell = output.model_hidden[:, :, None], output.model_cell[:, :, None]
  _, _, reward, _, value = network.model_step(params, hidden, cell, actions)
  return categorical.decode(reward, config.value_range) + (
    config.gamma * categorical.decode(value, config.value_range)
  )


def unroll_model(
  network: types.Network,
  params: types.Params,
  output: types.NetworkOutput,
  actions: jax.Array,
  num_steps: int,
) -> muesli.Predictions:
  """Unrolls the model along the actions taken, from every step at once.

  Args:
    network: The network's functions.
    params: Parameters of the model.
    output: The same parameters' output for the states, [B, T, ...].
    actions: One-hots of the actions taken, [B, T, S].
    num_steps: I.

  Returns:
    Predictions for i = 0...I, [B, T, I+1, ...]. Those that run over the end
    of the unroll are of zero actions, and are for the losses to mask.
  """
  hidden, cell = output.model_hidden, output.model_cell
  policies, values = [output.policy_logits], [output.value_logits]
  rewards = []
  for i in range(num_steps):
    ahead = jnp.concatenate(
      [actions[:, i:], jnp.zeros_like(actions[:, :i])], axis=1
    )[:, : actions.shape[1]]
    hidden, cell, reward, policy, value = network.model_step(
      params, hidden, cell, ahead
    )
    rewards.append(reward)
    policies.append(policy)
    values.append(value)
  return muesli.Predictions(
    policy_logits=jnp.stack(policies, axis=2),
    value_logits=jnp.stack(values, axis=2),
    reward_logits=jnp.stack(rewards, axis=2),
  )
