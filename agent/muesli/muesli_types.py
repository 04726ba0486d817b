"""The values that Muesli's functions take and return.

Shape letters and index conventions are those of `adaland.agent.muesli.muesli`.
"""

from typing import NamedTuple

import jax


class Experience(NamedTuple):
  """The experience of one trajectory.

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


class ModelPredictions(NamedTuple):
  """The online model's outputs for J numbers of steps ahead, from F steps.

  Attributes:
    starts: The steps from which it looked ahead; those past the unroll's end do
      not count, int32 [F].
    policy_logits: [F, J, S].
    value_logits: [F, J, num_bins].
    reward_logits: Of the last action on the way there, [F, J, num_bins].
  """

  starts: jax.Array
  policy_logits: jax.Array
  value_logits: jax.Array
  reward_logits: jax.Array


class Predictions(NamedTuple):
  """The online network's outputs: see the module's index conventions.

  Attributes:
    policy_logits: For i = 0, [T, S].
    value_logits: For i = 0, [T, num_bins].
    near: For i = 1, from all steps.
    far: For i = 2...I, from every n-th step; None if I is 1.
  """

  policy_logits: jax.Array
  value_logits: jax.Array
  near: ModelPredictions
  far: ModelPredictions | None


class Targets(NamedTuple):
  """The targets that the online network learns from.

  Attributes:
    returns: Retrace returns G_t; zero where not `complete`, [T].
    complete: 1 where the return is defined, [T].
    value: The target network's v(s_t), the baseline, [T].
    prior: Log-probabilities of the prior, [T, S].
    samples: One-hots of N actions drawn from it, [T, N, S].
    advantages: q(s_t, sample) - v(s_t), [T, N].
  """

  returns: jax.Array
  complete: jax.Array
  value: jax.Array
  prior: jax.Array
  samples: jax.Array
  advantages: jax.Array


class AdvantageScale(NamedTuple):
  """Moving second moment of G - v, and the count that corrects its bias.

  Attributes:
    moment: Exponential moving average, float32 [].
    count: Number of updates, int32 [].
  """

  moment: jax.Array
  count: jax.Array
