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
    starts: The steps from which the model looked ahead; those past the unroll's
      end do not count, int32 [F].
    policy_logits: [F, J, S].
    value_logits: [F, J, num_bins].
    reward_logits: Reward of the last action on the way there, [F, J, num_bins].
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
    near: For i = 1, from all steps; None without a model.
    far: For i = 2...I, from every n-th step; None if I is 1.
  """

  policy_logits: jax.Array
  value_logits: jax.Array
  near: ModelPredictions | None
  far: ModelPredictions | None


class LookAhead(NamedTuple):
  """The target network's one-step q-values, q(s, a) = r_1 + γ v_1.

  Attributes:
    q_taken: Values of the actions taken, [T].
    samples: One-hots of N actions drawn from the prior, [T, N, S]; None if `q`
      has all composite actions, in the order of `distributions.all_actions`.
    q: Their q-values, [T, N].
  """

  q_taken: jax.Array
  samples: jax.Array | None
  q: jax.Array


class Targets(NamedTuple):
  """The targets that the online network learns from.

  Attributes:
    returns: Returns G_t, for the value; zero where not `complete`, [T].
    action_returns: Returns of the actions taken, for the policy gradient: the
      same as `returns` with Retrace, but not with V-trace, [T].
    complete: 1 where the return is defined, [T].
    value: The target network's v(s_t), the baseline, [T].
    prior: Log-probabilities of the prior, [T, S].
    samples: As in `LookAhead`, [T, N, S].
    advantages: q(s_t, a) - v(s_t) of the actions that define the CMPO policy,
      [T, N]; None without one.
  """

  returns: jax.Array
  action_returns: jax.Array
  complete: jax.Array
  value: jax.Array
  prior: jax.Array
  samples: jax.Array | None
  advantages: jax.Array | None


class AdvantageScale(NamedTuple):
  """Moving second moment of G - v, and the count that corrects its bias.

  Attributes:
    moment: Exponential moving average, float32 [].
    count: Number of updates, int32 [].
  """

  moment: jax.Array
  count: jax.Array
