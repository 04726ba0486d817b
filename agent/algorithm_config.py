"""Constants of the learning algorithms."""

import dataclasses

from adaland.agent.validation import (
  require,
  require_choice,
  require_float32,
  require_size,
)

RETURNS = ("retrace", "vtrace")
CMPO = ("sampled", "exact", "none")


@dataclasses.dataclass(frozen=True)
class MuesliConfig:
  """Constants of Muesli (arXiv 2104.06159); most defaults are the paper's.

  The first four remove a part of the algorithm, for ablations.

  Attributes:
    model: Whether there is a model. Without one there is no look-ahead, and so
      there are no q-values: `returns` must be 'vtrace' and `cmpo` 'none'.
    returns: 'retrace', from the model's q-values, or 'vtrace', from the target
      network's values (IMPALA, arXiv 1802.01561).
    cmpo: 'sampled' estimates the CMPO policy from `num_samples` actions,
      'exact' computes it from the q-values of all composite actions, which
      takes many times as long; with 'none' the policy follows the policy
      gradient alone, and the model predicts no policies.
    control_variate: Whether the sampled CMPO policy is the prior plus a
      deviation, which has the same expectation and less noise.
    gamma: Discount per step.
    num_samples: N, actions drawn from the prior at each step, for Retrace's
      expectation and the CMPO target.
    model_steps: I, steps the model is unrolled in training.
    model_every: n. Only every n-th step of an unroll, from a random offset,
      unrolls the model further than one step; those losses count n times.
    retrace_lambda: Trace parameter of Retrace and of V-trace.
    advantage_clip: c, bound on normalised advantages in CMPO.
    z_init: Weight of the prior in CMPO's sampled normaliser.
    behaviour_prior: Weight of the behaviour policy in the prior.
    uniform_prior: Weight of the uniform policy in the prior; the target
      network's policy has the remaining weight.
    policy_gradient_weight: Weight of the policy gradient.
    cmpo_weight: λ, weight of the KL to the CMPO policy.
    model_policy_weight: Weight of the same KL for the model's policies.
    reward_weight: Weight of the reward loss.
    value_weight: Weight of the value loss.
    variance_decay: Decay of the advantages' moving second moment.
    variance_epsilon: Added to that moment.
    value_range: Bins reach from -value_range to value_range, in units of h(x).
  """

  model: bool = True
  returns: str = "retrace"
  cmpo: str = "sampled"
  control_variate: bool = True
  gamma: float = 0.995
  num_samples: int = 16
  model_steps: int = 4
  model_every: int = 1
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
    require_choice("returns", self.returns, RETURNS)
    require_choice("cmpo", self.cmpo, CMPO)
    targets = (self.returns, self.cmpo)
    require(
      self.model or targets == ("vtrace", "none"),
      "(returns, cmpo)",
      targets,
      "('vtrace', 'none') with model=False, which gives no q-values",
    )
    for name in ("num_samples", "model_steps", "model_every"):
      require_size(name, getattr(self, name))
    for name in ("advantage_clip", "variance_epsilon", "value_range", "z_init"):
      value = getattr(self, name)
      require(value > 0, name, value, "above 0")
    for name in ("gamma", "retrace_lambda"):
      value = getattr(self, name)
      require(0 <= value <= 1, name, value, "0 to 1")
    require(
      0 <= self.variance_decay < 1,
      "variance_decay",
      self.variance_decay,
      "from 0, below 1",
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
      value = getattr(self, name)
      require(value >= 0, name, value, "a number from 0")
    require(
      self.behaviour_prior + self.uniform_prior <= 1,
      "(behaviour_prior, uniform_prior)",
      (self.behaviour_prior, self.uniform_prior),
      "a sum of at most 1",
    )
    require_float32(self)

  @property
  def looks_ahead(self) -> bool:
    """True if targets read q-values."""
    return (self.returns, self.cmpo) != ("vtrace", "none")


@dataclasses.dataclass(frozen=True)
class ActorCriticConfig:
  """Constants of the plain actor-critics; the defaults are common ones.

  The discount and the range of values are those of `MuesliConfig`.

  Attributes:
    trace_lambda: λ of V-trace, and of PPO's generalised advantage estimation
      (arXiv 1506.02438).
    ratio_clip: ε, PPO's clip of the probability ratio (arXiv 1707.06347).
    value_weight: Weight of the value loss.
    entropy_weight: Weight of the policy's entropy.
  """

  trace_lambda: float = 0.95
  ratio_clip: float = 0.2
  value_weight: float = 0.5
  entropy_weight: float = 0.01

  def __post_init__(self):
    require(
      0 <= self.trace_lambda <= 1, "trace_lambda", self.trace_lambda, "0 to 1"
    )
    require(self.ratio_clip > 0, "ratio_clip", self.ratio_clip, "above 0")
    for name in ("value_weight", "entropy_weight"):
      value = getattr(self, name)
      require(value >= 0, name, value, "a number from 0")
    require_float32(self)
