import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import gru


class CellTest(absltest.TestCase):
  def test_numbers(self):
    # One unit. Recurrent products 1, 2, 3 times the hidden state of 0.5.
    inputs = jnp.array([[0.1, -0.3, 0.2]])
    recurrent = jnp.array([[1.0, 2.0, 3.0]])
    hidden = gru.cell(inputs, jnp.array([[0.5]]), recurrent)
    reset = 1 / (1 + np.exp(-0.6))
    update = 1 / (1 + np.exp(-0.7))
    candidate = np.tanh(0.2 + reset * 1.5)
    expected = (1 - update) * candidate + update * 0.5
    np.testing.assert_allclose(hidden, [[expected]], rtol=1e-6)


class StateSizeTest(absltest.TestCase):
  def test_as_many_parameters_as_attention(self):
    config = NetworkConfig(d_model=64, num_heads=4, key_size=16)
    size = gru.state_size(config)
    self.assertEqual(size, 50)
    parameters = 64 * 3 * size + size * 3 * size + size * 64
    self.assertAlmostEqual(parameters / (5 * 64 * 64), 1, delta=0.02)


if __name__ == "__main__":
  absltest.main()
