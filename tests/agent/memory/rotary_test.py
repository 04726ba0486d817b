"""Tests of rotary: the formulas in float64, step by step."""

import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import rotary

_CONFIG = NetworkConfig(
  memory="local_global",
  d_model=6,
  num_heads=4,
  key_heads=2,
  key_size=3,
  memory_length=4,
  local_length=2,
)

_rotate = jax.jit(rotary.rotate)


def _turned(x, age):
  """Turns one vector of 3 numbers: one pair, by `age` radians; 1 is left."""
  a, b, rest = x
  cos, sin = np.cos(age), np.sin(age)
  return np.array([a * cos - b * sin, b * cos + a * sin, rest])


def _reference(p, x, age, window, capped):
  """Attends one query and one head at a time."""
  query = (x @ p["query"]).reshape(-1, 4, 3)
  key, value = np.split(x @ p["key_value"], 2, axis=-1)
  key, value = key.reshape(-1, 2, 3), value.reshape(-1, 2, 3)
  out = []
  for i in range(len(x)):
    mixed = []
    for h in range(4):
      seen = range(i - min(age[i], window), i + 1)
      q = _turned(query[i, h], age[i])
      # Heads 0 and 1 share the first keys, 2 and 3 the second.
      logits = np.array(
        [q @ _turned(key[j, h // 2], age[j]) for j in seen]
      ) / np.sqrt(3)
      if capped:
        logits = 50 * np.tanh(logits / 50)
      weights = np.exp(logits - logits.max())
      weights /= weights.sum()
      mixed.append(weights @ value[seen, h // 2])
    out.append(np.concatenate(mixed) @ p["out"])
  return np.array(out)


class RotaryAttentionTest(parameterized.TestCase):
  @parameterized.parameters(
    (rotary.LocalAttention, 2, False),
    (rotary.CappedLocalAttention, 2, True),
    (rotary.CappedGlobalAttention, 4, True),
  )
  def test_equals_the_formula(self, attention, window, capped):
    rng = np.random.default_rng(0)
    # Large enough for the cap to show.
    x = 4 * rng.normal(size=(1, 8, 6)).astype(np.float32)
    age = np.array([[0, 1, 2, 3, 4, 5, 0, 1]], np.int32)
    transformed = hk.without_apply_rng(
      hk.transform(lambda x: attention(_CONFIG, "f").unroll(x, age, None)[0])
    )
    shapes = jax.eval_shape(transformed.init, jax.random.PRNGKey(0), x)
    params = jax.tree.map(
      lambda p: rng.normal(size=p.shape).astype(np.float32), shapes
    )
    p = {
      module.split("/")[-1]: leaves["w"].astype(np.float64)
      for module, leaves in params.items()
    }
    expected = _reference(p, x[0].astype(np.float64), age[0], window, capped)
    actual = np.asarray(jax.jit(transformed.apply)(params, x))
    np.testing.assert_allclose(actual[0], expected, rtol=1e-3, atol=1e-3)

  def test_state_is_as_long_as_the_window(self):
    shapes = {
      attention: jax.eval_shape(
        functools.partial(attention.initial_state, _CONFIG, 5)
      )["keys"].shape
      for attention in (rotary.LocalAttention, rotary.CappedGlobalAttention)
    }
    self.assertEqual(shapes[rotary.LocalAttention], (5, 2, 3, 3))
    self.assertEqual(shapes[rotary.CappedGlobalAttention], (5, 2, 5, 3))


class RotateTest(absltest.TestCase):
  def test_a_quarter_turn(self):
    x = np.array([[[1.0, 2.0, 3.0, 4.0]]], np.float32)
    # Two pairs: (1, 3) turns by the age, (2, 4) by a hundredth of it.
    turned = np.asarray(_rotate(x, np.array([2], np.int32)))[0, 0]
    expected = [
      np.cos(2) - 3 * np.sin(2),
      2 * np.cos(0.02) - 4 * np.sin(0.02),
      3 * np.cos(2) + np.sin(2),
      4 * np.cos(0.02) + 2 * np.sin(0.02),
    ]
    np.testing.assert_allclose(turned, expected, rtol=1e-6)

  def test_products_depend_on_the_distance_alone(self):
    rng = np.random.default_rng(1)
    q, k = rng.normal(size=(2, 1, 1, 8)).astype(np.float32)

    @jax.jit
    def product(age):
      return jnp.sum(rotary.rotate(q, age + 3) * rotary.rotate(k, age))

    products = [product(np.array([age], np.int32)) for age in (0, 7, 10_000)]
    np.testing.assert_allclose(products, products[0], atol=1e-2)


if __name__ == "__main__":
  absltest.main()
