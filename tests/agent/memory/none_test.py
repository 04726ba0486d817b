"""Tests of adaland.agent.memory.none."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import none

_CONFIG = NetworkConfig(
  memory="none", d_model=6, num_heads=3, key_size=4, num_layers=1
)


def _both(x, age):
  mixer = none.NoMixer(_CONFIG, "mixer")
  return mixer.unroll(x, age, None), mixer.step(x[:, 0], age[:, 0], {})


class NoMixerTest(absltest.TestCase):
  def test_it_is_as_large_as_attention(self):
    x, age = jnp.zeros([1, 2, 6]), jnp.zeros([1, 2], jnp.int32)
    params = jax.eval_shape(
      hk.transform(_both).init, jax.random.PRNGKey(0), x, age
    )
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    # Attention has 5 matrices of 6 x 12; 3 matrices of 6 x 20 are as many.
    self.assertEqual(size, 5 * 6 * 12)

  def test_steps_depend_on_nothing_but_themselves(self):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 6)).astype(np.float32)
    x[:, 2] = x[:, 0]
    age = np.array([[0, 1, 2], [7, 0, 1]], np.int32)
    transformed = hk.transform(_both)
    params = transformed.init(jax.random.PRNGKey(0), x, age)
    (y, state), (y_0, state_0) = transformed.apply(params, None, x, age)
    self.assertEqual((state, state_0), ({}, {}))
    np.testing.assert_allclose(y[:, 2], y[:, 0], atol=1e-6)
    np.testing.assert_allclose(y_0, y[:, 0], atol=1e-6)
    self.assertGreater(np.abs(y[:, 1] - y[:, 0]).max(), 1e-3)


if __name__ == "__main__":
  absltest.main()
