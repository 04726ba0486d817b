"""Tests that fused attention equals attention without a kernel."""

from unittest import mock

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import fused, transformer_xl


class FusedTest(parameterized.TestCase):
  """Tests of the fused form, run by XLA's attention, against the plain form."""

  @parameterized.parameters(False, True)
  def test_equals_the_plain_form(self, cached):
    config = NetworkConfig(
      d_model=6, num_heads=2, key_size=3, position_size=8, memory_length=5
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 9, 6)).astype(np.float32)
    # An episode begins in the middle of the first row.
    age = np.stack([np.r_[3:7, 0:5], np.r_[0:9]]).astype(np.int32)
    state = None
    if cached:
      state = {
        name: rng.normal(size=(2, 2, 6, 3)).astype(np.float32)
        for name in ("keys", "values")
      }
    weights = rng.normal(size=(2, 9, 6)).astype(np.float32)

    def total(params, x):
      mixed, new_state = transformed.apply(params, x)
      return jnp.sum(mixed * weights), (mixed, new_state)

    transformed = hk.without_apply_rng(
      hk.transform(
        lambda x: transformer_xl.RelativeAttention(config, "f").unroll(
          x, age, state
        )
      )
    )
    params = jax.eval_shape(transformed.init, jax.random.PRNGKey(0), x)
    params = jax.tree_util.tree_map(
      lambda p: rng.normal(size=p.shape).astype(np.float32), params
    )
    results = []
    for kernel in (None, "xla"):
      with mock.patch.object(fused, "kernel", return_value=kernel):
        gradient = jax.jit(jax.grad(total, argnums=(0, 1), has_aux=True))
        results.append(gradient(params, x))
    chex.assert_trees_all_close(*results, rtol=1e-4, atol=1e-4)

  def test_there_is_no_kernel_without_an_accelerator(self):
    if jax.default_backend() != "cpu":
      self.skipTest("there is an accelerator")
    self.assertIsNone(fused.kernel(64, "bfloat16"))

  def test_a_kernel_that_can_not_be_is_told(self):
    with (
      mock.patch.object(jax, "default_backend", return_value="gpu"),
      self.assertLogs(level="WARNING") as logs,
    ):
      self.assertIsNone(fused.kernel(72, "bfloat16"))
    self.assertRegex(logs.output[0], "no fused attention for heads of 72")


if __name__ == "__main__":
  absltest.main()
