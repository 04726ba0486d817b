"""Tests that games of the sampler can be solved, but not for free."""

import collections
import dataclasses

from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs.sampling import choices
from adaland.envs.tasks import complexity, planner
from adaland.envs.tasks.literals import Player
from tests.envs.sampling import games

_PLAYER = Player(1)
_SEEDS = st.integers(0, 10**9)


def _held_still(game):
  """Returns the literals that need motion of objects that never move."""
  solution = complexity.critical_rules(games.task_of(game))
  rules = [game.rules[i] for i in solution]
  spawned = {kind for rule in rules for kind in rule.spawns}
  still = game.frozen - spawned
  return [
    literal
    for literal in (game.goal, *(rule.condition for rule in rules))
    if literal.predicate != "see"
    and still.issuperset(literal.object_types)
    and (literal.predicate == "hold" or _PLAYER not in literal.arguments)
  ]


class SolutionsTest(absltest.TestCase):
  @settings(max_examples=100, deadline=None)
  @given(seed=_SEEDS)
  def test_goal_can_be_reached_but_not_for_free(self, seed):
    game = games.draw(seed)
    goal = game.goal
    there = set(game.objects)
    self.assertIsNotNone(planner.shortest_solution(games.task_of(game)))
    self.assertNotEmpty(complexity.critical_rules(games.task_of(game)))
    if goal.negated:
      # It starts unsatisfied: its objects exist and are placed together.
      self.assertLessEqual(set(goal.object_types), there)
      self.assertIn(goal.predicate, ("near", "touching", "see"))
    elif goal.predicate == "see":
      # A pair of one type needs two objects of that type.
      needed = collections.Counter(goal.object_types)
      self.assertFalse(needed <= collections.Counter(game.objects))

  @settings(max_examples=200, deadline=None)
  @given(seed=_SEEDS)
  def test_no_rule_of_the_solution_fires_without_an_action(self, seed):
    game = games.draw(seed)
    there = set(game.objects)
    for rule in game.rules:
      condition = rule.condition
      objects = set(condition.object_types)
      spawned = any(objects <= set(other.spawns) for other in game.rules)
      if condition.negated:
        # Objects that start or appear together have to be separated.
        self.assertNotIn(_PLAYER, condition.arguments)
        self.assertTrue(objects <= there or spawned)
        if condition.predicate == "touching":
          self.assertLessEqual(objects, there)
          self.assertTrue(choices.stays_in_contact(condition))
        else:
          self.assertEqual(condition.predicate, "near")
        continue
      if condition.predicate == "see":
        self.assertEqual(condition.a, _PLAYER)
      if condition.predicate in ("near", "see") and condition.a == _PLAYER:
        self.assertLessEqual(objects, there)
      if condition.predicate == "near" and len(objects) == 2:
        self.assertFalse(spawned)

  @settings(max_examples=100, deadline=None)
  @given(seed=_SEEDS)
  def test_frozen_objects_leave_a_solution(self, seed):
    game = games.draw(seed)
    self.assertLessEqual(game.frozen, set(game.objects))
    self.assertEmpty(_held_still(game))

  def test_going_away_from_an_object_is_not_done_by_a_rule_at_once(self):
    # The player starts next to the object, which a rule could consume.
    config = dataclasses.replace(
      games.PAPER,
      negation_probability=1.0,
      player_in_goal_probability=1.0,
      player_in_rule_probability=1.0,
      chain_rules=(1, 1),
      dead_ends=(0, 0),
    )
    predicates = set()
    for seed in range(60):
      game = games.draw(seed, config)
      self.assertEqual(game.goal.a, _PLAYER)
      predicates |= {rule.condition.predicate for rule in game.rules}
    self.assertEqual(predicates, {"hold"})


if __name__ == "__main__":
  absltest.main()
