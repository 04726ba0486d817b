"""Tests of adaland.envs.sampling.dead_ends; game_sampler_test has games."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs.sampling import chains, choices, config, dead_ends

_CONFIG = config.SamplerConfig(
  dead_ends=(1, 3),
  distractors=(1, 4),
  player_in_rule_probability=0.4,
  max_objects=9,
)


def draw(seed, settings=_CONFIG):
  """Returns a chain with the dead ends around it."""
  rng = np.random.default_rng(seed)
  while True:
    source = choices.Choices(settings, rng)
    try:
      chain = chains.Chain(source)
      return chain, dead_ends.DeadEnds(source, chain)
    except choices.NoGameError:
      continue


class DeadEndsTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.drawn = [draw(seed) for seed in range(300)]

  def test_none_supplies_another_or_the_solution(self):
    numbers = set()
    for chain, ends in self.drawn:
      consumed = {x for rule in ends.rules for x in rule.condition.object_types}
      made = {x for rule in ends.rules for x in rule.spawns}
      self.assertEmpty(made & (consumed | set(chain.needed)))
      numbers |= {len(rule.spawns) for rule in ends.rules}
    self.assertEqual(numbers, {0, 1, 2})

  def test_each_can_be_avoided(self):
    for chain, ends in self.drawn:
      others = [rule.condition for rule in (*chain.rules, *chain.others)]
      together = [set(x.object_types) for x in (chain.goal, *others)]
      together += [set(rule.spawns) for rule in chain.rules]
      for condition in (rule.condition for rule in ends.rules):
        kinds = condition.object_types
        if len(kinds) == 2:
          self.assertLen(set(kinds), 2)
          self.assertFalse(any(set(kinds) <= pair for pair in together))
        elif not set(kinds) <= set(ends.objects):
          # The solution walks up to it, but does not lift it.
          self.assertEqual(condition.means, "hold")

  def test_a_negated_one_parts_two_distractors(self):
    count = 0
    for chain, ends in self.drawn:
      for condition in (rule.condition for rule in ends.rules):
        if condition.negated:
          count += 1
          self.assertEqual(condition.means, "near")
          self.assertContainsSubset(condition.object_types, ends.objects)
          self.assertNoCommonElements(condition.object_types, chain.objects)
    self.assertGreater(count, 0)

  def test_none_reaches_a_negated_goal(self):
    settings = dataclasses.replace(
      _CONFIG, negation_probability=1.0, player_in_goal_probability=0.5
    )
    for seed in range(150):
      chain, ends = draw(seed, settings)
      for rule in ends.rules:
        self.assertNoCommonElements(
          rule.condition.object_types, chain.goal.object_types
        )

  def test_distractors_are_as_many_as_asked_for_and_fit(self):
    counts = set()
    for chain, ends in self.drawn:
      counts.add(len(ends.objects))
      self.assertLessEqual(len(chain.objects) + len(ends.objects), 9)
      self.assertNoCommonElements(ends.objects, chain.objects)
    self.assertEqual(counts, {1, 2, 3, 4})


if __name__ == "__main__":
  absltest.main()
