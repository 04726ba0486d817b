"""Muesli's constants, and the values that its functions take and return.

Shape letters and index conventions are those of `agent.muesli`.
"""

import dataclasses
from typing import NamedTuple

import jax


@dataclasses.dataclass(frozen=True)
class MuesliConfig:
  """Constants of the algorithm; defaults are the paper's (§4.3).

  Attributes:
    gamma: Discount per step.
    num_samples: N, actions drawn from the prior at each step, for Retrace's
      expectation and the CMPO target.
    model_steps: I, steps the model is unrolled in training.
    retrace_lambda: Retrace's trace parameter.
    advantage_clip: c, bound on normalised advantages in CMPO.
    z_init: Weight of the prior in CMPO's sampled normaliser.
    behaviour_prior: Weight of the behaviour policy in the prior.
    uniform_prior: Weight of the uniform policy in the prior; the target
      network's policy has what the two leave.
    policy_gradient_weight: Weight of the policy gradient.
    cmpo_weight: λ, weight of the KL to the CMPO policy.
    model_policy_weight: Weight of the same KL over the model's steps.
    reward_weight: Weight of the reward loss.
    value_weight: Weight of the value loss.
    variance_decay: Decay of the advantages' moving second moment.
    variance_epsilon: Added to that moment.
    value_range: Bins reach from -value_range to value_range, in units of h(x).
  """

  gamma: float = 0.995
  num_samples: int = 16
  model_steps: int = 4
  retrace_lambda: float = 0.95
  advantage_clip: float = 1.0
  z_init: float = 1.0
  behaviour_prior: float = 0.03
  uniform_prior: float = 0.003
  policy_gradient_weight: float = 1.0
  cmpo_weight: float = 1.0
  model_policy_weight: float = 1.0
  reward_weight: float = 1.0
  value_weight: float = 0.25
  variance_decay: float = 0.99
  variance_epsilon: float = 1e-12
  value_range: float = 300.0

  def __post_init__(self):
    for name in ("num_samples", "model_steps"):
      if getattr(self, name) < 1:
        raise ValueError(f"{name}={getattr(self, name)}: must be at least 1")
    for name in ("advantage_clip", "variance_epsilon", "value_range", "z_init"):
      if not getattr(self, name) > 0:
        raise ValueError(f"{name}={getattr(self, name)}: must be above 0")
    for name in ("gamma", "retrace_lambda"):
      if not 0 <= getattr(self, name) <= 1:
        raise ValueError(f"{name}={getattr(self, name)}: must be in [0, 1]")
    if not 0 <= self.variance_decay < 1:
      raise ValueError(
        f"variance_decay={self.variance_decay}: must be in [0, 1)"
      )
    for name in (
      "behaviour_prior",
      "uniform_prior",
      "policy_gradient_weight",
      "cmpo_weight",
      "model_policy_weight",
      "reward_weight",
      "value_weight",
    ):
      if not getattr(self, name) >= 0:
        raise ValueError(f"{name}={getattr(self, name)}: must not be negative")
    if self.behaviour_prior + self.uniform_prior > 1:
      raise ValueError(
        f"behaviour_prior={self.behaviour_prior} and "
        f"uniform_prior={self.uniform_prior}: must sum to at most 1"
      )


class Experience(NamedTuple):
  """What happened, for one trajectory.

  Attributes:
    action: One-hots of the actions taken, [T, S].
    behaviour: Log-probabilities of the policy that took them, [T, S].
    reward: Reward after the action, [T].
    discount: 0 where the episode ended after the action, else 1, [T].
    mask: 1 for real steps, 0 for padding, [T].
  """

  action: jax.Array
  behaviour: jax.Array
  reward: jax.Array
  discount: jax.Array
  mask: jax.Array


class Predictions(NamedTuple):
  """The online network's outputs: see the module's index conventions.

  Attributes:
    policy_logits: [T, I+1, S].
    value_logits: [T, I+1, num_bins].
    reward_logits: [T, I, num_bins].
  """

  policy_logits: jax.Array
  value_logits: jax.Array
  reward_logits: jax.Array


class Targets(NamedTuple):
  """What the target network says the online network should learn.

  Attributes:
    returns: Retrace returns G_t; zero where not `complete`, [T].
    complete: 1 where the return is defined, [T].
    value: The target network's v(s_t), the baseline, [T].
    samples: One-hots of N actions from the prior, [T, N, S].
    advantages: q(s_t, sample) - v(s_t), [T, N].
  """

  returns: jax.Array
  complete: jax.Array
  value: jax.Array
  samples: jax.Array
  advantages: jax.Array


class AdvantageScale(NamedTuple):
  """Moving second moment of G - v, with what corrects its start at zero.

  Attributes:
    moment: Exponential moving average, float32 [].
    count: Number of updates, int32 [].
  """

  moment: jax.Array
  count: jax.Array
