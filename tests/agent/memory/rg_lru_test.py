"""Tests of rg_lru: the recurrence in float64, and the scan."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import rg_lru

_CONFIG = NetworkConfig(
  memory="griffin", d_model=4, num_heads=2, key_size=2, memory_length=5
)


def _sigmoid(x):
  return 1 / (1 + np.exp(-x))


def _gelu(x):
  return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _reference(p, x, age):
  """Runs the recurrence one step at a time."""
  gate, signal = np.split(x @ p["inputs.w"], 2, axis=-1)
  size = signal.shape[-1]
  half = size // 2
  hidden, out = np.zeros(size), []
  for t in range(len(x)):
    u = p["f.taps_bias"].copy()
    for back in range(min(3, age[t]) + 1):
      u += p["f.taps"][back] * signal[t - back]
    recurrence, admission = (
      _sigmoid(
        np.concatenate([u[:half] @ weights[0], u[half:] @ weights[1]]) + bias
      )
      for weights, bias in zip(p["f.gates"], p["f.gates_bias"], strict=True)
    )
    a = np.exp(-8 * np.log1p(np.exp(p["f.decay"])) * recurrence)
    if age[t] == 0:
      hidden = admission * u
    else:
      hidden = a * hidden + np.sqrt(1 - a**2) * admission * u
    out.append((_gelu(gate[t]) * hidden) @ p["out.w"])
  return np.array(out)


class RecurrentMixerTest(absltest.TestCase):
  def test_equals_the_formula(self):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 9, 4)).astype(np.float32)
    age = np.array([[0, 1, 2, 3, 4, 5, 0, 1, 2]], np.int32)
    transformed = hk.without_apply_rng(
      hk.transform(
        lambda x: rg_lru.RecurrentMixer(_CONFIG, "f").unroll(x, age, None)[0]
      )
    )
    shapes = jax.eval_shape(transformed.init, jax.random.PRNGKey(0), x)
    params = jax.tree.map(
      lambda p: rng.normal(size=p.shape).astype(np.float32), shapes
    )
    p = {
      f"{module.split('/')[-1]}.{name}": value.astype(np.float64)
      for module, leaves in params.items()
      for name, value in leaves.items()
    }
    actual = np.asarray(jax.jit(transformed.apply)(params, x))
    expected = _reference(p, x[0].astype(np.float64), age[0])
    np.testing.assert_allclose(actual[0], expected, rtol=1e-3, atol=1e-3)

  def test_first_decays_are_in_griffins_range(self):
    rate = rg_lru._initial_decay((5,), jnp.float32)
    decay = np.exp(-np.log1p(np.exp(np.asarray(rate, np.float64))))
    np.testing.assert_allclose(decay[[0, -1]], [0.9, 0.999], rtol=1e-4)
    np.testing.assert_allclose(np.diff(decay**2, n=2), 0, atol=1e-5)


class ScanTest(absltest.TestCase):
  def test_numbers(self):
    decay = np.array([0.5, 2.0, 0.0, 3.0], np.float32).reshape(1, 4, 1)
    inputs = np.array([1.0, 4.0, 5.0, 7.0], np.float32).reshape(1, 4, 1)
    hidden = np.asarray(jax.jit(rg_lru.scan)(decay, inputs))
    np.testing.assert_allclose(hidden[0, :, 0], [1, 6, 5, 22])


class StateSizeTest(absltest.TestCase):
  def test_as_many_parameters_as_attention(self):
    config = NetworkConfig(d_model=64, num_heads=4, key_size=16)
    size = rg_lru.state_size(config)
    self.assertEqual(size, 88)
    # Two maps in, one out, the gates, and vectors.
    parameters = 3 * 64 * size + 2 * size**2 / 4 + (4 + 1 + 2 + 1) * size
    self.assertAlmostEqual(parameters / (5 * 64 * 64), 1, delta=0.05)

  def test_it_is_a_multiple_of_the_heads(self):
    config = NetworkConfig(d_model=7, num_heads=3, key_size=1)
    self.assertEqual(rg_lru.state_size(config) % 3, 0)


if __name__ == "__main__":
  absltest.main()
