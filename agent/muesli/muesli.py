"""Muesli's targets and losses, for one trajectory (arXiv 2104.06159).

Shape letters: T steps, S = sum of the heads' sizes, I model steps, N sampled
actions. Index conventions: reward_t and discount_t follow a_t. A prediction
(t, i) was made at step t for i model steps ahead, along the actions really
taken: policy and value with i = 0...I refer to step t + i; the reward with
i = 1...I refers to r_{t+i-1}, the i-th action's. The model looks more than one
step ahead from every n-th step only, n = `MuesliConfig.model_every`.

Trial borders are not special: returns run through them. After the end of the
episode values are zero, and the model is trained to predict so, since the
look-ahead from an episode's last step reads them. Rewards and policies there
are not trained.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions
from adaland.agent.learner_config import MuesliConfig
from adaland.agent.muesli import categorical, model_losses, retrace
from adaland.agent.muesli.muesli_types import (
  AdvantageScale,
  Experience,
  ModelPredictions,
  Predictions,
  Targets,
)

__all__ = [
  "AdvantageScale",
  "Experience",
  "ModelPredictions",
  "MuesliConfig",
  "Predictions",
  "Targets",
  "cmpo_policy",
  "cmpo_weights",
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
  """Takes in one batch's mean of (G - v)² (advantage normalisation).

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


def targets(
  experience: Experience,
  prior: jax.Array,
  value: jax.Array,
  q_taken: jax.Array,
  samples: jax.Array,
  q_samples: jax.Array,
  config: MuesliConfig,
) -> Targets:
  """Computes returns and advantages of one trajectory.

  The N sampled q-values are used twice: their mean is Retrace's expectation
  under the prior, they themselves make the CMPO target.

  Args:
    experience: The trajectory.
    prior: The prior's log-probabilities, [T, S].
    value: The target network's v(s_t), [T].
    q_taken: Its one-step q(s_t, a_t) = r_1 + γ v_1 of actions taken, [T].
    samples: One-hots of actions drawn from the prior, [T, N, S].
    q_samples: Their q-values, [T, N].
    config: Constants.

  Returns:
    The targets.
  """
  mask, discount = experience.mask, experience.discount
  complete = retrace.complete_steps(mask, discount)
  log_ratio = jnp.sum(
    experience.action * (prior - experience.behaviour), axis=-1
  )
  returns = retrace.retrace_returns(
    q=q_taken,
    v=jnp.mean(q_samples, axis=-1),
    reward=experience.reward,
    discount=config.gamma * discount,
    ratio=jnp.exp(jnp.minimum(log_ratio, 0.0)),
    complete=complete,
    lambda_=config.retrace_lambda,
  )
  return Targets(
    returns=jnp.where(complete > 0, returns, 0.0),
    complete=complete,
    value=value,
    prior=prior,
    samples=samples,
    advantages=q_samples - value[:, None],
  )


def cmpo_weights(normalised: jax.Array, config: MuesliConfig) -> jax.Array:
  """Computes weights of actions sampled from the prior, in the CMPO policy.

  w_k = e_k / z_k with e = exp(clip(adv / σ, -c, c)) and the leave-one-out
  normaliser z_k = (z_init + Σ_{j≠k} e_j) / N, which keeps the estimate of the
  normaliser independent of the sample that it divides.

  Args:
    normalised: Advantages over σ, [..., N].
    config: The clip and z_init.

  Returns:
    Weights, about 1 on average, [..., N].
  """
  c = config.advantage_clip
  e = jnp.exp(jnp.clip(normalised, -c, c))
  others = jnp.sum(e, axis=-1, keepdims=True) - e
  z = (config.z_init + others) / normalised.shape[-1]
  return e / z


