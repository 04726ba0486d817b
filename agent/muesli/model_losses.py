"""Losses of the model's predictions, for one trajectory.

Shape letters and index conventions are those of `adaland.agent.muesli.muesli`;
the model looks ahead from F steps, by J consecutive numbers of steps.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import distributions
from adaland.agent.learner_config import MuesliConfig
from adaland.agent.muesli import categorical
from adaland.agent.muesli.muesli_types import (
  Experience,
  ModelPredictions,
  Targets,
)


def losses(
  predictions: ModelPredictions,
  first: int,
  cmpo: jax.Array | None,
  target: Targets,
  experience: Experience,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> dict[str, jax.Array]:
  """Computes the losses of a model's predictions, summed over i.

  Args:
    predictions: The predictions for i = first, first + 1, ..., [F, J, ...].
    first: The lowest i.
    cmpo: Estimated probabilities of the CMPO policy, [T, S]; None omits the
      policy loss.
    target: The targets.
    experience: The trajectory.
    sizes: Sizes of the heads.
    config: Constants.

  Returns:
    Unweighted losses named policy, value and reward, of the steps from which
    the model looked ahead, each [F].
  """
  mask = experience.mask
  past_end = config.model_steps + config.model_every

  def padded(x: jax.Array) -> jax.Array:
    return jnp.concatenate([x, jnp.zeros((past_end, *x.shape[1:]), x.dtype)])

  # Number of episodes that ended before each step: 0 or 1.
  ended = jnp.cumsum(padded(mask * (experience.discount == 0.0)))
  ended = jnp.concatenate([jnp.zeros_like(ended[:1]), ended[:-1]])
  num_ahead = predictions.policy_logits.shape[1]
  start = predictions.starts[:, None]
  goal = start + first + np.arange(num_ahead)[None]  # [F, J]: t + i.
  real = padded(mask)
  over = real[start] * (ended[goal] - ended[start])
  over_before = real[start] * (ended[goal - 1] - ended[start])

  value = categorical.cross_entropy(
    predictions.value_logits,
    padded(target.returns)[goal] * (1.0 - over),
    config.value_range,
  )
  value *= jnp.maximum(over, padded(target.complete)[goal])
  reward = categorical.cross_entropy(
    predictions.reward_logits,
    padded(experience.reward)[goal - 1],
    config.value_range,
  )
  reward *= real[goal - 1] * (1.0 - over_before)
  parts = {"value": jnp.sum(value, axis=1), "reward": jnp.sum(reward, axis=1)}
  if cmpo is not None:
    pi = distributions.log_probs(predictions.policy_logits, sizes)
    policy = -jnp.sum(padded(cmpo)[goal] * pi, axis=-1)
    policy *= real[goal] * (1.0 - over)
    parts["policy"] = jnp.sum(policy, axis=1)
  return parts
