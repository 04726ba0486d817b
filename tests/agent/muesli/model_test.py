"""Tests of adaland.agent.muesli.model, with a model whose state is readable.

The fake's hidden state is a number. Its decimal digits are the actions that the
model took, so it shows which actions were queried, and in which order.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import types
from adaland.agent.muesli import model, muesli

_NUM_ACTIONS = 3


def _model_step(params, hidden, cell, action):
  """Appends the action's digit, 1 to 3, or 0 for no action at all."""
  digit = jnp.dot(action, jnp.arange(1.0, 1 + _NUM_ACTIONS))[..., None]
  hidden = 10 * hidden + digit
  cell = cell + jnp.zeros_like(digit)
  zero = jnp.zeros_like(hidden)
  reward = jnp.concatenate([zero, digit, zero], axis=-1)
  value = jnp.concatenate([zero, zero, params * hidden + cell], axis=-1)
  return hidden, cell, reward, hidden, value


def _unused(*args):
  raise AssertionError(f"called with {args}")


_NETWORK = types.Network(
  init=_unused,
  initial_memory=_unused,
  step=_unused,
  unroll=_unused,
  model_step=_model_step,
  truth=_unused,
  critic=_unused,
)
_look_ahead = jax.jit(
  functools.partial(model.look_ahead, _NETWORK), static_argnums=3
)
_unroll_model = jax.jit(
  functools.partial(model.unroll_model, _NETWORK), static_argnums=3
)


def _output(hidden, cell=0.0):
  hidden = np.asarray(hidden, np.float32)[..., None]
  return types.NetworkOutput(
    policy_logits=hidden,
    value_logits=hidden * np.array([[[1.0, 0.0, -1.0]]], np.float32),
    model_hidden=hidden,
    model_cell=np.full_like(hidden, cell),
    belief_logits=np.zeros([*hidden.shape[:-1], 0], np.float32),
  )


def _one_hots(actions):
  return np.eye(_NUM_ACTIONS, dtype=np.float32)[actions]


def _scalar(logits, value_range):
  """Returns the scalar of three bins, by the textbook inverse of h."""
  probs = np.exp(logits) / np.sum(np.exp(logits))
  y, e = value_range * (probs[2] - probs[0]), 1e-3
  root = (np.sqrt(1 + 4 * e * (abs(y) + 1 + e)) - 1) / (2 * e)
  return np.sign(y) * (root**2 - 1)


class LookAheadTest(absltest.TestCase):
  def test_reward_plus_discounted_value_of_each_action_alone(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=2.0)
    hidden = np.array([[0.1, 0.2], [0.3, 0.0]])
    actions = np.array([[[0, 2], [1, 1]], [[2, 0], [0, 1]]])
    q = np.asarray(
      _look_ahead(0.02, _output(hidden, cell=0.5), _one_hots(actions), config)
    )
    self.assertEqual(q.shape, (2, 2, 2))
    for index, action in np.ndenumerate(actions):
      digit = 1.0 + action
      after = 10 * hidden[index[:2]] + digit
      expected = _scalar(np.array([0, digit, 0]), 2.0)
      expected += 0.9 * _scalar(np.array([0, 0, 0.02 * after + 0.5]), 2.0)
      self.assertAlmostEqual(float(q[index]), expected, places=5)


class UnrollModelTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.output = _output([[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    self.actions = _one_hots([[0, 1, 2], [2, 2, 0]])
    self.predictions = self.unroll(every=1, offset=0)

  def unroll(self, every, offset):
    config = muesli.MuesliConfig(model_steps=3, model_every=every)
    predictions = _unroll_model(1.0, self.output, self.actions, config, offset)
    return jax.tree.map(np.asarray, predictions)

  def test_each_step_follows_the_actions_taken_from_there_on(self):
    near, far = self.predictions.near, self.predictions.far
    assert near is not None
    assert far is not None
    np.testing.assert_array_equal(near.starts, [[0, 1, 2]] * 2)
    np.testing.assert_array_equal(far.starts, [[0, 1, 2]] * 2)
    np.testing.assert_array_equal(
      near.policy_logits[..., 0],
      [[[41], [52], [63]], [[73], [83], [91]]],
    )
    # Past the end there is no action: digit 0.
    np.testing.assert_array_equal(
      far.policy_logits[..., 0],
      [
        [[412, 4123], [523, 5230], [630, 6300]],
        [[733, 7331], [831, 8310], [910, 9100]],
      ],
    )

  def test_some_steps_look_further(self):
    predictions = self.unroll(every=2, offset=1)
    assert predictions.near is not None
    assert self.predictions.near is not None
    np.testing.assert_array_equal(
      predictions.near.policy_logits, self.predictions.near.policy_logits
    )
    far = predictions.far
    assert far is not None
    # The second of them is past the end, so it starts from nothing.
    np.testing.assert_array_equal(far.starts, [[1, 3]] * 2)
    np.testing.assert_array_equal(
      far.policy_logits[..., 0],
      [[[523, 5230], [0, 0]], [[831, 8310], [0, 0]]],
    )

  def test_the_first_prediction_is_the_network_s_own(self):
    np.testing.assert_array_equal(
      self.predictions.policy_logits, self.output.policy_logits
    )
    np.testing.assert_array_equal(
      self.predictions.value_logits, self.output.value_logits
    )
    assert self.predictions.near is not None
    # The model's own: zero in the outer bins but for the hidden state.
    np.testing.assert_array_equal(
      self.predictions.near.value_logits[0, 0], [[0, 0, 41]]
    )

  def test_rewards_are_those_of_the_actions(self):
    assert self.predictions.near is not None
    np.testing.assert_array_equal(
      self.predictions.near.reward_logits[..., 1],
      [[[1], [2], [3]], [[3], [3], [1]]],
    )
    assert self.predictions.far is not None
    np.testing.assert_array_equal(
      self.predictions.far.reward_logits[..., 1],
      [[[2, 3], [3, 0], [0, 0]], [[3, 1], [1, 0], [0, 0]]],
    )


if __name__ == "__main__":
  absltest.main()