def cmpo_policy(
  prior: jax.Array,
  samples: jax.Array,
  normalised: jax.Array,
  config: MuesliConfig,
) -> jax.Array:
  """Estimates the CMPO policy's probabilities from N sampled actions.

  The plain estimate is mean_k w_k onehot(a_k) (Muesli, arXiv 2104.06159,
  section 4.2). The same with all weights 1 has the prior as its expectation,
  which is known, so it serves as a control variate:

      π_p + mean_k (w_k - 1) onehot(a_k)

  has the same expectation, and only the weights' deviations from 1 bring
  noise.

  Args:
    prior: Log-probabilities of the prior, [..., S].
    samples: One-hots of actions drawn from it, [..., N, S].
    normalised: Their advantages over σ, [..., N].
    config: The clip and z_init.

  Returns:
    Estimated probabilities, which may be negative, [..., S].
  """
  deviations = cmpo_weights(normalised, config) - 1.0
  sampled = jnp.einsum("...n,...ns->...s", deviations, samples)
  return jnp.exp(prior) + sampled / normalised.shape[-1]


def losses(
  predictions: Predictions,
  target: Targets,
  experience: Experience,
  sigma: jax.Array,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> dict[str, jax.Array]:
  """Computes Muesli's losses of each step of one trajectory.

  The log-likelihoods of the N samples at a step collapse to one dot product
  with `cmpo_policy`, which serves every prediction of that step.

  - policy_gradient: -min(1, π(a_t) / π_b(a_t)) (G_t - v_t) / σ, whose gradient
    is taken through log π alone, so that an action that became likelier since
    it was taken keeps weight 1 (clipping the ratio itself would give it none).
  - cmpo: sampled KL(π_CMPO(t) ‖ π_0(t)), up to a constant.
  - model_policy: the same to π_i(t) from the target of step t + i.
  - reward: cross-entropy of r_{t+i-1}; value: cross-entropy of G_{t+i}.

  Model terms are means over the model's I steps; the value loss adds that mean
  to its i = 0 term. The terms of i = 2...I count n times: over all choices of
  the first step to look further from, their mean is what it is with n = 1.

  Args:
    predictions: Outputs of the network being trained.
    target: The targets; no gradient goes into them.
    experience: The trajectory.
    sigma: Scale of the advantages, [].
    sizes: Sizes of the heads.
    config: Constants.

  Returns:
    Unweighted losses by name, each [T], zero at padding.
  """
  target = jax.lax.stop_gradient(target)
  pi = distributions.log_probs(predictions.policy_logits, sizes)
  log_pi = jnp.sum(experience.action * pi, axis=-1)
  log_mu = jnp.sum(experience.action * experience.behaviour, axis=-1)
  ratio = jnp.exp(jnp.minimum(0.0, jax.lax.stop_gradient(log_pi) - log_mu))
  advantage = (target.returns - target.value) / sigma
  policy_gradient = -target.complete * ratio * advantage * log_pi
  cmpo = cmpo_policy(
    target.prior, target.samples, target.advantages / sigma, config
  )  # [T, S]
  value = target.complete * categorical.cross_entropy(
    predictions.value_logits, target.returns, config.value_range
  )

  rest = (cmpo, target, experience, sizes, config)
  model = model_losses.losses(predictions.near, 1, *rest)
  if predictions.far is not None:
    far = model_losses.losses(predictions.far, 2, *rest)
    starts = predictions.far.starts
    model = {
      k: x.at[starts].add(config.model_every * far[k], mode="drop")
      for k, x in model.items()
    }
  model = {k: x / config.model_steps for k, x in model.items()}
  return {
    "policy_gradient": policy_gradient,
    "cmpo": -experience.mask * jnp.sum(cmpo * pi, axis=-1),
    "model_policy": model["policy"],
    "reward": model["reward"],
    "value": value + model["value"],
  }


def total_loss(
  parts: dict[str, jax.Array],
  config: MuesliConfig,
  policy_share: jax.Array | float = 1.0,
) -> jax.Array:
  """Returns the weighted sum of what `losses` returned, or of its means.

  Args:
    parts: Losses by name.
    config: Their weights.
    policy_share: Factor of those that improve the policy, [].
  """
  policy = (
    config.policy_gradient_weight * parts["policy_gradient"]
    + config.cmpo_weight * parts["cmpo"]
    + config.model_policy_weight * parts["model_policy"]
  )
  return (
    policy_share * policy
    + config.reward_weight * parts["reward"]
    + config.value_weight * parts["value"]
  )
