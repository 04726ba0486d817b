"""Tests of adaland.agent.learner_config."""

from absl.testing import absltest, parameterized

from adaland.agent import learner_config


class MuesliConfigTest(parameterized.TestCase):
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
      learner_config.MuesliConfig(**{name: value})


class LearnerConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("learning_rate", 0.0),
    ("update_clip", -1.0),
    ("adam_b1", 1.0),
    ("target_rate", 0.0),
    ("weight_decay", -0.1),
    ("final_rate", 1.5),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, f"{name}={value}"):
      learner_config.LearnerConfig(**{name: value})


if __name__ == "__main__":
  absltest.main()
