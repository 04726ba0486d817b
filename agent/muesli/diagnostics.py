"""Metrics of whether the heads distinguish between observations."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions
from adaland.agent.muesli import categorical
from adaland.agent.muesli.muesli_types import Predictions


def head_metrics(
  predictions: Predictions,
  mask: jax.Array,
  sizes: Sequence[int],
  value_range: float,
) -> dict[str, jax.Array]:
  """Computes each head's spread over a batch, and each policy head's entropy.

  A head whose output does not depend on its input has collapsed, which no loss
  reveals: it may have learned the mean of its targets. `spread/value` and
  `spread/reward` are standard deviations, over the batch's real steps, of the
  value and of the reward predicted for the action taken, in seconds;
  `spread/policy` is the root mean square of the standard deviations of the
  probabilities of all actions of all heads. `entropy/head_K` is the mean
  entropy of head K, in nats. Without a model there is no `spread/reward`.

  Args:
    predictions: The online network's outputs, [B, T, ...].
    mask: 1 for real steps, 0 for padding, [B, T].
    sizes: Sizes of the action heads.
    value_range: `MuesliConfig.value_range`.

  Returns:
    Scalars by name.
  """
  weights = mask / jnp.maximum(jnp.sum(mask), 1.0)
  pi = distributions.log_probs(predictions.policy_logits, sizes)
  value = categorical.decode(predictions.value_logits, value_range)
  metrics = {
    "spread/policy": _spread(jnp.exp(pi), weights),
    "spread/value": _spread(value[..., None], weights),
  }
  if predictions.near is not None:
    reward_logits = predictions.near.reward_logits[:, :, 0]
    reward = categorical.decode(reward_logits, value_range)
    metrics["spread/reward"] = _spread(reward[..., None], weights)
  for i, head in enumerate(distributions.split(pi, sizes)):
    metrics[f"entropy/head_{i}"] = jnp.sum(
      weights * distributions.entropy(head)
    )
  return metrics


def _spread(x: jax.Array, weights: jax.Array) -> jax.Array:
  """Returns the root mean variance of [B, T, n] over weighted steps [B, T]."""
  weights = weights[..., None]
  mean = jnp.sum(weights * x, axis=(0, 1), keepdims=True)
  variance = jnp.sum(weights * jnp.square(x - mean), axis=(0, 1))
  return jnp.sqrt(jnp.mean(variance))
