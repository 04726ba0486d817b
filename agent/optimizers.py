"""The optimiser that the learner's settings describe."""

import optax

from adaland.agent import learner_config


def make_optimizer(
  config: learner_config.LearnerConfig,
) -> optax.GradientTransformation:
  """Makes AdamW with elementwise clipping of Adam's update.

  The clipping is Muesli's (arXiv 2104.06159).

  Args:
    config: Learning rate, its warm-up, and Adam's constants.

  Returns:
    The optimiser.
  """
  schedule = optax.constant_schedule(config.learning_rate)
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
