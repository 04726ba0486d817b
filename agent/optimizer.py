"""How to learn: the learner's settings, and the optimiser they describe."""

import dataclasses

import optax

from agent import muesli_types


@dataclasses.dataclass(frozen=True)
class LearnerConfig:
  """How to learn; defaults are Muesli's (§4.3).

  Attributes:
    learning_rate: Highest learning rate.
    warmup_updates: Updates over which it rises linearly from zero.
    decay_updates: Update count at which it has fallen linearly to zero; 0
      keeps it constant after the warm-up.
    adam_b1: Decay of Adam's first moment.
    adam_b2: Decay of Adam's second moment.
    adam_epsilon: Added to Adam's denominator.
    weight_decay: AdamW's decay, times the learning rate.
    update_clip: Bound on each element of Adam's update before it is
      multiplied by the learning rate.
    target_rate: α, the share of the new parameters that the target network
      takes in at each update.
    muesli: Constants of targets and losses.
  """

  learning_rate: float = 3e-4
  warmup_updates: int = 0
  decay_updates: int = 0
  adam_b1: float = 0.9
  adam_b2: float = 0.999
  adam_epsilon: float = 1e-8
  weight_decay: float = 0.0
  update_clip: float = 1.0
  target_rate: float = 0.1
  muesli: muesli_types.MuesliConfig = dataclasses.field(
    default_factory=muesli_types.MuesliConfig
  )

  def __post_init__(self):
    for name in ("learning_rate", "adam_epsilon", "update_clip"):
      if not getattr(self, name) > 0:
        raise ValueError(f"{name}={getattr(self, name)}: must be above 0")
    for name in ("adam_b1", "adam_b2"):
      if not 0 <= getattr(self, name) < 1:
        raise ValueError(f"{name}={getattr(self, name)}: must be in [0, 1)")
    if not 0 < self.target_rate <= 1:
      raise ValueError(f"target_rate={self.target_rate}: must be in (0, 1]")
    for name in ("warmup_updates", "decay_updates", "weight_decay"):
      if not getattr(self, name) >= 0:
        raise ValueError(f"{name}={getattr(self, name)}: must not be negative")
    if 0 < self.decay_updates <= self.warmup_updates:
      raise ValueError(
        f"decay_updates={self.decay_updates}: must be 0 or above "
        f"warmup_updates={self.warmup_updates}"
      )


def make_optimizer(config: LearnerConfig) -> optax.GradientTransformation:
  """AdamW whose Adam part is clipped elementwise (§4.3)."""
  schedule = optax.constant_schedule(config.learning_rate)
  if config.decay_updates:
    schedule = optax.linear_schedule(
      config.learning_rate,
      0.0,
      config.decay_updates - config.warmup_updates,
    )
  if config.warmup_updates:
    # Counted from one, so that the first update isn't lost.
    n = config.warmup_updates
    rise = optax.linear_schedule(
      config.learning_rate / n, config.learning_rate, max(n - 1, 1)
    )
    schedule = optax.join_schedules([rise, schedule], [n])
  return optax.chain(
    optax.scale_by_adam(
      b1=config.adam_b1, b2=config.adam_b2, eps=config.adam_epsilon
    ),
    optax.clip(config.update_clip),
    optax.add_decayed_weights(config.weight_decay),
    optax.scale_by_learning_rate(schedule),
  )
