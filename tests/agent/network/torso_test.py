import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.network import torso


def _torso():
  return hk.without_apply_rng(
    hk.transform(
      lambda x: torso.ResidualTorso((16, 32, 32), 256)(x, jnp.float32)
    )
  )


class ResidualTorsoTest(absltest.TestCase):
  def test_number_of_parameters_on_the_papers_pictures(self):
    pixels = jax.ShapeDtypeStruct((1, 72, 96, 3), jnp.uint8)
    init = _torso().init
    shapes = jax.eval_shape(init, jax.random.PRNGKey(0), pixels)
    count = sum(leaf.size for leaf in jax.tree_util.tree_leaves(shapes))
    sections = 0
    for inputs, outputs in ((3, 16), (16, 32), (32, 32)):
      sections += 9 * inputs * outputs + outputs
      # Four convolutions in two blocks, and a scalar per block.
      sections += 4 * (9 * outputs * outputs + outputs) + 2
    # Three halvings leave 9x12 with 32 channels.
    self.assertEqual(count, sections + 9 * 12 * 32 * 256 + 256)

  def test_residual_branches_start_closed(self):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    transformed = _torso()
    params = jax.jit(transformed.init)(jax.random.PRNGKey(0), pixels)
    changed = {
      module: {
        name: value + 1 if "residual" in module else value
        for name, value in leaves.items()
      }
      for module, leaves in params.items()
    }
    apply = jax.jit(transformed.apply)
    expected = apply(params, pixels)
    # Colours are scaled to [0, 1]: outputs are not hundreds.
    self.assertBetween(np.std(expected), 0.01, 1)
    np.testing.assert_array_equal(apply(changed, pixels), expected)
    opened = {
      module: {
        name: value + 1 if name.startswith("scale") else value
        for name, value in leaves.items()
      }
      for module, leaves in params.items()
    }
    difference = np.abs(apply(opened, pixels) - expected)
    self.assertGreater(difference.max(), 1e-3)


if __name__ == "__main__":
  absltest.main()
