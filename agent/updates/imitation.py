"""An update with only the privileged losses."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

from adaland.agent import distributions, learner_config, types
from adaland.agent.muesli import model
from adaland.agent.privileged import losses
from adaland.agent.updates import train_state


def imitate(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  state: train_state.TrainState,
  batch: types.Unroll,
  progress: jax.Array,
) -> tuple[train_state.TrainState, train_state.Metrics]:
  """Learns from one batch with only the privileged losses.

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
  drop_key = jax.random.fold_in(state.rng_key, state.updates)

  def total_loss(params):
    output, _ = network.unroll(
      params, batch.initial_memory, batch.observation, batch.first, drop_key
    )
    predictions = model.without_model(output)
    if "teacher" in batch.privileged and config.has_model:
      # A teacher that is an agent also trains the model's policies.
      predictions = model.unroll_model(
        network,
        params,
        output,
        distributions.one_hot(batch.action, sizes),
        config.muesli,
        state.updates % config.muesli.model_every,
      )
    parts = losses.privileged_losses(
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
    total = losses.total(parts, config.privileged, progress)
    return total, (parts, output.policy_logits)

  (total, (parts, logits)), gradient = jax.value_and_grad(
    total_loss, has_aux=True
  )(state.params)
  state, step = train_state.apply_gradient(
    optimizer, config, state, gradient, progress
  )
  mask = jnp.asarray(batch.mask, jnp.float32)
  steps = jnp.maximum(jnp.sum(mask), 1.0)
  entropy = distributions.entropy(distributions.log_probs(logits, sizes))
  return state, {f"loss/{name}": x for name, x in parts.items()} | {
    "loss/total": total,
    "entropy": jnp.sum(entropy * mask) / steps,
    "reward": jnp.sum(batch.reward * mask) / steps,
    "gradient_norm": optax.global_norm(gradient),
    "update_norm": optax.global_norm(step),
  }
