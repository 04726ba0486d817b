"""Tests of adaland.agent.muesli.model with a network's own model."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import distributions
from adaland.agent.muesli import model, muesli
from tests.agent import fakes, learners


class ModelTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.network = fakes.make_network(3)
    self.params = self.network.init(jax.random.PRNGKey(0))
    self.batch = learners.batch(2)
    self.output, _ = self.network.unroll(
      self.params, {}, self.batch.observation, self.batch.first
    )
    self.actions = distributions.one_hot(self.batch.action, fakes.SIZES)

  def _model(self, b, t, actions):
    """Follows actions from one state; returns the last reward and value."""
    reward = policy = value = np.zeros([])
    h, c = self.output.model_hidden[b, t], self.output.model_cell[b, t]
    for action in actions:
      h, c, reward, policy, value = self.network.model_step(
        self.params, h, c, action
      )
    return reward, policy, value

  def _unroll(self, model_steps, model_every, offset):
    config = muesli.MuesliConfig(
      model_steps=model_steps, model_every=model_every
    )
    return model.unroll_model(
      self.network,
      self.params,
      self.output,
      self.actions,
      config,
      jnp.asarray(offset),
    )

  def test_unrolled_along_the_actions_taken(self):
    predictions = self._unroll(model_steps=3, model_every=2, offset=1)
    np.testing.assert_array_equal(
      predictions.value_logits, self.output.value_logits
    )
    assert predictions.near is not None
    assert predictions.far is not None
    np.testing.assert_array_equal(predictions.near.starts[0], range(6))
    np.testing.assert_array_equal(predictions.far.starts, [[1, 3, 5]] * 2)
    for b, t in ((0, 1), (1, 3)):
      for i in (1, 2, 3):
        part, at = (
          (predictions.near, (b, t, 0))
          if i == 1
          else (predictions.far, (b, t // 2, i - 2))
        )
        got = (
          part.reward_logits[at],
          part.policy_logits[at],
          part.value_logits[at],
        )
        wanted = self._model(b, t, self.actions[b, t : t + i])
        for x, y in zip(got, wanted, strict=True):
          np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)

  def test_model_longer_than_the_unroll(self):
    predictions = self._unroll(model_steps=9, model_every=4, offset=3)
    assert predictions.far is not None
    self.assertEqual(
      predictions.far.reward_logits.shape, (2, 2, 8, fakes.NUM_BINS)
    )

  def test_a_model_of_one_step_looks_no_further(self):
    self.assertIsNone(self._unroll(1, 1, 0).far)

  def test_without_a_model_nothing_is_predicted_ahead(self):
    config = muesli.MuesliConfig(model=False, returns="vtrace", cmpo="none")
    predictions = model.unroll_model(
      self.network,
      self.params,
      self.output,
      self.actions,
      config,
      jnp.asarray(0),
    )
    self.assertIsNone(predictions.near)
    self.assertIsNone(predictions.far)

  def test_all_actions_are_asked_about_in_order(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=10.0)
    q = model.look_at_all(
      self.network, self.params, self.output, fakes.SIZES, config
    )
    self.assertEqual(q.shape, (2, 6, 6))
    asked = distributions.one_hot(np.array([[2, 1]]), fakes.SIZES)
    asked = jnp.broadcast_to(asked, (2, 6, 1, 5))
    one = model.look_ahead(
      self.network, self.params, self.output, asked, config
    )
    # With heads of 3 and 2 actions, (2, 1) is the last.
    np.testing.assert_allclose(q[:, :, 5], one[:, :, 0], rtol=1e-5)

  def test_q_is_reward_plus_discounted_value(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=10.0)
    asked = jnp.stack([self.actions, self.actions[:, ::-1]], axis=2)
    q = model.look_ahead(self.network, self.params, self.output, asked, config)
    bins = np.linspace(-10, 10, fakes.NUM_BINS)

    def scalar(logits):
      h = np.dot(np.asarray(jax.nn.softmax(logits), np.float64), bins)
      # Solved from h = √(x + 1) - 1 + 0.001 x by a quadratic in √(x + 1).
      u = (np.sqrt(1 + 0.004 * (1.001 + abs(h))) - 1) / 0.002
      return np.sign(h) * (u * u - 1)

    for b, t, k in ((0, 0, 0), (0, 3, 1), (1, 5, 1)):
      reward, _, value = self._model(b, t, asked[b, t, k : k + 1])
      np.testing.assert_allclose(
        q[b, t, k], scalar(reward) + 0.9 * scalar(value), rtol=1e-4
      )


if __name__ == "__main__":
  absltest.main()
