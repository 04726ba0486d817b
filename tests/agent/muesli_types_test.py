"""Tests of agent.muesli_types."""

from absl.testing import absltest, parameterized

from agent import muesli_types


class ConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("num_samples", 0),
    ("model_steps", 0),
    ("gamma", 1.1),
    ("retrace_lambda", -0.1),
    ("advantage_clip", 0.0),
    ("variance_decay", 1.0),
    ("value_range", float("nan")),
    ("uniform_prior", 0.99),
    ("reward_weight", -1.0),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, f"{name}={value}"):
      muesli_types.MuesliConfig(**{name: value})


if __name__ == "__main__":
  absltest.main()
