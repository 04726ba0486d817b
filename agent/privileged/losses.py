"""The privileged losses of a batch, which the learner adds to Muesli's.

Shape letters: B batch, T time.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types
from adaland.agent.learner_config import MuesliConfig, PrivilegedConfig
from adaland.agent.muesli import categorical, muesli
from adaland.agent.privileged import belief, distillation


def truth(network: types.Network, batch: types.Unroll) -> jax.Array:
  """Returns the correct belief for each unroll, [B, 2 * types].

  Args:
    network: The network's functions.
    batch: Unrolls with their true rules.
  """
  return network.truth(
    jnp.asarray(batch.observation["goal"]),
    jnp.asarray(batch.privileged["rules"]),
  )


def privileged_losses(
  params: types.Params,
  network: types.Network,
  config: PrivilegedConfig,
  sizes: Sequence[int],
  batch: types.Unroll,
  output: types.NetworkOutput,
  predictions: muesli.Predictions | None,
  target: muesli.Targets | None,
  constants: MuesliConfig,
) -> dict[str, jax.Array]:
  """Computes the losses that are switched on.

  Args:
    params: The online network's parameters.
    network: The network's functions.
    config: Their weights.
    sizes: Sizes of the action heads.
    batch: Unrolls, [B, T, ...].
    output: The online network's output, [B, T, ...].
    predictions: The model's predictions, [B, T, ...]; needed if the teacher is
      an agent.
    target: Muesli's targets, [B, T, ...]; None omits the critic's loss.
    constants: The range of the bins of values, and the model's steps.

  Returns:
    Unweighted means over the batch's real steps by name, each []: `belief`,
    `distillation` (over the labelled steps) and `critic`; `l2` is a sum over
    parameters. `distillation/head_K` is the part of action head K, which shows
    which parts of a scripted teacher's actions the student can't imitate.
  """
  mask = jnp.asarray(batch.mask, jnp.float32)

  def mean(loss: jax.Array, weight: jax.Array) -> jax.Array:
    return jnp.sum(loss * weight) / jnp.maximum(jnp.sum(weight), 1.0)

  parts = {}
  if config.belief_weight > 0:
    loss = belief.loss(output.belief_logits, truth(network, batch))
    parts["belief"] = mean(loss, mask)
  if config.distillation_weight > 0 and "teacher" in batch.privileged:
    loss, num_labelled = jax.vmap(
      lambda predicted, teacher, real: distillation.policy_loss(
        predicted, teacher, real, sizes, constants
      )
    )(predictions, jnp.asarray(batch.privileged["teacher"]), mask)
    parts["distillation"] = jnp.sum(loss) / jnp.maximum(
      jnp.sum(num_labelled), 1.0
    )
  elif config.distillation_weight > 0:
    heads, has_label = distillation.loss(
      distributions.log_probs(output.policy_logits, sizes),
      batch.privileged["label"],
      sizes,
    )
    parts["distillation"] = mean(jnp.sum(heads, axis=-1), has_label * mask)
    for i in range(len(sizes)):
      parts[f"distillation/head_{i}"] = mean(heads[..., i], has_label * mask)
  if config.distillation_l2 > 0:
    parts["l2"] = distillation.squares(params)
  if config.critic_weight > 0 and target is not None:
    logits = network.critic(params, output, truth(network, batch))
    loss = categorical.cross_entropy(
      logits, target.returns, constants.value_range
    )
    parts["critic"] = mean(loss, target.complete)
  return parts


def distilled(config: PrivilegedConfig, progress: types.Array) -> types.Array:
  """Returns the fraction of distillation's weight that is left, 0 to 1.

  Args:
    config: Its schedule.
    progress: Fraction of the run completed, 0 to 1.
  """
  if not config.needs_teacher:
    return jnp.zeros([])
  return distillation.remaining(
    progress, config.distillation_alone, config.distillation_share
  )


def own_share(config: PrivilegedConfig, progress: types.Array) -> jax.Array:
  """Returns the weight of the policy losses other than distillation, [].

  Args:
    config: The schedule of distillation.
    progress: Fraction of the run completed, 0 to 1.
  """
  if not config.distillation_replaces:
    return jnp.ones([])
  return jnp.asarray(1.0 - distilled(config, progress))


def total(
  parts: dict[str, jax.Array], config: PrivilegedConfig, progress: jax.Array
) -> jax.Array:
  """Returns the weighted sum of the privileged losses.

  Args:
    parts: Returned by `privileged_losses`; the parts of single heads are
      already included in the others.
    config: Their weights.
    progress: Fraction of the run completed, 0 to 1, [].
  """
  left = distilled(config, progress)
  weights = {
    "belief": config.belief_weight,
    "distillation": config.distillation_weight * left,
    "l2": config.distillation_l2 * left,
    "critic": config.critic_weight,
  }
  weighted = [
    weight * parts[name] for name, weight in weights.items() if name in parts
  ]
  return jnp.asarray(sum(weighted))
