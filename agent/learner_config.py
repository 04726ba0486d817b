"""Settings of Muesli, of privileged training and of the learner.

They are separate from the learner so that a process that only reads a config
does not import optax and rlax.
"""

import dataclasses

from adaland.agent.algorithm_config import ActorCriticConfig, MuesliConfig
from adaland.agent.validation import (
  MAX_SIZE,
  require,
  require_choice,
  require_float32,
  require_size,
)

__all__ = [
  "ActorCriticConfig",
  "LearnerConfig",
  "MuesliConfig",
  "PrivilegedConfig",
  "ProxyConfig",
]

ALGORITHMS = ("muesli", "ppo", "vtrace")


@dataclasses.dataclass(frozen=True)
class PrivilegedConfig:
  """Weights of the losses that use privileged information.

  That is information that the agent is not shown. All weights are 0 by default:
  an agent trained with the defaults has no such help.

  Attributes:
    belief_weight: Weight of the belief loss: the memory's output predicts, for
      each type of object, what the hidden rules do with it (Humplik et al.
      2019, arXiv 1905.06424).
    distillation_weight: Weight of the distance to the teacher on the student's
      own states: the cross-entropy to the actions of a script, or the KL
      divergence of all unrolled policies from an agent's policy (AdA, arXiv
      2301.07608, distils from a smaller agent).
    distillation_alone: Fraction of the run in which distillation and the belief
      loss are the only losses: no reinforcement learning, at little more than
      half the cost. With 1, the whole run: values and rewards are never
      learned, nor is the model unless the teacher is an agent.
    distillation_share: Fraction of the run after which there is no
      distillation. Between the two fractions its weight falls linearly, or in
      one step if they are equal.
    distillation_replaces: Whether the weight of Muesli's policy losses rises
      from 0 to 1 over the same time, while the critic and the model learn;
      otherwise it is always 1, as in AdA.
    distillation_l2: Weight of half the sum of squares of all matrices; it falls
      with the weight of distillation.
    critic_weight: Weight of the loss of a second value head, which sees the
      true rules. If above 0, that head is the baseline of the policy gradient,
      and so sets the scale by which advantages are divided; nothing else
      depends on it.
  """

  belief_weight: float = 0.0
  distillation_weight: float = 0.0
  distillation_alone: float = 0.0
  distillation_share: float = 0.5
  distillation_replaces: bool = True
  distillation_l2: float = 0.0
  critic_weight: float = 0.0

  def __post_init__(self):
    for name in (
      "belief_weight",
      "distillation_weight",
      "distillation_l2",
      "critic_weight",
    ):
      value = getattr(self, name)
      require(value >= 0, name, value, "a number from 0")
    require(
      0 < self.distillation_share <= 1,
      "distillation_share",
      self.distillation_share,
      "above 0, to 1",
    )
    for name in ("distillation_alone", "distillation_l2"):
      value = getattr(self, name)
      require(
        not value or self.distillation_weight > 0,
        name,
        value,
        "0 without distillation_weight",
      )
    require(
      0 <= self.distillation_alone <= self.distillation_share,
      "distillation_alone",
      self.distillation_alone,
      f"0 to distillation_share ({self.distillation_share})",
    )
    require_float32(self)

  @property
  def needs_rules(self) -> bool:
    """True if learning reads the true rules."""
    return self.belief_weight > 0 or self.critic_weight > 0

  @property
  def needs_teacher(self) -> bool:
    """True if learning reads a teacher's actions."""
    return self.distillation_weight > 0


@dataclasses.dataclass(frozen=True)
class ProxyConfig:
  """Selection of what to learn from, by a small agent trained alongside.

  The agent learns from the most learnable unrolls of a batch (arXiv
  2312.05328): those from which the small agent has recently learned most,
  compared with its own moving average.

  Attributes:
    share: Fraction of a batch's unrolls that are learned from; with 1 all are,
      and there is no small agent.
    width: Width of the small agent's layers, a multiple of 4.
    num_layers: Layers of its memory.
    noise: Scale of the Gumbel noise that is added to the scores, in standard
      deviations of a batch's scores; 0 takes the best.
  """

  share: float = 1.0
  width: int = 32
  num_layers: int = 1
  noise: float = 0.5

  def __post_init__(self):
    require(0 < self.share <= 1, "proxy.share", self.share, "above 0, to 1")
    require(
      4 <= self.width <= MAX_SIZE and self.width % 4 == 0,
      "proxy.width",
      self.width,
      f"multiples of 4, to {MAX_SIZE}",
    )
    require_size("proxy.num_layers", self.num_layers)
    require(self.noise >= 0, "proxy.noise", self.noise, "a number from 0")
    require_float32(self, "proxy.")

  @property
  def used(self) -> bool:
    """True if there is a small agent."""
    return self.share < 1


