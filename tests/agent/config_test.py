import dataclasses

import jax
from absl.testing import absltest, parameterized

from adaland.agent.config import PAPER_SIZES, NetworkConfig, paper_config
from adaland.agent.network.network import make_network
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


class NetworkConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("memory", "lstm"),
    ("compute_dtype", "float16"),
    ("d_model", 0),
    ("position_size", 15),
    ("num_layers", 1.5),
    ("memory_length", -1),
    ("goal_sizes", ()),
    ("action_sizes", (3, 0)),
    ("rules_sizes", [8]),
    ("entity_type_offset", 0),
    ("attention_sinks", -1),
    ("local_length", 0),
    ("skip_every", 0),
  )
  def test_refuses(self, field, value):
    with self.assertRaisesRegex(ValueError, field):
      NetworkConfig(**{field: value})

  @parameterized.parameters(
    ({"memory": "griffin", "key_heads": 3}, r"divide num_heads \(4\), got 3"),
    ({"memory": "local_global", "local_length": 200}, r"memory_length \(180\)"),
    ({"memory": "skip", "num_layers": 1}, "num_layers must be at least 2"),
    ({"memory": "gru", "attention_sinks": 4}, "attention_sinks must be 0"),
  )
  def test_refuses_what_a_memory_can_not_have(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      NetworkConfig(**fields)

  def test_sizes_of_another_memory_may_be_anything(self):
    NetworkConfig(memory="gru", key_heads=3, local_length=500)
    NetworkConfig(memory="griffin", local_length=500)

  def test_allows_an_encoder_without_hidden_layers(self):
    NetworkConfig(encoder_hidden=())


class PaperConfigTest(parameterized.TestCase):
  @parameterized.parameters(*_TOTALS.items())
  def test_number_of_parameters(self, size, total):
    config = paper_config(size)
    spec = observations.spec(num_rules=16, pixels=(72, 96))
    network = make_network(config, spec)
    shapes = jax.eval_shape(network.init, jax.random.PRNGKey(0))
    count = sum(leaf.size for leaf in jax.tree_util.tree_leaves(shapes))
    self.assertAlmostEqual(count / (total * 1e6), 1, delta=0.02)
    # The nominal size leaves out gates and the projection of distances.
    nominal = 12 * config.num_layers * config.d_model**2 / 1e6
    self.assertAlmostEqual(nominal, int(size[:-1]), delta=0.9)
    self.assertEqual(config.num_heads * config.key_size, config.d_model)

  def test_every_paper_size_is_tested(self):
    self.assertEqual(set(PAPER_SIZES), set(_TOTALS))

  def test_refuses_other_sizes(self):
    with self.assertRaisesRegex(ValueError, "size must be one of"):
      paper_config("7m")

  def test_sizes_can_be_changed(self):
    config = dataclasses.replace(paper_config("6m"), d_model=300)
    self.assertEqual(config.d_model, 300)


if __name__ == "__main__":
  absltest.main()
