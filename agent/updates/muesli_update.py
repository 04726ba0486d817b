"""Muesli's update: one batch, from the targets to the next state.

The algorithm is Muesli (arXiv 2104.06159) as AdA uses it (arXiv 2301.07608).
Shape letters: B batch, T time, A heads, S sum of their sizes, N samples, I
model steps, H model width.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

from adaland.agent import distributions, learner_config, types
from adaland.agent.muesli import categorical, diagnostics, model, muesli
from adaland.agent.privileged import losses
from adaland.agent.updates import train_state


def targets(
  network: types.Network,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  params: types.Params,
  batch: types.Unroll,
  experience: muesli.Experience,
  rng_key: jax.Array,
  drop_key: jax.Array,
) -> muesli.Targets:
  """Computes the online network's targets with the target network.

  Args:
    network: The network's functions.
    config: How to learn.
    sizes: Sizes of the action heads.
    params: The target network's parameters.
    batch: The batch's unrolls, [B, T, ...].
    experience: The same unrolls as the losses read them, [B, T, ...].
    rng_key: Draws the N actions of each step.
    drop_key: Draws the parts of observations that learning leaves out.

  Returns:
    The targets, [B, T, ...].
  """
  output, _ = network.unroll(
    params, batch.initial_memory, batch.observation, batch.first, drop_key
  )
  prior = muesli.prior_policy(
    distributions.log_probs(output.policy_logits, sizes),
    experience.behaviour,
    sizes,
    config.muesli,
  )
  look = None
  if config.muesli.looks_ahead:
    look = _look_ahead(
      network, config.muesli, sizes, params, output, prior, experience, rng_key
    )
  value_range = config.muesli.value_range
  target = jax.vmap(
    functools.partial(muesli.targets, sizes=sizes, config=config.muesli)
  )(
    experience,
    prior,
    categorical.decode(output.value_logits, value_range),
    look,
  )
  if config.privileged.critic_weight > 0:
    # A baseline may depend on anything but the action.
    logits = network.critic(params, output, losses.truth(network, batch))
    target = target._replace(value=categorical.decode(logits, value_range))
  return target


def _look_ahead(
  network: types.Network,
  config: learner_config.MuesliConfig,
  sizes: Sequence[int],
  params: types.Params,
  output: types.NetworkOutput,
  prior: jax.Array,
  experience: muesli.Experience,
  rng_key: jax.Array,
) -> muesli.LookAhead:
  """Returns the q-values from which targets are computed, [B, T, ...]."""
  taken = experience.action[:, :, None]
  if config.cmpo == "exact":
    q_taken = model.look_ahead(network, params, output, taken, config)
    q = model.look_at_all(network, params, output, sizes, config)
    return muesli.LookAhead(q_taken[:, :, 0], None, q)
  repeated = jnp.broadcast_to(
    prior[:, :, None],
    (*prior.shape[:2], config.num_samples, prior.shape[-1]),
  )
  samples = distributions.one_hot(
    distributions.sample(rng_key, repeated, sizes), sizes
  )  # [B, T, N, S]
  actions = jnp.concatenate([taken, samples], axis=2)
  q = model.look_ahead(network, params, output, actions, config)
  return muesli.LookAhead(q[:, :, 0], samples, q[:, :, 1:])


def model_offset(
  rng_key: jax.Array, config: learner_config.MuesliConfig
) -> jax.Array:
  """Draws the first step from which the model is unrolled far, int [].

  Args:
    rng_key: Random key.
    config: The distance between two such steps.
  """
  return jax.random.randint(rng_key, [], 0, config.model_every)


def loss(
  params: types.Params,
  network: types.Network,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  batch: types.Unroll,
  experience: muesli.Experience,
  target: muesli.Targets,
  sigma: jax.Array,
  offset: jax.Array,
  progress: jax.Array,
  drop_key: jax.Array,
) -> tuple[jax.Array, tuple[dict[str, jax.Array], muesli.Predictions]]:
  """Computes Muesli's and the privileged losses, means over real steps.

  Args:
    params: The online network's parameters.
    network: The network's functions.
    config: How to learn.
    sizes: Sizes of the action heads.
    batch: The batch's unrolls, [B, T, ...].
    experience: The same unrolls as the losses read them, [B, T, ...].
    target: Returned by `targets`.
    sigma: Scale of the advantages, [].
    offset: See `model.unroll_model`.
    progress: Fraction of the run completed, 0 to 1, [].
    drop_key: Draws the parts of observations that learning leaves out.

  Returns:
    The total, []; its unweighted parts by name, each [], and the network's
    predictions, [B, T, ...].
  """
  output, _ = network.unroll(
    params, batch.initial_memory, batch.observation, batch.first, drop_key
  )
  predictions = model.unroll_model(
    network, params, output, experience.action, config.muesli, offset
  )
  parts = jax.vmap(
    lambda p, t, e: muesli.losses(p, t, e, sigma, sizes, config.muesli)
  )(predictions, target, experience)
  steps = jnp.maximum(jnp.sum(experience.mask), 1.0)
  parts = {name: jnp.sum(x) / steps for name, x in parts.items()}
  privileged = losses.privileged_losses(
    params,
    network,
    config.privileged,
    sizes,
    batch,
    output,
    predictions,
    target,
    config.muesli,
  )
  own_share = losses.own_share(config.privileged, progress)
  total = muesli.total_loss(parts, config.muesli, own_share)
  total += losses.total(privileged, config.privileged, progress)
  return total, (parts | privileged, predictions)


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
  rng_key, sample_key, offset_key = jax.random.split(state.rng_key, 3)
  # Both networks leave out the same parts; otherwise their difference would be
  # noise.
  drop_key = jax.random.fold_in(offset_key, 1)
  experience = muesli.experience_of(batch, sizes)
  mask = experience.mask
  target = targets(
    network,
    config,
    sizes,
    state.target_params,
    batch,
    experience,
    sample_key,
    drop_key,
  )
  error = target.complete * (target.action_returns - target.value)
  complete = jnp.maximum(jnp.sum(target.complete), 1.0)
  scale, sigma = muesli.update_scale(
    state.scale, jnp.sum(jnp.square(error)) / complete, config.muesli
  )
  (total, (parts, predictions)), gradient = jax.value_and_grad(
    loss, has_aux=True
  )(
    state.params,
    network,
    config,
    sizes,
    batch,
    experience,
    target,
    sigma,
    model_offset(offset_key, config.muesli),
    progress,
    drop_key,
  )
  state, step = train_state.apply_gradient(
    optimizer, config, state, gradient, progress
  )

  heads = diagnostics.head_metrics(
    predictions, mask, sizes, config.muesli.value_range
  )
  pi = distributions.log_probs(predictions.policy_logits, sizes)

  def mean(x):
    return jnp.sum(x * mask) / jnp.maximum(jnp.sum(mask), 1.0)

  by_name = {f"loss/{name}": x for name, x in parts.items()}
  metrics = (
    by_name
    | heads
    | {
      "loss/total": total,
      "entropy": mean(distributions.entropy(pi)),
      "kl_prior": mean(distributions.kl(target.prior, pi)),
      "value": mean(target.value),
      "return": jnp.sum(target.complete * target.returns) / complete,
      "reward": mean(batch.reward),
      "advantage_std": sigma,
      "gradient_norm": optax.global_norm(gradient),
      "update_norm": optax.global_norm(step),
    }
  )
  return state._replace(scale=scale, rng_key=rng_key), metrics
