"""Tests of adaland.agent.privileged.config."""

from absl.testing import absltest, parameterized

from adaland.agent.privileged.config import PrivilegedConfig


class PrivilegedConfigTest(parameterized.TestCase):
  def test_nothing_is_used_unless_asked_for(self):
    config = PrivilegedConfig()
    self.assertFalse(config.needs_rules)
    self.assertFalse(config.needs_teacher)

  @parameterized.parameters(
    ("belief_weight", True, False),
    ("critic_weight", True, False),
    ("distillation_weight", False, True),
  )
  def test_each_loss_says_what_it_reads(self, name, rules, teacher):
    config = PrivilegedConfig(**{name: 0.5})
    self.assertEqual(config.needs_rules, rules)
    self.assertEqual(config.needs_teacher, teacher)

  @parameterized.parameters(
    ("belief_weight", -1.0),
    ("critic_weight", float("nan")),
    ("distillation_weight", -0.1),
    ("distillation_share", 0.0),
    ("distillation_share", 1.5),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, name):
      PrivilegedConfig(**{name: value})


if __name__ == "__main__":
  absltest.main()
