"""Distillation from a teacher who labels the states that the student visits.

The student acts, so that it learns what to do where it itself gets to (Ross et
al. 2011, arXiv 1011.0686).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types


def loss(
  log_policy: types.Array, label: types.Array, sizes: Sequence[int]
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


def remaining(
  progress: types.Array | float, alone: float, share: float
) -> types.Array:
  """Returns the share of distillation's weight that is left.

  Args:
    progress: Share of the run that is over, 0 to 1.
    alone: Until then it is 1.
    share: From then on it is 0.
  """
  left = (share - jnp.asarray(progress)) / (share - alone)
  return jnp.clip(left, 0.0, 1.0)
