import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import initialization

_Init = hk.initializers
# Initialisers whose numbers are drawn at once, and some that draw their own.
_TOGETHER = {
  "truncated": _Init.TruncatedNormal(0.3),
  "scaled": _Init.VarianceScaling(2.0),
}
_ALONE = {
  "shifted": _Init.TruncatedNormal(0.3, mean=1.0),
  "cut elsewhere": _Init.TruncatedNormal(0.3, lower=-1.0),
  "of outputs": _Init.VarianceScaling(2.0, "fan_out"),
  "of an average": _Init.VarianceScaling(2.0, "fan_avg"),
  "of some axes": _Init.VarianceScaling(2.0, fan_in_axes=[0]),
  "uniform": _Init.VarianceScaling(2.0, distribution="uniform"),
  "normal": _Init.RandomNormal(0.3),
}
_CONSTANT = {"ones": jnp.ones, "zeros": jnp.zeros, "five": _Init.Constant(5)}


class _Module(hk.Module):
  def __init__(self, name, **parameters):
    super().__init__(name=name)
    self._parameters = parameters

  def __call__(self, shape, dtype=jnp.float32):
    for name, init in self._parameters.items():
      hk.get_parameter(name, shape, dtype, init)


def _both(function, *args):
  """Returns Haiku's parameters and those drawn at once."""
  init = hk.transform(function).init
  key = jax.random.PRNGKey(0)
  return init(key, *args), initialization.initial_params(init, key, *args)


class InitializationTest(parameterized.TestCase):
  @parameterized.named_parameters(
    (name, name, init) for name, init in (_TOGETHER | _ALONE).items()
  )
  def test_numbers_are_distributed_as_haikus(self, name, init):
    del name
    want, got = _both(lambda: _Module("a", w=init)((3, 40, 100)))
    want, got = (np.sort(np.ravel(x["a"]["w"])) for x in (want, got))
    self.assertEqual(got.dtype, want.dtype)
    np.testing.assert_allclose(got.std(), want.std(), rtol=0.02)
    self.assertLess(np.abs(got - want).mean(), 0.03 * want.std())
    self.assertGreater(len(np.unique(got)), 10_000)

  def test_names_shapes_dtypes_and_constants_are_haikus(self):
    def function(x):
      _Module("first", **_TOGETHER, **_CONSTANT)((3, 2), jnp.bfloat16)
      _Module("second", **_CONSTANT, **_ALONE)((3, 2, 5))
      return hk.nets.MLP([4, 5])(x)

    want, got = _both(function, jnp.ones([1, 7]))
    self.assertEqual(
      jax.tree.map(lambda x: (x.shape, x.dtype), got),
      jax.tree.map(lambda x: (x.shape, x.dtype), want),
    )
    for module in ("first", "second"):
      for name in _CONSTANT:
        np.testing.assert_array_equal(got[module][name], want[module][name])

  def test_a_vector_and_a_scalar(self):
    init = _Init.TruncatedNormal(0.5)
    scaled = _Init.VarianceScaling()

    def function():
      _Module("scalar", w=init)(())
      _Module("vector", w=scaled)((1000,))
      _Module("empty", w=init)((0, 3))

    want, got = _both(function)
    self.assertEqual(got["scalar"]["w"].shape, ())
    self.assertNotEqual(float(got["scalar"]["w"]), 0.0)
    self.assertEqual(got["empty"]["w"].shape, (0, 3))
    np.testing.assert_allclose(
      got["vector"]["w"].std(), want["vector"]["w"].std(), rtol=0.1
    )

  def test_a_value_that_depends_on_the_inputs_is_refused(self):
    init = hk.transform(
      lambda x: _Module("a", w=lambda shape, dtype: x.mean() * jnp.ones(shape))(
        (2, 3)
      )
    ).init
    with self.assertRaisesRegex(ValueError, "parameter a/w depends on the mod"):
      initialization.initial_params(init, jax.random.PRNGKey(0), jnp.ones(4))

  def test_each_parameter_and_key_has_numbers_of_its_own(self):
    inits = _TOGETHER | {"other": _Init.TruncatedNormal(0.3)}
    inits |= {"normal": _Init.RandomNormal(), "more": _Init.RandomNormal()}
    init = hk.transform(lambda: _Module("a", **inits)((30,) * 2)).init
    found = []
    for seed in (0, 1):
      key = jax.random.PRNGKey(seed)
      params = initialization.initial_params(init, key)
      again = initialization.initial_params(init, key)
      jax.tree.map(np.testing.assert_array_equal, params, again)
      found += [np.ravel(x) for x in params["a"].values()]
    correlations = np.corrcoef(found) - np.eye(len(found))
    self.assertLess(np.abs(correlations).max(), 0.2)


if __name__ == "__main__":
  absltest.main()
