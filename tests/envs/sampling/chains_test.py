"""Tests of adaland.envs.sampling.chains; game_sampler_test has games."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs.sampling import chains, choices
from adaland.envs.sampling.config import SamplerConfig


def draw(seed, **fields):
  """Returns a chain of a configuration with other fields."""
  config = dataclasses.replace(SamplerConfig(), **fields)
  rng = np.random.default_rng(seed)
  while True:
    try:
      return chains.Chain(choices.Choices(config, rng))
    except choices.NoGameError:
      continue


class ChainTest(absltest.TestCase):
  def test_without_rules_looking_reaches_no_goal_but_free_ones(self):
    for free in (False, True):
      drawn = [
        draw(seed, chain_rules=(0, 0), free_goals=free) for seed in range(60)
      ]
      goals = [chain.goal for chain in drawn]
      seen = {goal.negated for goal in goals if goal.predicate == "see"}
      self.assertEqual(seen, {True} if free else set())
      self.assertFalse(any(chain.rules or chain.others for chain in drawn))

  def test_other_ways_need_a_predicate_of_two_objects(self):
    others = 0
    for seed in range(20):
      held = draw(seed, chain_rules=(3, 3), rule_predicates=("hold",))
      self.assertEqual((len(held.rules), held.others), (3, []))
      near = draw(seed, chain_rules=(3, 3), rule_predicates=("hold", "near"))
      self.assertLen(near.rules + near.others, 3)
      others += len(near.others)
      for rule in near.others:
        self.assertEqual(rule.condition.predicate, "near")
    self.assertGreater(others, 0)


if __name__ == "__main__":
  absltest.main()
