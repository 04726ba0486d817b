import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import acting, distributions
from tests.agent import fakes


class ActingTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.network = fakes.make_network(3)
    self.params = self.network.init(jax.random.PRNGKey(0))
    self.actor = acting.make_actor_core(self.network, fakes.SIZES, 10.0)
    self.x = np.random.default_rng(0).normal(size=[2, 4, 3]).astype(np.float32)

  def _two_steps(self, second_first):
    state = self.actor.init(4)
    one, state = self.actor.act(
      self.params,
      state,
      {"x": self.x[0]},
      np.ones([4], np.uint8),
      jax.random.PRNGKey(1),
    )
    two, state = self.actor.act(
      self.params,
      state,
      {"x": self.x[1]},
      np.asarray(second_first, np.uint8),
      jax.random.PRNGKey(2),
    )
    return one, two, state

  def test_shapes_and_kinds(self):
    one, _, state = self._two_steps([0, 0, 0, 0])
    self.assertEqual(one.action.shape, (4, 2))
    self.assertEqual(one.action.dtype, np.int32)
    self.assertEqual(one.behaviour_logits.shape, (4, 5))
    self.assertEqual(one.value.shape, (4,))
    np.testing.assert_array_equal(state.memory, [2, 2, 2, 2])

  def test_surprise_is_against_the_model_along_the_action_taken(self):
    one, two, _ = self._two_steps([0, 0, 1, 0])
    np.testing.assert_array_equal(one.value_error, 0)
    np.testing.assert_array_equal(one.policy_error, 0)
    output, _ = self.network.step(
      self.params, self.actor.init(4).memory, {"x": self.x[0]}, np.ones([4])
    )
    _, _, _, policy, value = self.network.model_step(
      self.params,
      output.model_hidden,
      output.model_cell,
      distributions.one_hot(one.action, fakes.SIZES),
    )
    h = np.asarray(jax.nn.softmax(value)) @ np.linspace(-10, 10, fakes.NUM_BINS)
    root = (np.sqrt(1 + 0.004 * (1.001 + np.abs(h))) - 1) / 0.002
    predicted = np.sign(h) * (root**2 - 1)
    known = np.array([1, 1, 0, 1])
    np.testing.assert_allclose(
      two.value_error, known * np.abs(two.value - predicted), rtol=1e-3
    )
    np.testing.assert_allclose(
      two.policy_error,
      known
      * distributions.jensen_shannon(
        distributions.log_probs(two.behaviour_logits, fakes.SIZES),
        distributions.log_probs(policy, fakes.SIZES),
      ),
      rtol=1e-4,
    )
    self.assertTrue((np.asarray(two.policy_error)[known == 1] > 0).all())

  def test_actions_are_drawn_from_the_logits_returned(self):
    n = 4000
    output, _ = self.actor.act(
      self.params,
      self.actor.init(n),
      {"x": np.broadcast_to(self.x[0, :1], [n, 3])},
      np.ones([n], np.uint8),
      jax.random.PRNGKey(3),
    )
    p = np.exp(distributions.log_probs(output.behaviour_logits[0], fakes.SIZES))
    frequency = distributions.one_hot(output.action, fakes.SIZES).mean(axis=0)
    np.testing.assert_allclose(frequency, p, atol=4 * 0.5 / np.sqrt(n))

  def test_a_low_temperature_takes_the_likeliest_actions(self):
    args = {"x": self.x[0]}, np.ones([4], np.uint8), jax.random.PRNGKey(1)
    init = self.actor.init
    plain, _ = self.actor.act(self.params, init(4), *args)
    sharp, _ = self.actor.act(self.params, init(4), *args, np.float32(1e-6))
    heads = distributions.split(plain.behaviour_logits, fakes.SIZES)
    likeliest = np.stack([np.argmax(head, axis=-1) for head in heads], axis=-1)
    np.testing.assert_array_equal(sharp.action, likeliest)
    self.assertFalse(np.array_equal(plain.action, likeliest))
    np.testing.assert_array_equal(
      sharp.behaviour_logits, plain.behaviour_logits
    )

  def test_td_error_by_hand(self):
    np.testing.assert_allclose(
      acting.td_error(
        value=jnp.array([2.0, 2.0]),
        reward=jnp.array([1.0, 1.0]),
        discount=jnp.array([1.0, 0.0]),
        next_value=jnp.array([4.0, 4.0]),
        gamma=0.5,
      ),
      [1.0, 1.0],
    )


if __name__ == "__main__":
  absltest.main()
