import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.muesli import categorical
from adaland.agent.muesli._rlax import rlax

_squash = jax.jit(categorical.squash)
_unsquash = jax.jit(categorical.unsquash)
_encode = jax.jit(categorical.encode, static_argnums=(1, 2))
_decode = jax.jit(categorical.decode, static_argnums=1)


def _unsquash64(y: np.ndarray) -> np.ndarray:
  """Inverts h by bisection, in float64."""
  low, high = np.zeros_like(y), np.full_like(y, 1e7)
  for _ in range(200):
    middle = (low + high) / 2
    below = np.sqrt(middle + 1) - 1 + 1e-3 * middle < np.abs(y)
    low, high = np.where(below, middle, low), np.where(below, high, middle)
  return np.sign(y) * (low + high) / 2


class CategoricalTest(parameterized.TestCase):
  def test_squash_by_hand(self):
    # h(3) = √4 - 1 + 0.003; h(-8) = -(√9 - 1 + 0.008).
    np.testing.assert_allclose(
      _squash(np.array([0.0, 3.0, -8.0], np.float32)),
      [0.0, 1.003, -2.008],
      rtol=1e-6,
    )

  def test_squash_is_rlaxs(self):
    x = np.linspace(-500, 500, 101, dtype=np.float32)
    np.testing.assert_allclose(
      _squash(x), jax.jit(rlax.signed_hyperbolic)(x), rtol=1e-6
    )
    y = np.linspace(2, 300, 101, dtype=np.float32)
    np.testing.assert_allclose(
      _unsquash(y), jax.jit(rlax.signed_parabolic)(y), rtol=1e-3
    )

  def test_unsquash_is_exact_from_small_to_large(self):
    y = np.concatenate([-np.logspace(-6, 2.4, 50), np.logspace(-6, 2.4, 50)])
    np.testing.assert_allclose(
      _unsquash(y.astype(np.float32)), _unsquash64(y), rtol=2e-6
    )

  def test_two_hot_by_hand(self):
    # Bins -2, -1, 0, 1, 2; h(3) = 1.003 is a 0.003 part of bin 2.
    np.testing.assert_allclose(
      _encode(np.array([0.0, 3.0]), 5, 2.0),
      [[0, 0, 1, 0, 0], [0, 0, 0, 0.997, 0.003]],
      atol=1e-6,
    )

  def test_out_of_range_is_clipped(self):
    np.testing.assert_allclose(
      _encode(np.array([1e6, -1e6]), 5, 2.0),
      [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]],
    )

  @parameterized.parameters((601, 300.0), (33, 16.0), (20, 8.0))
  def test_decode_inverts_encode(self, num_bins, value_range):
    rng = np.random.default_rng(0)
    x = rng.uniform(-60, 60, size=[4, 50]).astype(np.float32)
    weights = np.asarray(_encode(x, num_bins, value_range))
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1.0, rtol=1e-5)
    self.assertLessEqual(np.max(np.sum(weights > 0, axis=-1)), 2)
    logits = np.log(np.maximum(weights, 1e-30)) + 3.0
    np.testing.assert_allclose(
      _decode(logits, value_range), x, rtol=1e-3, atol=1e-3
    )

  def test_fewer_bins_of_the_same_spacing_say_the_same(self):
    x = np.array([0.0, 2 / 15, 7.7, 40.0, -3.0], np.float32)
    wide = _encode(x, 601, 300.0)
    narrow = _encode(x, 33, 16.0)
    np.testing.assert_allclose(np.asarray(wide)[:, 284:317], narrow, atol=1e-6)

  def test_cross_entropy_against_float64(self):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=[6, 21])
    x = rng.uniform(-30, 30, size=[6])
    h = np.sign(x) * (np.sqrt(np.abs(x) + 1) - 1) + 1e-3 * x
    expected = []
    for row, position in zip(logits, h + 10, strict=True):
      log_p = row - np.log(np.sum(np.exp(row)))
      low = int(np.floor(position))
      part = position - low
      expected.append(-(1 - part) * log_p[low] - part * log_p[low + 1])
    np.testing.assert_allclose(
      jax.jit(categorical.cross_entropy, static_argnums=2)(logits, x, 10.0),
      expected,
      rtol=1e-5,
    )

  def test_gradient_is_prediction_minus_target(self):
    logits = np.random.default_rng(2).normal(size=[21])
    x = np.float32(5.0)
    gradient = jax.jit(jax.grad(categorical.cross_entropy), static_argnums=2)(
      logits, x, 10.0
    )
    prediction = np.asarray(jax.jit(jax.nn.softmax)(logits))
    np.testing.assert_allclose(
      gradient, prediction - np.asarray(_encode(x, 21, 10.0)), atol=1e-6
    )


if __name__ == "__main__":
  absltest.main()
