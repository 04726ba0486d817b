"""Tests of adaland.envs.sampling.config."""

import dataclasses
from typing import Any

from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.sampling.config import SamplerConfig


class SamplerConfigTest(parameterized.TestCase):
  def test_defaults_are_the_paper_s(self):
    config = SamplerConfig()
    self.assertEqual(config.tiles, (8, 15))
    self.assertEqual(config.chain_rules, (1, 4))
    self.assertEqual(config.dead_ends, (0, 2))
    self.assertEqual(config.two_player_probability, 0)
    self.assertEqual(config.freezing_probability, 0.5)
    self.assertEqual(config.trials, (1, 6))
    self.assertEqual(config.trial_seconds, (10, 40))
    self.assertEqual(config.goal_predicates, constants.PREDICATES)

  @parameterized.parameters(
    ("split", "tset", "split is 'tset', allowed: train, test"),
    ("hide", "all", "hide is 'all', allowed: uniform, rules, none"),
    ("tiles", (3, 8), "tiles is .3, 8., allowed: .* from 4 to 20"),
    ("tiles", (8, 21), "tiles is .8, 21.,"),
    ("tiles", (9, 8), "tiles is .9, 8.,"),
    ("tiles", (8,), "tiles is .8,.,"),
    ("tiles", (8.5, 10), "tiles is .8.5, 10., .*, whole numbers from 4 to 20"),
    ("tiles", (True, 8), "tiles is .True, 8.,"),
    ("tiles", 8, "tiles is 8, allowed: .first, last., whole numbers from 4"),
    ("tiles", "89", "tiles is '89', allowed: .first, last.,"),
    ("levels", (0, 1), "levels is .0, 1., allowed: .* from 1 to 4"),
    ("walls", (0, 9), "walls .* from 0 to 8"),
    ("diagonals", (0, 9), "diagonals .* from 0 to 8"),
    ("num_games", 2**62 + 1, "num_games is 4611686018427387905"),
    ("rule_negation_probability", 2, "rule_negation_probability is 2"),
    ("two_player_probability", 2, "two_player_probability is 2"),
    ("freezing_probability", 2, "freezing_probability is 2"),
    ("frozen_probability", 2, "frozen_probability is 2"),
    ("chain_rules", (0, 6), "chain_rules .* from 0 to 5"),
    ("dead_ends", (-1, 0), "dead_ends .* from 0 to 11"),
    ("distractors", (0, 25), "distractors .* from 0 to 24"),
    ("trials", (0, 2), "trials .* from 1 to 48"),
    ("trial_seconds", (1, 10), "trial_seconds .*, numbers from 2 to 40"),
    ("trial_seconds", (2, None), "trial_seconds is .2, None., allowed"),
    ("num_worlds", 0, "num_worlds is 0, allowed: 1 to 4194304"),
    ("num_worlds", 2**22 + 1, "num_worlds is 4194305"),
    ("num_games", 0, "num_games is 0"),
    ("max_objects", 9.5, "max_objects is 9.5, allowed: a whole number"),
    ("max_objects", 25, "max_objects is 25, allowed: 1 to 24"),
    ("goal_predicates", (), "goal_predicates is .., allowed: some of touch"),
    ("rule_predicates", ("at",), "rule_predicates is .'at',., allowed"),
    ("rule_predicates", None, "rule_predicates is None, allowed: some of"),
    ("rule_predicates", "near", "rule_predicates is 'near', allowed: some of"),
    ("negation_probability", 1.1, "negation_probability is 1.1, .* 0 to 1"),
    ("negation_probability", "0.5", "negation_probability is .*0.5.*a number"),
    ("free_goals", "no", "free_goals is .*no.*, allowed: True or False"),
    ("player_in_goal_probability", -0.1, "player_in_goal_probability is -0.1"),
    ("player_in_rule_probability", float("nan"), "rule_probability is nan"),
  )
  def test_refuses(self, field, value, message):
    with self.assertRaisesRegex(ValueError, message):
      SamplerConfig(**{field: value})

  @parameterized.parameters(
    ("tiles", (20, 20)),
    ("levels", (4, 4)),
    ("walls", (0, 0)),
    ("diagonals", (0, 8)),
    ("num_games", 2**62),
    ("chain_rules", (5, 5)),
    ("trial_seconds", (2, 40)),
    ("trial_seconds", (2.5, 7.5)),
    ("num_worlds", 2**22),
    ("negation_probability", 1),
  )
  def test_takes_the_bounds_themselves(self, field, value):
    config = SamplerConfig(**{field: value})
    self.assertEqual(getattr(config, field), value)

  def test_lists_are_as_good_as_tuples(self):
    listed: dict[str, Any] = {"tiles": [8, 10], "goal_predicates": ["near"]}
    config = SamplerConfig(**listed)
    self.assertEqual(
      config, SamplerConfig(tiles=(8, 10), goal_predicates=("near",))
    )
    hash(config)  # Tasks are cached by their config.

  def test_objects_fill_at_most_half_of_the_smallest_room(self):
    small = SamplerConfig(tiles=(5, 9), max_objects=12)
    with self.assertRaisesRegex(ValueError, "max_objects is 13, .* most 12"):
      dataclasses.replace(small, max_objects=13)

  def test_the_second_player_needs_room_too(self):
    crowded = SamplerConfig(tiles=(4, 4), max_objects=8)
    message = "max_objects is 8, allowed: at most 7 .* 4 x 4 tiles, and 2 play"
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(crowded, two_player_probability=0.1)
    dataclasses.replace(crowded, two_player_probability=0.1, max_objects=7)
    # Larger rooms have enough of it.
    for side, most in ((5, 12), (6, 18), (7, 24)):
      SamplerConfig(
        tiles=(side, side), max_objects=most, two_player_probability=1
      )

  def test_chain_and_dead_ends_fit_the_arrays(self):
    config = SamplerConfig(chain_rules=(5, 5), dead_ends=(11, 11))
    self.assertEqual(
      config.chain_rules[1] + config.dead_ends[1], constants.MAX_RULES
    )


if __name__ == "__main__":
  absltest.main()
