import haiku as hk
import jax
import numpy as np
from absl.testing import absltest

from adaland.agent import layers


def _apply(function, *args):
  transformed = hk.transform(function)
  params = transformed.init(jax.random.PRNGKey(0), *args)
  y = transformed.apply(params, None, *args)
  return jax.tree_util.tree_map(np.asarray, (params, y))


class LayersTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    rng = np.random.default_rng(0)
    self._x = rng.normal(size=(2, 3, 5)).astype(np.float32)

  def test_linear_maps_the_last_axis(self):
    params, y = _apply(lambda x: layers.Linear(4, name="f")(x), self._x)
    expected = self._x @ params["f"]["w"] + params["f"]["b"]
    np.testing.assert_allclose(y, expected, atol=1e-5)

  def test_linear_of_parts_is_one_linear_map(self):
    params, y = _apply(
      lambda x: layers.linear_of_parts({"a": x[..., :2], "b": x}, 4, "f"),
      self._x,
    )
    weights = np.concatenate([params["f_a"]["w"], params["f_b"]["w"]])
    inputs = np.concatenate([self._x[..., :2], self._x], axis=-1)
    expected = inputs @ weights + params["f_a"]["b"]
    np.testing.assert_allclose(y, expected, atol=1e-5)
    self.assertNotIn("b", params["f_b"])

  def test_layer_norm(self):
    _, y = _apply(lambda x: layers.LayerNorm(name="f")(x), self._x * 3 + 1)
    np.testing.assert_allclose(np.mean(y, axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(np.std(y, axis=-1), 1, atol=1e-3)

  def test_gated_mlp(self):
    params, y = _apply(lambda x: layers.GatedMLP(6, 1.0, "f")(x), self._x)
    gate, value = np.split(self._x @ params["f/in"]["w"], 2, axis=-1)
    # GELU in the tanh form.
    inner = np.sqrt(2 / np.pi) * (gate + 0.044715 * gate**3)
    gelu = 0.5 * gate * (1 + np.tanh(inner))
    expected = (gelu * value) @ params["f/out"]["w"]
    np.testing.assert_allclose(y, expected, atol=1e-5)
    self.assertEqual(sum(v["w"].size for v in params.values()), 3 * 5 * 6)


if __name__ == "__main__":
  absltest.main()
