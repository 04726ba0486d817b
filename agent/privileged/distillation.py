"""Distillation from a teacher that labels the states that the student visits.

The student acts, so that it learns in the states that it itself reaches (Ross
et al. 2011, arXiv 1011.0686). A script labels them with actions, a trained
agent with its policy.

Shape letters: T time, S sum of the heads' sizes, I model steps, F steps from
which the model looks ahead, by J numbers of steps.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types
from adaland.agent.learner_config import MuesliConfig
from adaland.agent.muesli import muesli_types


def loss(
  log_policy: types.Array, label: types.Array, sizes: Sequence[int]
) -> tuple[jax.Array, jax.Array]:
  """Returns the cross-entropy to the teacher's actions, of each head.

  Args:
    log_policy: The student's log-probabilities, [..., S].
    label: The teacher's actions, one index for each head; -1 where there is
      no label, int [..., A].
    sizes: Sizes of the action heads.

  Returns:
    The loss in nats, zero where there is no label, [..., A]; 1 where there is a
    label, else 0, [...].
  """
  has_label = jnp.asarray(label[..., 0] >= 0, jnp.float32)
  # An index of -1 gives zeros.
  surprise = -distributions.one_hot(label, sizes) * log_policy
  heads = [
    jnp.sum(head, axis=-1) for head in distributions.split(surprise, sizes)
  ]
  return jnp.stack(heads, axis=-1), has_label


def policy_loss(
  predictions: muesli_types.Predictions,
  teacher: types.Array,
  mask: types.Array,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> tuple[jax.Array, jax.Array]:
  """Returns the divergence of all unrolled policies from an agent's policy.

  KL(π̃_0(t) ‖ π_0(t)) + mean_{i=1...I} KL(π̃_0(t + i) ‖ π_i(t)), where π̃ is the
  teacher's policy and π_i(t) the policy that the student's model predicts i
  steps after step t. (AdA, arXiv 2301.07608, section on distillation, sums over
  i; here it is a mean, like the model's other losses.) Steps past the unroll's
  end and steps without a label do not count. Terms of i = 2...I count n times,
  see `muesli.losses`.

  Args:
    predictions: The student's predictions for one trajectory.
    teacher: Log-probabilities, 0 where there is no label, [T, S].
    mask: 1 for real steps, [T].
    sizes: Sizes of the action heads.
    config: I and n.

  Returns:
    Nats summed over the steps, []; the number of labelled steps, [].
  """
  # A head with more than one action gives some action a probability below 1.
  labelled = mask * jnp.asarray(jnp.min(teacher, axis=-1) < 0, jnp.float32)

  def divergence(logits: jax.Array, goal: jax.Array) -> jax.Array:
    """Returns the summed KL of policies from the teacher's at `goal`."""
    past_end = config.model_steps + config.model_every
    padded = jnp.pad(teacher, [(0, past_end), (0, 0)])
    counts = jnp.pad(labelled, [(0, past_end)])
    pi = distributions.log_probs(logits, sizes)
    return jnp.sum(counts[goal] * distributions.kl(padded[goal], pi))

  total = divergence(predictions.policy_logits, jnp.arange(len(labelled)))
  ahead = 0.0
  for model, first, weight in (
    (predictions.near, 1, 1.0),
    (predictions.far, 2, float(config.model_every)),
  ):
    if model is None:
      continue
    steps = first + jnp.arange(model.policy_logits.shape[1])
    goal = model.starts[:, None] + steps[None]  # [F, J]
    # After a padded step there are only padded steps, which do not count.
    ahead += weight * divergence(model.policy_logits, goal)
  return total + ahead / config.model_steps, jnp.sum(labelled)


def squares(params: types.Params) -> jax.Array:
  """Returns half the sum of the squares of all matrices.

  Biases and scales are left out: the biases of the value head start at base
  rates, far from zero, and would dominate the sum.
  """
  matrices = [leaf for leaf in jax.tree.leaves(params) if leaf.ndim > 1]
  return 0.5 * sum((jnp.sum(jnp.square(x)) for x in matrices), jnp.zeros([]))


def remaining(
  progress: types.Array | float, alone: float, share: float
) -> types.Array:
  """Returns the fraction of distillation's weight that is left.

  Args:
    progress: Fraction of the run completed, 0 to 1.
    alone: Progress up to which the result is 1; if `alone` is 1, to the end.
    share: Progress from which the result is 0.
  """
  progress = jnp.asarray(progress)
  if alone == 1:
    return jnp.ones([])
  if alone == share:
    return jnp.asarray(progress < alone, jnp.float32)
  return jnp.clip((share - progress) / (share - alone), 0.0, 1.0)
