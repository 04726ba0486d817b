import haiku as hk
import jax
import numpy as np
from absl.testing import absltest

from adaland.agent import layers


def _apply(function, *args):
  transformed = hk.transform(function)

  @jax.jit
  def init_and_apply(rng_key, *args):
    params = transformed.init(rng_key, *args)
    return params, transformed.apply(params, None, *args)

  results = init_and_apply(jax.random.PRNGKey(0), *args)
  return jax.tree_util.tree_map(np.asarray, results)


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

  def test_norms_with_any_scale_and_offset(self):
    rng = np.random.default_rng(1)
    scale, offset = rng.normal(size=(2, 5)).astype(np.float32)
    x = 3 * self._x.astype(np.float64) + 1
    centred = x - x.mean(axis=-1, keepdims=True)
    for make, params, expected in (
      (
        lambda: layers.LayerNorm(name="f"),
        {"scale": scale, "offset": offset},
        centred / x.std(axis=-1, keepdims=True) * scale + offset,
      ),
      (
        lambda: layers.RMSNorm("f", 0.5),
        {"scale": scale},
        x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True)) * scale,
      ),
    ):
      norm = hk.transform(lambda x, make=make: make()(x))
      y = jax.jit(norm.apply)({"f": params}, None, x.astype(np.float32))
      np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    params, _ = _apply(lambda x: layers.RMSNorm("f", 0.5)(x), self._x)
    np.testing.assert_array_equal(params["f"]["scale"], np.full(5, 0.5))

  def test_mlp_has_a_relu_after_every_layer(self):
    params, y = _apply(lambda x: layers.mlp((4, 3), "f")(x), self._x)
    expected = self._x
    for i in range(2):
      layer = params[f"f_{i}"]
      expected = np.maximum(expected @ layer["w"] + layer["b"], 0)
    np.testing.assert_allclose(y, expected, atol=1e-5)

  def test_initial_weights_have_the_scale_asked_for(self):
    x = np.zeros((1, 100), np.float32)
    params, _ = _apply(lambda x: layers.output_projection(80, 0.25)(x), x)
    # A variance of 0.25 / 100; that of 8000 weights is known to 2 %.
    self.assertAlmostEqual(params["out"]["w"].std(), 0.05, delta=0.002)
    params, _ = _apply(
      lambda x: layers.linear_of_parts({"a": x[:, :36], "b": x}, 80, "f"), x
    )
    # The inputs are 136 numbers; what is truncated takes 12 % away.
    for part in ("f_a", "f_b"):
      self.assertAlmostEqual(
        params[part]["w"].std(), 0.88 / np.sqrt(136), delta=0.004
      )

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