@dataclasses.dataclass(frozen=True)
class LearnerConfig:
  """Settings of the learner; defaults follow Muesli (arXiv 2104.06159).

  Attributes:
    algorithm: 'muesli', or a plain actor-critic in the same loop as a baseline:
      'ppo' (arXiv 1707.06347) or 'vtrace' (IMPALA, arXiv 1802.01561).
    learning_rate: Peak learning rate.
    warmup_updates: Updates over which it rises linearly from zero.
    final_rate: Fraction of it that is left at the end of the run; it falls
      linearly with the fraction of the run completed.
    adam_b1: Decay of Adam's first moment.
    adam_b2: Decay of Adam's second moment.
    adam_epsilon: Added to Adam's denominator.
    weight_decay: AdamW's decay, times the learning rate.
    update_clip: Bound on each element of Adam's update before it is
      multiplied by the learning rate.
    target_rate: α, the weight of the new parameters in the target network's
      moving average. The actor-critics have no target network: the network that
      learns is the one that acts.
    muesli: Constants of targets and losses.
    actor_critic: Constants of 'ppo' and 'vtrace'.
    proxy: Selection of the unrolls of a batch to learn from.
    privileged: Learning from privileged information.
  """

  algorithm: str = "muesli"
  learning_rate: float = 3e-4
  warmup_updates: int = 0
  final_rate: float = 1.0
  adam_b1: float = 0.9
  adam_b2: float = 0.999
  adam_epsilon: float = 1e-8
  weight_decay: float = 0.0
  update_clip: float = 1.0
  target_rate: float = 0.1
  muesli: MuesliConfig = dataclasses.field(default_factory=MuesliConfig)
  actor_critic: ActorCriticConfig = dataclasses.field(
    default_factory=ActorCriticConfig
  )
  proxy: ProxyConfig = dataclasses.field(default_factory=ProxyConfig)
  privileged: PrivilegedConfig = dataclasses.field(
    default_factory=PrivilegedConfig
  )

  def __post_init__(self):
    require_choice("algorithm", self.algorithm, ALGORITHMS)
    critic_weight = self.privileged.critic_weight
    for name, value, needed in (
      ("algorithm", self.algorithm, "muesli"),
      ("proxy.share", self.proxy.share, 1),
      ("privileged.critic_weight", critic_weight, 0),
    ):
      require(
        self.learns_values or value == needed,
        name,
        value,
        f"{needed!r} with privileged.distillation_alone=1, which leaves it "
        "unused",
      )
    require(
      self.algorithm == "muesli" or critic_weight == 0,
      "privileged.critic_weight",
      critic_weight,
      f"0 with algorithm={self.algorithm!r}, whose baseline is the value head",
    )
    require(
      self.algorithm == "muesli" or not self.proxy.used,
      "proxy.share",
      self.proxy.share,
      f"1 with algorithm={self.algorithm!r}, as the small agent learns by "
      "'muesli'",
    )
    for name in ("learning_rate", "adam_epsilon", "update_clip"):
      value = getattr(self, name)
      require(value > 0, name, value, "above 0")
    for name in ("adam_b1", "adam_b2"):
      value = getattr(self, name)
      require(0 <= value < 1, name, value, "from 0, below 1")
    require(
      0 < self.target_rate <= 1,
      "target_rate",
      self.target_rate,
      "above 0, to 1",
    )
    for name in ("warmup_updates", "weight_decay"):
      value = getattr(self, name)
      require(value >= 0, name, value, "a number from 0")
    require(0 <= self.final_rate <= 1, "final_rate", self.final_rate, "0 to 1")
    require_float32(self)

  @property
  def learns_values(self) -> bool:
    """True if the value head is trained at any time in the run."""
    return self.privileged.distillation_alone < 1

  @property
  def has_model(self) -> bool:
    """True if the algorithm has a model."""
    return self.algorithm == "muesli" and self.muesli.model

  @property
  def follows_progress(self) -> bool:
    """True if updates depend on the fraction of the run completed."""
    return self.final_rate < 1 or self.privileged.needs_teacher
