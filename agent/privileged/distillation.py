"""Distillation from a teacher who labels the states that the student visits.

The student acts, so that it learns what to do where it itself gets to (Ross et
al. 2011, arXiv 1011.0686).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types


def loss(
  log_policy: jax.Array, label: types.Array, sizes: Sequence[int]
) -> tuple[jax.Array, jax.Array]:
  """Returns the cross-entropy to the teacher's actions, summed over heads.

  Args:
    log_policy: The student's log-probabilities, [..., S].
    label: The teacher's actions, one index for each head; -1 where there is
      no label, int [..., A].
    sizes: Sizes of the action heads.

  Returns:
    Nats, zero where there is no label, [...]; 1 where there is one, [...].
  """
  has_label = jnp.asarray(label[..., 0] >= 0, jnp.float32)
  # An index of -1 makes zeros.
  wanted = distributions.one_hot(label, sizes)
  return -jnp.sum(wanted * log_policy, axis=-1), has_label


def weight(progress: types.Array, first: float, share: float) -> types.Array:
  """Returns the weight of the loss, which falls linearly to zero.

  Args:
    progress: Share of the run that is over, 0 to 1.
    first: The weight at the start.
    share: Share of the run after which the weight is zero.
  """
  return first * jnp.maximum(0.0, 1.0 - progress / share)
