"""Tests of the pieces of attention, small enough to read."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import transformer_xl


class RelativeAttentionTest(absltest.TestCase):
  def test_equals_the_formula(self):
    config = NetworkConfig(
      d_model=6, num_heads=2, key_size=3, position_size=6, memory_length=3
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 7, 6)).astype(np.float32)
    age = np.array([[0, 1, 2, 3, 4, 0, 1]], np.int32)
    transformed = hk.without_apply_rng(
      hk.transform(
        lambda x, age: transformer_xl.RelativeAttention(config, "f").unroll(
          x, age, None
        )[0]
      )
    )
    params = jax.jit(transformed.init)(jax.random.PRNGKey(0), x, age)
    params = jax.tree_util.tree_map(
      lambda p: rng.normal(size=p.shape).astype(np.float32), params
    )
    p = {
      f"{module.split('/')[-1]}.{name}": value.astype(np.float64)
      for module, leaves in params.items()
      for name, value in leaves.items()
    }
    q, k, v = np.split(x[0].astype(np.float64) @ p["qkv.w"], 3, axis=-1)
    r = transformer_xl.sinusoids(7, 6).astype(np.float64) @ p["relative.w"]
    expected = np.zeros((7, 6))
    for i in range(7):
      mixed = []
      for h in range(2):
        of_head = slice(3 * h, 3 * h + 3)
        u, w = p["f.content_bias"][h], p["f.position_bias"][h]
        seen = range(i - min(age[0, i], 3), i + 1)
        scores = np.array(
          [
            (q[i, of_head] + u) @ k[j, of_head]
            + (q[i, of_head] + w) @ r[i - j, of_head]
            for j in seen
          ]
        )
        weights = np.exp(scores / np.sqrt(3))
        weights /= weights.sum()
        mixed.append(weights @ v[seen, of_head])
      expected[i] = np.concatenate(mixed) @ p["out.w"]
    actual = jax.jit(transformed.apply)(params, x, age)
    np.testing.assert_allclose(actual[0], expected, rtol=1e-4, atol=1e-4)


class ShiftTest(absltest.TestCase):
  def test_puts_distances_where_they_belong(self):
    # Two steps after one cached position; 10 t + n is step t at distance n.
    scores = jnp.array([[2, 1, 0], [12, 11, 10]])
    shifted = transformer_xl.shift(scores)
    np.testing.assert_array_equal(shifted[0, :2], [1, 0])
    np.testing.assert_array_equal(shifted[1], [12, 11, 10])

  def test_many_steps(self):
    length, num_past = 4, 3
    num_positions = length + num_past
    distances = np.arange(num_positions)[::-1]
    scores = jnp.tile(distances, (2, length, 1))
    shifted = transformer_xl.shift(scores)
    for t in range(length):
      expected = num_past + t - np.arange(num_past + t + 1)
      np.testing.assert_array_equal(shifted[1, t, : expected.size], expected)


class SinusoidsTest(absltest.TestCase):
  def test_values(self):
    codes = transformer_xl.sinusoids(3, 4)
    np.testing.assert_allclose(codes[0], [0, 0, 1, 1])
    np.testing.assert_allclose(
      codes[2],
      [np.sin(2), np.sin(0.02), np.cos(2), np.cos(0.02)],
      rtol=1e-6,
    )


if __name__ == "__main__":
  absltest.main()
