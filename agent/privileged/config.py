"""Settings of privileged training."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PrivilegedConfig:
  """Weights of the losses that use what the agent is not told.

  All are off by default: an agent trained so has had no such help.

  Attributes:
    belief_weight: Weight of the belief loss: the memory's output predicts, for
      each type of object, what the hidden rules do with it (Humplik et al.
      2019, arXiv 1905.06424).
    distillation_weight: Weight of the cross-entropy to the teacher's actions on
      the student's own states (AdA, arXiv 2301.07608, distils from a smaller
      agent; here the teacher may be a script).
    distillation_alone: Share of the run in which there is only that, and the
      belief loss: no reinforcement learning, at less than half the cost.
    distillation_share: Share of the run after which there is no distillation.
      From the one share to the other its weight falls linearly, and that of
      Muesli's losses of the policy rises from 0 to 1, while the critic and the
      model learn.
    critic_weight: Weight of the loss of a second value head, which is told the
      true rules. Above 0 it is the baseline of the policy gradient, and no
      other part of the agent depends on it.
  """

  belief_weight: float = 0.0
  distillation_weight: float = 0.0
  distillation_alone: float = 0.0
  distillation_share: float = 0.5
  critic_weight: float = 0.0

  def __post_init__(self):
    for name in ("belief_weight", "distillation_weight", "critic_weight"):
      if not getattr(self, name) >= 0:
        raise ValueError(f"{name}={getattr(self, name)}: must not be negative")
    if not 0 < self.distillation_share <= 1:
      raise ValueError(
        f"distillation_share={self.distillation_share}: must be in (0, 1]"
      )
    if not 0 <= self.distillation_alone < self.distillation_share:
      raise ValueError(
        f"distillation_alone={self.distillation_alone}: must be from 0 to "
        f"below distillation_share={self.distillation_share}"
      )

  @property
  def needs_rules(self) -> bool:
    """True if learning reads the true rules."""
    return self.belief_weight > 0 or self.critic_weight > 0

  @property
  def needs_teacher(self) -> bool:
    """True if learning reads a teacher's actions."""
    return self.distillation_weight > 0
