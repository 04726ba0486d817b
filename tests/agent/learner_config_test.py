"""Tests of adaland.agent.learner_config."""

import re
from typing import Any

from absl.testing import absltest, parameterized

from adaland.agent import learner_config


def _refusal(name, value):
  """Returns the pattern of the error that names a field and its value."""
  return re.escape(f"{name} is {value}, allowed: ")


class MuesliConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("num_samples", 0),
    ("num_samples", 100_001),
    ("model_steps", 0),
    ("variance_epsilon", 1e-320),
    ("gamma", 1.1),
    ("retrace_lambda", -0.1),
    ("advantage_clip", 0.0),
    ("variance_decay", 1.0),
    ("value_range", float("nan")),
    ("reward_weight", -1.0),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, _refusal(name, value)):
      learner_config.MuesliConfig(**{name: value})

  def test_the_prior_s_weights_have_a_bound(self):
    message = r"\(behaviour_prior, uniform_prior\) is \(0.03, 0.99\), allowed: "
    with self.assertRaisesRegex(ValueError, message):
      learner_config.MuesliConfig(uniform_prior=0.99)

  @parameterized.parameters(
    ("returns", "td", "retrace"),
    ("cmpo", "full", "exact"),
  )
  def test_unknown_switches_are_told_what_is_allowed(self, name, value, one):
    with self.assertRaisesRegex(
      ValueError, f"{name} is '{value}', allowed: .*{one}"
    ):
      learner_config.MuesliConfig(**{name: value})

  @parameterized.parameters(
    {"cmpo": "none"}, {"returns": "vtrace"}, {"cmpo": "exact"}
  )
  def test_without_a_model_there_are_no_q_values(self, **switches):
    with self.assertRaisesRegex(ValueError, "model=False"):
      learner_config.MuesliConfig(model=False, **switches)

  def test_q_values_are_computed_where_they_are_read(self):
    for returns, cmpo, looks in (
      ("retrace", "none", True),
      ("vtrace", "sampled", True),
      ("vtrace", "none", False),
    ):
      config = learner_config.MuesliConfig(returns=returns, cmpo=cmpo)
      self.assertEqual(config.looks_ahead, looks)


class ActorCriticConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("trace_lambda", 1.1),
    ("ratio_clip", 0.0),
    ("entropy_weight", -1.0),
    ("value_weight", 1e308),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, _refusal(name, value)):
      learner_config.ActorCriticConfig(**{name: value})


class ProxyConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("share", 0.0),
    ("share", 1.5),
    ("width", 0),
    ("width", 6),
    ("width", 100_004),
    ("num_layers", 0),
    ("num_layers", 100_001),
    ("noise", -0.1),
    ("noise", 1e308),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(
      ValueError, "^" + _refusal(f"proxy.{name}", value)
    ):
      learner_config.ProxyConfig(**{name: value})


class LearnerConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("learning_rate", 0.0),
    ("learning_rate", 1e308),
    ("update_clip", -1.0),
    ("adam_b1", 1.0),
    ("target_rate", 0.0),
    ("weight_decay", -0.1),
    ("final_rate", 1.5),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, _refusal(name, value)):
      learner_config.LearnerConfig(**{name: value})

  def test_an_unknown_algorithm_is_told_what_is_allowed(self):
    with self.assertRaisesRegex(
      ValueError, "algorithm is 'dqn', allowed: muesli, ppo, "
    ):
      learner_config.LearnerConfig(algorithm="dqn")

  def test_an_actor_critic_has_one_baseline(self):
    with self.assertRaisesRegex(ValueError, "critic_weight is 1.0, allowed: 0"):
      learner_config.LearnerConfig(
        algorithm="ppo",
        privileged=learner_config.PrivilegedConfig(critic_weight=1.0),
      )

  @parameterized.parameters(
    ({"algorithm": "ppo"}, {}, "algorithm is 'ppo', allowed: 'muesli'"),
    (
      {"proxy": learner_config.ProxyConfig(share=0.5)},
      {},
      "proxy.share is 0.5, allowed: 1",
    ),
    ({}, {"critic_weight": 1.0}, "privileged.critic_weight is 1.0, allowed: 0"),
  )
  def test_imitation_alone_refuses_what_it_leaves_unused(
    self, learner, privileged, message
  ):
    def make(alone):
      learner_config.LearnerConfig(
        **learner,
        privileged=learner_config.PrivilegedConfig(
          distillation_weight=1.0,
          distillation_alone=alone,
          distillation_share=1.0,
          **privileged,
        ),
      )

    make(0.5)
    message += " with privileged.distillation_alone=1"
    with self.assertRaisesRegex(ValueError, message):
      make(1.0)


class PrivilegedConfigTest(parameterized.TestCase):
  def test_nothing_is_used_unless_asked_for(self):
    config = learner_config.PrivilegedConfig()
    self.assertFalse(config.needs_rules)
    self.assertFalse(config.needs_teacher)

  @parameterized.parameters(
    ("belief_weight", True, False),
    ("critic_weight", True, False),
    ("distillation_weight", False, True),
  )
  def test_each_loss_says_what_it_reads(self, name, rules, teacher):
    weights: dict[str, Any] = {name: 0.5}
    config = learner_config.PrivilegedConfig(**weights)
    self.assertEqual(config.needs_rules, rules)
    self.assertEqual(config.needs_teacher, teacher)

  @parameterized.parameters(
    ("belief_weight", -1.0),
    ("belief_weight", 1e308),
    ("critic_weight", float("nan")),
    ("distillation_weight", -0.1),
    ("distillation_share", 0.0),
    ("distillation_share", 1.5),
    ("distillation_l2", -1e-5),
    # There is no distillation.
    ("distillation_l2", 1e-5),
    ("distillation_alone", 0.5),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(ValueError, _refusal(name, value)):
      learner_config.PrivilegedConfig(**{name: value})


if __name__ == "__main__":
  absltest.main()
