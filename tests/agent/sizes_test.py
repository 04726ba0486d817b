"""Tests of adaland.agent.sizes."""

import dataclasses

import jax
from absl.testing import absltest, parameterized

from adaland.agent.config import MEMORIES, NetworkConfig
from adaland.agent.network.network import make_network
from adaland.agent.sizes import PAPER_SIZES, paper_config, small_config
from tests.agent import observations

# The table of AdA (arXiv 2301.07608): total parameters in millions.
_TOTALS = {
  "6m": 41,
  "23m": 76,
  "42m": 112,
  "57m": 141,
  "75m": 175,
  "169m": 353,
  "265m": 533,
}


class PaperConfigTest(parameterized.TestCase):
  @parameterized.parameters(*_TOTALS.items())
  def test_number_of_parameters(self, size, total):
    config = paper_config(size)
    spec = observations.spec(num_rules=16, pixels=(72, 96))
    network = make_network(config, spec)
    shapes = jax.eval_shape(network.init, jax.random.PRNGKey(0))
    count = sum(leaf.size for leaf in jax.tree_util.tree_leaves(shapes))
    self.assertAlmostEqual(count / (total * 1e6), 1, delta=0.02)
    # The nominal size excludes gates and the projection of distances.
    nominal = 12 * config.num_layers * config.d_model**2 / 1e6
    self.assertAlmostEqual(nominal, int(size[:-1]), delta=0.9)
    self.assertEqual(config.num_heads * config.key_size, config.d_model)

  def test_every_paper_size_is_tested(self):
    self.assertEqual(set(PAPER_SIZES), set(_TOTALS))

  def test_refuses_other_sizes(self):
    with self.assertRaisesRegex(ValueError, "size is '.*', allowed: "):
      paper_config("7m")

  def test_sizes_can_be_changed(self):
    config = dataclasses.replace(paper_config("6m"), d_model=300)
    self.assertEqual(config.d_model, 300)


class SmallConfigTest(parameterized.TestCase):
  @parameterized.parameters(*MEMORIES)
  def test_a_small_network_of_every_memory(self, memory):
    config = dataclasses.replace(paper_config("6m"), memory=memory)
    small = small_config(config, width=16, num_layers=1)
    self.assertEqual((small.memory, small.d_model), (memory, 16))
    self.assertEqual(small.action_sizes, config.action_sizes)

  def test_it_is_small_whatever_it_reads(self):
    spec = observations.spec(num_rules=2, pixels=(18, 24))
    counts = []
    for config in (NetworkConfig(), small_config(NetworkConfig(), 16, 1)):
      init = make_network(config, spec).init
      shapes = jax.eval_shape(init, jax.random.PRNGKey(0))
      counts.append(sum(x.size for x in jax.tree_util.tree_leaves(shapes)))
    self.assertLess(counts[1], 0.2 * counts[0])


if __name__ == "__main__":
  absltest.main()
