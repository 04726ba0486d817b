"""Muesli's targets and losses, for one trajectory (arXiv 2104.06159).

Shape letters: T steps, S = sum of the heads' sizes, I model steps, N sampled
actions. Index conventions: reward_t and discount_t follow a_t. A prediction
(t, i) was made at step t for i model steps ahead, along the actions actually
taken: policy and value with i = 0...I refer to step t + i; the reward with
i = 1...I refers to r_{t+i-1}, the reward of the i-th action. The model looks
more than one step ahead only from every n-th step,
n = `MuesliConfig.model_every`.

Trial boundaries are not special: returns run through them. After the end of the
episode values are zero, and the model is trained to predict this, since the
look-ahead from an episode's last step reads them. Rewards and policies there
are not trained.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types
from adaland.agent.learner_config import MuesliConfig
from adaland.agent.muesli import categorical, cmpo, model_losses, retrace
from adaland.agent.muesli.muesli_types import (
  AdvantageScale,
  Experience,
  LookAhead,
  ModelPredictions,
  Predictions,
  Targets,
)

__all__ = [
  "AdvantageScale",
  "Experience",
  "LookAhead",
  "ModelPredictions",
  "MuesliConfig",
  "Predictions",
  "Targets",
  "experience_of",
  "initial_scale",
  "losses",
  "prior_policy",
  "targets",
  "total_loss",
  "update_scale",
]


def initial_scale() -> AdvantageScale:
  """Returns the scale before any update."""
  return AdvantageScale(jnp.zeros([]), jnp.zeros([], jnp.int32))


def update_scale(
  scale: AdvantageScale, mean_square: jax.Array, config: MuesliConfig
) -> tuple[AdvantageScale, jax.Array]:
  """Adds one batch's mean of (G - v)² to the average (advantage normalisation).

  Args:
    scale: The moving average so far.
    mean_square: The batch's mean over complete steps, [].
    config: The decay and epsilon.

  Returns:
    The new average, and σ = √(moment / (1 - β^n) + ε), [].
  """
  beta = config.variance_decay
  count = scale.count + 1
  moment = beta * scale.moment + (1.0 - beta) * mean_square
  correction = 1.0 - beta ** count.astype(jnp.float32)
  sigma = jnp.sqrt(moment / correction + config.variance_epsilon)
  return AdvantageScale(moment, count), sigma


def prior_policy(
  target: jax.Array,
  behaviour: jax.Array,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> jax.Array:
  """Returns the prior's log-probabilities: target, behaviour, uniform mixed.

  Args:
    target: The target network's log-probabilities, [..., S].
    behaviour: The acting policy's, [..., S].
    sizes: Sizes of the heads.
    config: The weights.
  """
  rest = 1.0 - config.behaviour_prior - config.uniform_prior
  return distributions.mixture(
    [(rest, target), (config.behaviour_prior, behaviour)],
    config.uniform_prior,
    sizes,
  )


def experience_of(batch: types.Unroll, sizes: Sequence[int]) -> Experience:
  """Returns the parts of unrolls that the losses read, [B, T, ...]."""
  return Experience(
    action=distributions.one_hot(batch.action, sizes),
    behaviour=distributions.log_probs(batch.behaviour_logits, sizes),
    reward=jnp.asarray(batch.reward),
    discount=jnp.asarray(batch.discount),
    mask=jnp.asarray(batch.mask, jnp.float32),
  )


def targets(
  experience: Experience,
  prior: jax.Array,
  value: jax.Array,
  look: LookAhead | None,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> Targets:
  """Computes returns and advantages of one trajectory.

  The q-values are used twice: their mean under the prior is Retrace's
  expectation, and they define the CMPO policy.

  Args:
    experience: The trajectory.
    prior: The prior's log-probabilities, [T, S].
    value: The target network's v(s_t), [T].
    look: Its one-step q-values; None if none are needed.
    sizes: Sizes of the heads.
    config: Constants.

  Returns:
    The targets.
  """
  mask = experience.mask
  complete = retrace.complete_steps(mask, experience.discount)
  log_ratio = jnp.sum(
    experience.action * (prior - experience.behaviour), axis=-1
  )
  ratio = jnp.exp(jnp.minimum(log_ratio, 0.0))
  discount = config.gamma * experience.discount
  steps = (experience.reward, discount, ratio, complete, config.retrace_lambda)
  if config.returns == "vtrace":
    returns, action_returns = retrace.vtrace_returns(value, *steps)
  else:
    assert look is not None
    if look.samples is None:
      log_p = jnp.dot(prior, distributions.all_actions(sizes).T)
      expected = jnp.sum(jnp.exp(log_p) * look.q, axis=-1)
    else:
      expected = jnp.mean(look.q, axis=-1)
    returns = retrace.retrace_returns(look.q_taken, expected, *steps)
    action_returns = returns
  has_cmpo = look is not None and config.cmpo != "none"
  return Targets(
    returns=jnp.where(complete > 0, returns, 0.0),
    action_returns=jnp.where(complete > 0, action_returns, 0.0),
    complete=complete,
    value=value,
    prior=prior,
    samples=look.samples if has_cmpo else None,
    advantages=look.q - value[:, None] if has_cmpo else None,
  )


def losses(
  predictions: Predictions,
  target: Targets,
  experience: Experience,
  sigma: jax.Array,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> dict[str, jax.Array]:
  """Computes Muesli's losses of each step of one trajectory.

  The log-likelihoods of the N samples at a step reduce to one dot product with
  the CMPO policy, which serves every prediction for that step.

  - policy_gradient: -min(1, π(a_t) / π_b(a_t)) (G_t - v_t) / σ, whose gradient
    is taken through log π alone, so that an action that became likelier since
    it was taken keeps weight 1 (clipping the ratio itself would give it none).
  - cmpo: sampled KL(π_CMPO(t) ‖ π_0(t)), up to a constant.
  - model_policy: the same KL from the target of step t + i to π_i(t).
  - reward: cross-entropy of r_{t+i-1}.
  - value: cross-entropy of G_{t+i}.

  Model terms are means over the model's I steps; the value loss adds that mean
  to its i = 0 term. The terms of i = 2...I count n times, so that their mean
  over all offsets is the same as with n = 1.

  Args:
    predictions: Outputs of the network being trained.
    target: The targets; no gradient goes into them.
    experience: The trajectory.
    sigma: Scale of the advantages, [].
    sizes: Sizes of the heads.
    config: Constants.

  Returns:
    Unweighted losses by name, each [T], zero at padding; those that the
    settings turn off are missing.
  """
  target = jax.lax.stop_gradient(target)
  pi = distributions.log_probs(predictions.policy_logits, sizes)
  log_pi = jnp.sum(experience.action * pi, axis=-1)
  log_mu = jnp.sum(experience.action * experience.behaviour, axis=-1)
  ratio = jnp.exp(jnp.minimum(0.0, jax.lax.stop_gradient(log_pi) - log_mu))
  advantage = (target.action_returns - target.value) / sigma
  parts = {
    "policy_gradient": -target.complete * ratio * advantage * log_pi,
    "value": target.complete
    * categorical.cross_entropy(
      predictions.value_logits, target.returns, config.value_range
    ),
  }
  improved = None
  if target.advantages is not None:
    improved = _cmpo_policy(target, target.advantages / sigma, sizes, config)
    parts["cmpo"] = -experience.mask * jnp.sum(improved * pi, axis=-1)
  if predictions.near is None:
    return parts

  rest = (improved, target, experience, sizes, config)
  model = model_losses.losses(predictions.near, 1, *rest)
  if predictions.far is not None:
    far = model_losses.losses(predictions.far, 2, *rest)
    starts = predictions.far.starts
    model = {
      k: x.at[starts].add(config.model_every * far[k], mode="drop")
      for k, x in model.items()
    }
  model = {k: x / config.model_steps for k, x in model.items()}
  parts["value"] += model["value"]
  parts["reward"] = model["reward"]
  if improved is not None:
    parts["model_policy"] = model["policy"]
  return parts


def _cmpo_policy(
  target: Targets,
  normalised: jax.Array,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> jax.Array:
  """Returns the probabilities of the CMPO policy's heads, [T, S]."""
  if target.samples is None:
    return cmpo.exact_policy(target.prior, normalised, sizes, config)
  return cmpo.sampled_policy(target.prior, target.samples, normalised, config)


def total_loss(
  parts: dict[str, jax.Array],
  config: MuesliConfig,
  policy_share: jax.Array | float = 1.0,
) -> jax.Array:
  """Returns the weighted sum of the losses from `losses`, or of their means.

  Args:
    parts: Losses by name.
    config: Their weights.
    policy_share: Factor of the losses that improve the policy, [].
  """
  policy = {
    "policy_gradient": config.policy_gradient_weight,
    "cmpo": config.cmpo_weight,
    "model_policy": config.model_policy_weight,
  }
  rest = {"reward": config.reward_weight, "value": config.value_weight}

  def weighted(weights: dict[str, float]) -> jax.Array:
    terms = [w * parts[name] for name, w in weights.items() if name in parts]
    return sum(terms, jnp.zeros([]))

  return policy_share * weighted(policy) + weighted(rest)
