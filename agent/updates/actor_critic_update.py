"""The update of the plain actor-critics."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

from adaland.agent import distributions, learner_config, types
from adaland.agent.actor_critic import actor_critic
from adaland.agent.muesli import categorical, diagnostics, model, muesli
from adaland.agent.privileged import losses
from adaland.agent.updates import train_state

# Added to the standard deviation by which PPO's advantages are divided.
_EPSILON = 1e-8


def targets(
  config: learner_config.LearnerConfig,
  experience: muesli.Experience,
  log_pi: jax.Array,
  value: jax.Array,
) -> actor_critic.Targets:
  """Computes the targets; PPO's advantages are normalised over the batch.

  Args:
    config: How to learn.
    experience: The batch's unrolls, [B, T, ...].
    log_pi: Log-probabilities of the policy, [B, T, S].
    value: Its v(s_t), [B, T].

  Returns:
    The targets, [B, T].
  """
  target = jax.lax.stop_gradient(
    jax.vmap(
      functools.partial(
        actor_critic.targets,
        config.algorithm,
        gamma=config.muesli.gamma,
        config=config.actor_critic,
      )
    )(experience, log_pi, value)
  )
  if config.algorithm != "ppo":
    return target
  count = jnp.maximum(jnp.sum(target.complete), 1.0)
  centred = target.advantages - jnp.sum(target.advantages) / count
  centred *= target.complete
  deviation = jnp.sqrt(jnp.sum(jnp.square(centred)) / count)
  return target._replace(advantages=centred / (deviation + _EPSILON))


def update(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  state: train_state.TrainState,
  batch: types.Unroll,
  progress: jax.Array,
) -> tuple[train_state.TrainState, train_state.Metrics]:
  """Learns from one batch.

  Args:
    network: The network's functions.
    optimizer: The optimiser that made `state.opt_state`.
    config: How to learn.
    sizes: Sizes of the action heads.
    state: The state so far.
    batch: Unrolls, [B, T, ...].
    progress: Fraction of the run completed, 0 to 1, [].

  Returns:
    The next state, and scalar metrics.
  """
  rng_key, drop_key = jax.random.split(state.rng_key)
  experience = muesli.experience_of(batch, sizes)
  steps = jnp.maximum(jnp.sum(experience.mask), 1.0)
  value_range = config.muesli.value_range

  def total_loss(params):
    output, _ = network.unroll(
      params, batch.initial_memory, batch.observation, batch.first, drop_key
    )
    log_pi = distributions.log_probs(output.policy_logits, sizes)
    value = categorical.decode(output.value_logits, value_range)
    target = targets(config, experience, log_pi, value)
    parts = jax.vmap(
      functools.partial(
        actor_critic.losses,
        config.algorithm,
        sizes=sizes,
        value_range=value_range,
        config=config.actor_critic,
      )
    )(experience, target, output.policy_logits, output.value_logits)
    parts = {name: jnp.sum(x) / steps for name, x in parts.items()}
    predictions = model.without_model(output)
    privileged = losses.privileged_losses(
      params,
      network,
      config.privileged,
      sizes,
      batch,
      output,
      predictions,
      None,
      config.muesli,
    )
    constants = config.actor_critic
    share = losses.own_share(config.privileged, progress)
    total = (
      share * parts["policy"]
      + share * constants.entropy_weight * parts["entropy"]
      + constants.value_weight * parts["value"]
      + losses.total(privileged, config.privileged, progress)
    )
    return total, (parts | privileged, predictions, target, value, log_pi)

  (total, (parts, predictions, target, value, log_pi)), gradient = (
    jax.value_and_grad(total_loss, has_aux=True)(state.params)
  )
  state, step = train_state.apply_gradient(
    optimizer, config, state, gradient, progress
  )

  def mean(x, weights=experience.mask):
    return jnp.sum(x * weights) / jnp.maximum(jnp.sum(weights), 1.0)

  heads = diagnostics.head_metrics(
    predictions, experience.mask, sizes, value_range
  )
  ratio = jnp.exp(jax.vmap(actor_critic.log_ratio)(experience, log_pi))
  clipped = jnp.abs(ratio - 1.0) > config.actor_critic.ratio_clip
  metrics = (
    {f"loss/{name}": x for name, x in parts.items()}
    | heads
    | {
      "loss/total": total,
      "entropy": mean(distributions.entropy(log_pi)),
      "kl_behaviour": mean(distributions.kl(experience.behaviour, log_pi)),
      "clipped": mean(clipped),
      "value": mean(value),
      "return": mean(target.returns, target.complete),
      "reward": mean(experience.reward),
      "gradient_norm": optax.global_norm(gradient),
      "update_norm": optax.global_norm(step),
    }
  )
  return state._replace(rng_key=rng_key), metrics
