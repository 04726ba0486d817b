"""Tests of adaland.envs.sampling.game_sampler."""

import dataclasses

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs.sampling import game_sampler
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks.literals import Player
from adaland.envs.tasks.task import Hiding

PAPER = SamplerConfig()
PLAYER = Player(1)
seeds = st.integers(0, 10**9)


def draw(seed, config=PAPER):
  rng = np.random.default_rng(seed)
  while True:
    game = game_sampler.draw_game(config, rng)
    if game is not None:
      return game


def possible_types(game):
  """Returns all object types that rules can produce."""
  known = set(game.objects)
  while True:
    more = {
      spawn
      for rule in game.rules
      if known.issuperset(rule.condition.object_types)
      for spawn in rule.spawns
    }
    if more <= known:
      return known
    known |= more


class DrawGameTest(absltest.TestCase):
  @settings(max_examples=200, deadline=None)
  @given(seed=seeds)
  def test_goal_can_be_reached_but_not_for_free(self, seed):
    game = draw(seed)
    goal = game.goal
    there = set(game.objects)
    if goal.negated:
      # It starts unreached: its objects are there, to be put together.
      self.assertLessEqual(set(goal.object_types), there)
      self.assertIn(goal.predicate, ("near", "see"))
    else:
      self.assertLessEqual(set(goal.object_types), possible_types(game))
      if goal.predicate == "see":
        self.assertFalse(there.issuperset(goal.object_types))

  @settings(max_examples=200, deadline=None)
  @given(seed=seeds)
  def test_no_rule_fires_without_an_action(self, seed):
    game = draw(seed)
    there = set(game.objects)
    for rule in game.rules:
      condition = rule.condition
      objects = set(condition.object_types)
      self.assertFalse(condition.negated)
      if condition.predicate == "see":
        self.assertEqual(condition.a, PLAYER)
      if condition.predicate in ("near", "see") and condition.a == PLAYER:
        self.assertLessEqual(objects, there)
      if condition.predicate == "near" and len(objects) == 2:
        for other in game.rules:
          self.assertFalse(objects <= set(other.spawns))

  @settings(max_examples=200, deadline=None)
  @given(seed=seeds)
  def test_each_object_of_the_chain_has_one_source(self, seed):
    game = draw(seed)
    needed = set(game.goal.object_types)
    producers = [r for r in game.rules if needed & set(r.spawns)]
    chain = []
    while producers:
      chain += producers
      needed = {x for r in producers for x in r.condition.object_types}
      producers = [r for r in game.rules if needed & set(r.spawns)]
      self.assertLessEqual(len(chain), 4)
    for rule in chain:
      for spawn in rule.spawns:
        self.assertNotIn(spawn, game.objects)
    conditions = [str(rule.condition) for rule in game.rules]
    self.assertLen(set(conditions), len(conditions))

  def test_number_of_rules_follows_the_ranges(self):
    for chain in range(5):
      config = dataclasses.replace(
        PAPER, chain_rules=(chain, chain), dead_ends=(1, 1), distractors=(2, 2)
      )
      for seed in range(20):
        self.assertLen(draw(seed, config).rules, chain + 1)

  def test_max_objects(self):
    config = dataclasses.replace(PAPER, max_objects=8)
    counts = [len(draw(seed, config).objects) for seed in range(200)]
    self.assertEqual(max(counts), 8)

  def test_order_of_objects_tells_no_roles(self):
    # One rule and one distractor, two or three objects of a type each.
    config = dataclasses.replace(
      PAPER,
      chain_rules=(1, 1),
      dead_ends=(0, 0),
      distractors=(1, 1),
      negation_probability=0.0,
    )
    first = []
    for seed in range(400):
      game = draw(seed, config)
      needed = {*game.goal.object_types}
      needed.update(game.rules[0].condition.object_types)
      first.append((game.objects[0] in needed, len(set(game.objects))))
    for kinds in (2, 3):
      shares = [is_needed for is_needed, n in first if n == kinds]
      error = 4 * np.sqrt(0.25 / len(shares))
      self.assertAlmostEqual(np.mean(shares), (kinds - 1) / kinds, delta=error)

  def test_distractors_are_of_different_types_while_these_last(self):
    config = dataclasses.replace(
      PAPER, chain_rules=(1, 1), distractors=(2, 4), negation_probability=0.0
    )
    for seed in range(100):
      game = draw(seed, config)
      self.assertLen(set(game.objects), len(game.objects))

  def test_negation_probability(self):
    for probability, share in ((0.0, 0), (1.0, 100)):
      config = dataclasses.replace(PAPER, negation_probability=probability)
      drawn = [draw(seed, config).goal.negated for seed in range(100)]
      self.assertEqual(sum(drawn), share)

  def test_hiding(self):
    drawn = [draw(seed) for seed in range(300)]
    ways = [
      tuple(bool(part) for part in dataclasses.astuple(game.hiding))
      for game in drawn
    ]
    # Nothing, or one mechanism at a time.
    self.assertEqual(
      set(ways),
      {
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
      },
    )
    everything = dataclasses.replace(PAPER, hide="rules")
    nothing = dataclasses.replace(PAPER, hide="none")
    for seed in range(20):
      game = draw(seed, everything)
      self.assertLen(game.hiding.rules, len(game.rules))
      self.assertEqual(draw(seed, nothing).hiding, Hiding())


if __name__ == "__main__":
  absltest.main()
