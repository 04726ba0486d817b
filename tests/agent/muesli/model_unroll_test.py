"""Tests of adaland.agent.muesli.model with a network's own model."""

import functools

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent import distributions
from adaland.agent.muesli import model, muesli
from tests.agent import fakes, learners

_NETWORK = fakes.make_network(3)
_model_step = jax.jit(_NETWORK.model_step)
_look_ahead = jax.jit(
  functools.partial(model.look_ahead, _NETWORK), static_argnums=3
)
_unroll_model = jax.jit(
  functools.partial(model.unroll_model, _NETWORK), static_argnums=3
)


@jax.jit
def _start(batch):
  """Returns parameters, the network's output, and one-hots of the actions."""
  params = _NETWORK.init(jax.random.PRNGKey(0))
  output, _ = _NETWORK.unroll(params, {}, batch.observation, batch.first)
  return params, output, distributions.one_hot(batch.action, fakes.SIZES)


class ModelTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.params, self.output, self.actions = jax.tree.map(
      np.asarray, _start(learners.batch(2))
    )

  def _model(self, b, t, actions):
    """Follows actions from one state; returns the last reward and value."""
    reward = policy = value = np.zeros([])
    h, c = self.output.model_hidden[b, t], self.output.model_cell[b, t]
    for action in actions:
      h, c, reward, policy, value = _model_step(self.params, h, c, action)
    return reward, policy, value

  def _unroll(self, offset=0, **constants):
    config = muesli.MuesliConfig(**constants)
    predictions = _unroll_model(
      self.params, self.output, self.actions, config, offset
    )
    return jax.tree.map(np.asarray, predictions)

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
    self.assertIsNone(self._unroll(model_steps=1, model_every=1).far)

  def test_without_a_model_nothing_is_predicted_ahead(self):
    predictions = self._unroll(model=False, returns="vtrace", cmpo="none")
    self.assertIsNone(predictions.near)
    self.assertIsNone(predictions.far)

  def test_all_actions_are_asked_about_in_order(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=10.0)
    q = jax.jit(
      lambda params, output: model.look_at_all(
        _NETWORK, params, output, fakes.SIZES, config
      )
    )(self.params, self.output)
    self.assertEqual(q.shape, (2, 6, 6))
    asked = jax.jit(distributions.one_hot, static_argnums=1)(
      np.array([[2, 1]]), fakes.SIZES
    )
    asked = np.broadcast_to(asked, (2, 6, 1, 5))
    one = _look_ahead(self.params, self.output, asked, config)
    # With heads of 3 and 2 actions, (2, 1) is the last.
    np.testing.assert_allclose(
      np.asarray(q)[:, :, 5], np.asarray(one)[:, :, 0], rtol=1e-5
    )

  def test_q_is_reward_plus_discounted_value(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=10.0)
    asked = np.stack([self.actions, self.actions[:, ::-1]], axis=2)
    q = np.asarray(_look_ahead(self.params, self.output, asked, config))
    softmax = jax.jit(jax.nn.softmax)
    bins = np.linspace(-10, 10, fakes.NUM_BINS)

    def scalar(logits):
      h = np.dot(np.asarray(softmax(logits), np.float64), bins)
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
