"""Tests of adaland.envs.sampling.two_players; game_sampler_test has games."""

import numpy as np
from absl.testing import absltest

from adaland.envs.sampling import choices, two_players
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import literals


class ShareTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    rng = np.random.default_rng(0)
    self.choices = choices.Choices(SamplerConfig(), rng)

  def test_a_mention_of_player_1_becomes_one_of_player_2_half_of_the_time(self):
    goal = literals.parse_literal("not near(player1, black cube)")
    drawn = [str(two_players.share(self.choices, goal)) for _ in range(100)]
    other = "not near(player2, black cube)"
    self.assertEqual(set(drawn), {str(goal), other})
    self.assertAlmostEqual(drawn.count(other), 50, delta=20)

  def test_nothing_else_of_a_rule_changes(self):
    for text, other in (
      (
        "hold(player1, black cube) -> purple wall, black cube",
        "hold(player2, black cube) -> purple wall, black cube",
      ),
      ("near(black cube, purple wall) -> black cube", None),
    ):
      rule = literals.parse_rule(text)
      drawn = {
        str(two_players.share_rule(self.choices, rule)) for _ in range(20)
      }
      self.assertEqual(drawn, {text, other or text})


if __name__ == "__main__":
  absltest.main()
