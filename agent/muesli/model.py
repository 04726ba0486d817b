"""Look-ahead with the network's model: one step for q-values, I for learning.

Shape letters: B batch, T time, S sum of the heads' sizes, K queried actions,
I model steps.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types
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
  # One state for K actions, by broadcasting.
  hidden, cell = output.model_hidden[:, :, None], output.model_cell[:, :, None]
  _, _, reward, _, value = network.model_step(params, hidden, cell, actions)
  return categorical.decode(reward, config.value_range) + (
    config.gamma * categorical.decode(value, config.value_range)
  )


def look_at_all(
  network: types.Network,
  params: types.Params,
  output: types.NetworkOutput,
  sizes: Sequence[int],
  config: muesli.MuesliConfig,
) -> jax.Array:
  """Returns one-step q-values of all composite actions.

  They are evaluated one after another, since the outputs of the heads for all
  of them at once would not fit in memory.

  Args:
    network: The network's functions.
    params: Parameters of the model.
    output: The same parameters' output for the states, [B, T, ...].
    sizes: Sizes of the heads.
    config: γ and the range of values.

  Returns:
    q-values in the order of `distributions.all_actions`, [B, T, K].
  """
  batch_size, length = output.value_logits.shape[:2]

  def ask(action: jax.Array) -> jax.Array:
    actions = jnp.broadcast_to(action, (batch_size, length, 1, len(action)))
    return look_ahead(network, params, output, actions, config)[:, :, 0]

  q = jax.lax.map(ask, distributions.all_actions(sizes))  # [K, B, T]
  return jnp.moveaxis(q, 0, 2)


def unroll_model(
  network: types.Network,
  params: types.Params,
  output: types.NetworkOutput,
  actions: jax.Array,
  config: muesli.MuesliConfig,
  offset: jax.Array,
) -> muesli.Predictions:
  """Unrolls the model along the actions taken: one step, or I from some steps.

  Args:
    network: The network's functions.
    params: Parameters of the model.
    output: The same parameters' output for the states, [B, T, ...].
    actions: One-hots of the actions taken, [B, T, S].
    config: I, and the distance between the steps from which it is unrolled.
    offset: The first of these steps, int32 [], below `config.model_every`.

  Returns:
    Predictions for i = 0...I, [B, ...]. Those past the end of the unroll are
    for all-zero actions, and the losses must mask them.
  """
  if not config.model:
    return without_model(output)
  batch_size, length = actions.shape[:2]
  hidden, cell, *heads = network.model_step(
    params, output.model_hidden, output.model_cell, actions
  )
  near = _predictions(batch_size, jnp.arange(length), [heads])
  far = None
  if config.model_steps > 1:
    every = config.model_every
    starts = jnp.arange(0, length, every) + offset
    hidden, cell = (_every(x, every, offset) for x in (hidden, cell))
    ahead = []
    for i in range(1, config.model_steps):
      later = jnp.concatenate(
        [actions[:, i:], jnp.zeros_like(actions[:, :i])], axis=1
      )[:, :length]
      hidden, cell, *heads = network.model_step(
        params, hidden, cell, _every(later, every, offset)
      )
      ahead.append(heads)
    far = _predictions(batch_size, starts, ahead)
  return muesli.Predictions(
    policy_logits=jnp.asarray(output.policy_logits),
    value_logits=jnp.asarray(output.value_logits),
    near=near,
    far=far,
  )


def without_model(output: types.NetworkOutput) -> muesli.Predictions:
  """Returns predictions for i = 0 only.

  Args:
    output: The network's output for the states, [B, T, ...].
  """
  return muesli.Predictions(
    jnp.asarray(output.policy_logits),
    jnp.asarray(output.value_logits),
    near=None,
    far=None,
  )


def _predictions(
  batch_size: int, starts: jax.Array, ahead: Sequence[Sequence[jax.Array]]
) -> muesli.ModelPredictions:
  """Stacks logits of rewards, policies and values of consecutive steps."""
  reward, policy, value = (
    jnp.stack(x, axis=2) for x in zip(*ahead, strict=True)
  )
  return muesli.ModelPredictions(
    jnp.broadcast_to(starts[None], (batch_size, len(starts))),
    policy,
    value,
    reward,
  )


def _every(x: jax.Array, every: int, offset: jax.Array) -> jax.Array:
  """Picks every n-th step, [B, T, D] to [B, F, D]; zeros past the end.

  Does not use indices: the gradient of a gather is a scatter, slow on a CPU.
  """
  batch_size, length, size = x.shape
  x = jnp.pad(x, [(0, 0), (0, -length % every), (0, 0)])
  x = x.reshape(batch_size, -1, every, size)
  return jax.lax.dynamic_index_in_dim(x, offset, axis=2, keepdims=False)
