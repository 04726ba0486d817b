"""Targets and losses of the actor-critics, for one trajectory.

There are two algorithms: 'vtrace', the off-policy actor-critic of IMPALA (arXiv
1802.01561), and 'ppo' (arXiv 1707.06347), which uses generalised advantage
estimation (arXiv 1506.02438) and takes the behaviour policy as its old policy.
Neither has a model or a target network.

Shape letters: T steps, S = sum of the heads' sizes. Index conventions are those
of `adaland.agent.muesli.muesli`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types
from adaland.agent.learner_config import ActorCriticConfig
from adaland.agent.muesli import categorical, retrace
from adaland.agent.muesli._rlax import rlax
from adaland.agent.muesli.muesli_types import Experience


class Targets(NamedTuple):
  """The targets of the value and the policy.

  Attributes:
    returns: Target of the value; zero where not `complete`, [T].
    advantages: Advantages of the actions taken; zero where not `complete`, [T].
    complete: 1 where the return is defined, [T].
  """

  returns: jax.Array
  advantages: jax.Array
  complete: jax.Array


def targets(
  algorithm: str,
  experience: Experience,
  log_pi: jax.Array,
  value: jax.Array,
  gamma: float,
  config: ActorCriticConfig,
) -> Targets:
  """Computes returns and advantages of one trajectory.

  Args:
    algorithm: 'vtrace' or 'ppo'.
    experience: The trajectory.
    log_pi: Log-probabilities of the policy, [T, S].
    value: Its v(s_t), [T].
    gamma: Discount per step.
    config: Constants.

  Returns:
    The targets.
  """
  complete = retrace.complete_steps(experience.mask, experience.discount)
  discount = gamma * experience.discount
  if algorithm == "vtrace":
    ratio = jnp.exp(log_ratio(experience, log_pi))
    returns, action_returns = retrace.vtrace_returns(
      value, experience.reward, discount, ratio, complete, config.trace_lambda
    )
    advantages = jnp.minimum(1.0, ratio) * (action_returns - value)
  else:
    # Cut the trace at a step that has no return: bootstrap from v there.
    after = jnp.concatenate([complete[1:], jnp.zeros_like(complete[:1])])
    advantages = jnp.asarray(
      rlax.truncated_generalized_advantage_estimation(
        experience.reward,
        discount,
        config.trace_lambda * after,
        jnp.concatenate([value, jnp.zeros_like(value[:1])]),
      )
    )
    returns = advantages + value
  return Targets(
    returns=jnp.where(complete > 0, returns, 0.0),
    advantages=jnp.where(complete > 0, advantages, 0.0),
    complete=complete,
  )


def log_ratio(experience: Experience, log_pi: jax.Array) -> jax.Array:
  """Returns log π(a_t) - log μ(a_t), current over behaviour policy, [T]."""
  return jnp.sum(experience.action * (log_pi - experience.behaviour), axis=-1)


def losses(
  algorithm: str,
  experience: Experience,
  target: Targets,
  policy_logits: types.Array,
  value_logits: types.Array,
  sizes: distributions.Sizes,
  value_range: float,
  config: ActorCriticConfig,
) -> dict[str, jax.Array]:
  """Computes the losses of each step of one trajectory.

  - policy, 'vtrace': -A_t log π(a_t), A_t holding the clipped ratio.
  - policy, 'ppo': -min(ρ_t A_t, clip(ρ_t, 1 - ε, 1 + ε) A_t).
  - value: cross-entropy of the return.
  - entropy: the policy's negative entropy.

  Args:
    algorithm: 'vtrace' or 'ppo'.
    experience: The trajectory.
    target: The targets; no gradient goes into them.
    policy_logits: Logits of the trained network, [T, S].
    value_logits: Logits of the trained network, [T, num_bins].
    sizes: Sizes of the heads.
    value_range: `MuesliConfig.value_range`.
    config: Constants.

  Returns:
    Unweighted losses by name, each [T], zero at padding.
  """
  target = jax.lax.stop_gradient(target)
  log_pi = distributions.log_probs(policy_logits, sizes)
  if algorithm == "vtrace":
    policy = -target.advantages * jnp.sum(experience.action * log_pi, axis=-1)
  else:
    ratio = jnp.exp(experience.mask * log_ratio(experience, log_pi))
    # One step at a time, because rlax returns a mean.
    surrogate = jax.vmap(rlax.clipped_surrogate_pg_loss, in_axes=(0, 0, None))
    policy = jnp.asarray(
      surrogate(ratio[:, None], target.advantages[:, None], config.ratio_clip)
    )
  value = categorical.cross_entropy(value_logits, target.returns, value_range)
  return {
    "policy": policy,
    "value": target.complete * value,
    "entropy": -experience.mask * distributions.entropy(log_pi),
  }
