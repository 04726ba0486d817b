"""Tests of adaland.agent.updates.train_state, with numbers by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl.testing import absltest, parameterized

from adaland.agent.learner_config import LearnerConfig
from adaland.agent.muesli import muesli
from adaland.agent.updates import train_state
from tests.agent import fakes


class InitialStateTest(absltest.TestCase):
  def test_keys_and_buffers_are_used_once(self):
    network = fakes.make_network(3)._replace(init=lambda key: {"key": key})
    given = jax.random.PRNGKey(5)
    state = train_state.initial_state(network, optax.sgd(1.0), given)
    keys = (given, state.params["key"], state.rng_key)
    self.assertLen({tuple(np.asarray(key).tolist()) for key in keys}, 3)
    np.testing.assert_array_equal(
      state.params["key"], state.target_params["key"]
    )
    # A donated state must not hold one buffer twice.
    self.assertNotEqual(
      state.params["key"].unsafe_buffer_pointer(),
      state.target_params["key"].unsafe_buffer_pointer(),
    )
    self.assertEqual((state.updates, state.updates.dtype), (0, jnp.int32))


class ApplyGradientTest(parameterized.TestCase):
  @parameterized.parameters(("muesli", 0.1), ("ppo", 1.0))
  def test_two_updates(self, algorithm, share):
    # The step is -(m + 0.5 w) with momentum m, and w follows.
    optimizer = optax.chain(
      optax.trace(0.5), optax.add_decayed_weights(0.5), optax.scale(-1.0)
    )
    config = LearnerConfig(algorithm=algorithm, final_rate=0.2, target_rate=0.1)
    params = {"w": np.array([1.0, 2.0], np.float32)}
    state = train_state.TrainState(
      params=params,
      target_params={"w": np.zeros(2, np.float32)},
      opt_state=optimizer.init(params),
      scale=muesli.initial_scale(),
      updates=jnp.int32(3),
      rng_key=jax.random.PRNGKey(0),
      proxy=jnp.int32(7),
    )
    target = np.zeros(2)
    gradient = {"w": np.array([1.0, -1.0], np.float32)}
    # Halfway through the run, 1 - 0.8 / 2 = 0.6 of the rate is left; then 0.2.
    for progress, moved, new in (
      (0.5, [-0.6 * 1.5, 0.0], [0.1, 2.0]),
      (1.0, [-0.2 * 1.55, 0.2 * 0.5], [-0.21, 2.1]),
    ):
      state, step = train_state.apply_gradient(
        optimizer, config, state, gradient, jnp.float32(progress)
      )
      np.testing.assert_allclose(step["w"], moved, atol=1e-6)
      np.testing.assert_allclose(state.params["w"], new, atol=1e-6)
      target = target + share * (np.array(new) - target)
      np.testing.assert_allclose(state.target_params["w"], target, atol=1e-6)
    self.assertEqual((state.updates, state.proxy), (5, 7))


if __name__ == "__main__":
  absltest.main()
