from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig, PatchesConfig


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
    ("d_model", "64"),
    ("d_model", 100_001),
    ("d_model", True),
    ("belief", 1),
    ("patches", {"size": 8}),
    ("num_bins", 1),
    ("entity_shape_ids", (1, 2)),
  )
  def test_refuses(self, field, value):
    with self.assertRaisesRegex(ValueError, f"{field} is .*, allowed: "):
      NetworkConfig(**{field: value})

  @parameterized.parameters(
    (
      {"memory": "griffin", "key_heads": 3},
      r"3, allowed: divisors of num_heads \(4\)",
    ),
    ({"memory": "local_global", "local_length": 200}, r"memory_length \(180\)"),
    (
      {"memory": "skip", "num_layers": 1},
      "num_layers is 1, allowed: at least 2",
    ),
    (
      {"memory": "gru", "attention_sinks": 4},
      "attention_sinks is 4, allowed: 0 with",
    ),
  )
  def test_refuses_what_a_memory_can_not_have(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      NetworkConfig(**fields)

  def test_sizes_of_another_memory_may_be_anything(self):
    NetworkConfig(memory="gru", key_heads=3, local_length=500)
    NetworkConfig(memory="griffin", local_length=500)

  def test_allows_an_encoder_without_hidden_layers(self):
    NetworkConfig(encoder_hidden=())


class PatchesConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"size": 5}, "patches.size is 5, allowed: even numbers"),
    ({"window": -1}, "patches.window is -1, allowed: an integer"),
    ({"dropped": 0.8}, "patches.dropped is 0.8, allowed: 0 to 0.75"),
    ({"num_heads": 3}, r"patches.num_heads is 3, allowed: .* \(64\)"),
  )
  def test_bad_values_are_named(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      PatchesConfig(**fields)

  @parameterized.parameters(
    (10, 0, 40, 64, "size is 10, .* the picture's width, 64 .* of which 4"),
    (12, 0, 64, 48, "size is 12, .* the picture's height, 64 .* of which 4"),
    (8, 6, 40, 64, "window is 6, allowed: at most 5"),
  )
  def test_what_does_not_fit_a_picture_is_refused_with_the_reason(
    self, size, window, height, width, message
  ):
    config = PatchesConfig(size=size, window=window)
    with self.assertRaisesRegex(ValueError, message):
      config.check_picture(height, width)

  def test_an_unknown_encoder_is_told_what_is_allowed(self):
    with self.assertRaisesRegex(
      ValueError, "vision is 'vit', allowed: torso, "
    ):
      NetworkConfig(vision="vit")


if __name__ == "__main__":
  absltest.main()
