"""Tests of adaland.launch.config.teaching."""

from absl.testing import absltest, parameterized

from adaland.launch.config.teaching import TeachingConfig


class TeachingConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ({}, "", "none", False),
    ({"teacher": "guide"}, "", "actions", True),
    ({"teacher": "agent: runs/one "}, "runs/one", "policy", True),
    ({"demonstrated": 0.1}, "", "none", True),
  )
  def test_who_plays_and_labels(self, settings, agent, labels, used):
    made = TeachingConfig(**settings)
    self.assertEqual(
      (made.agent, made.labels, made.used), (agent, labels, used)
    )

  def test_shares_may_add_up_to_all_episodes(self):
    made = TeachingConfig(teacher="expert", taught=0.75, demonstrated=0.25)
    self.assertEqual(made.taught, 0.75)

  @parameterized.parameters(
    ({"teacher": "x"}, "teacher"),
    ({"teacher": "agent:"}, "agent:NAME, agent:DIRECTORY"),
    ({"taught": 0.5}, "taught"),
    ({"demonstrated": 1.5}, "demonstrated"),
    ({"demonstrator": "tutor"}, "demonstrator is 'tutor', .* expert, guide"),
    (
      {"teacher": "expert", "taught": 0.7, "demonstrated": 0.4},
      r"taught \+ demonstrated is 1.1, allowed: at most 1",
    ),
    ({"teacher": "expert", "taught": 1.5}, "taught is 1.5, allowed: 0 to 1"),
    ({"demonstrated": -0.5}, "demonstrated is -0.5, allowed: 0 to 1"),
  )
  def test_bad_settings_are_named(self, settings, message):
    with self.assertRaisesRegex(ValueError, message):
      TeachingConfig(**settings)


if __name__ == "__main__":
  absltest.main()
