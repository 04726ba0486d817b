"""Tests of adaland.envs.sampling.game_sampler."""

import collections
import dataclasses

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs import constants, tables
from adaland.envs.sampling import choices, freezing, game_sampler
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import complexity, planner, task
from adaland.envs.tasks.literals import (
  ObjectType,
  Player,
  parse_literal,
  parse_rule,
)
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


def task_of(game):
  """Returns a task of a game, in a room that doesn't matter."""
  counts = collections.Counter(game.objects)
  return task.Task(
    world=task.World(),
    objects=tuple(
      task.ObjectSpec(kind, n, frozen=kind in game.frozen)
      for kind, n in counts.items()
    ),
    players=(task.PlayerSpec(game.goal),) * len(game.hiding),
    rules=game.rules,
    hiding=game.hiding,
    trials=game.trials,
  )


def held_still(game):
  """Returns the literals that need motion of objects that never move."""
  solution = complexity.critical_rules(task_of(game))
  rules = [game.rules[i] for i in solution]
  spawned = {kind for rule in rules for kind in rule.spawns}
  still = game.frozen - spawned
  return [
    literal
    for literal in (game.goal, *(rule.condition for rule in rules))
    if literal.predicate != "see"
    and still.issuperset(literal.object_types)
    and (literal.predicate == "hold" or PLAYER not in literal.arguments)
  ]


class DrawGameTest(absltest.TestCase):
  @settings(max_examples=100, deadline=None)
  @given(seed=seeds)
  def test_goal_can_be_reached_but_not_for_free(self, seed):
    game = draw(seed)
    goal = game.goal
    there = set(game.objects)
    self.assertIsNotNone(planner.shortest_solution(task_of(game)))
    self.assertNotEmpty(complexity.critical_rules(task_of(game)))
    if goal.negated:
      # It starts unsatisfied: its objects exist and are placed together.
      self.assertLessEqual(set(goal.object_types), there)
      self.assertIn(goal.predicate, ("near", "touching", "see"))
    elif goal.predicate == "see":
      # A pair of one type needs two objects of that type.
      needed = collections.Counter(goal.object_types)
      self.assertFalse(needed <= collections.Counter(game.objects))

  @settings(max_examples=200, deadline=None)
  @given(seed=seeds)
  def test_no_rule_of_the_solution_fires_without_an_action(self, seed):
    game = draw(seed)
    there = set(game.objects)
    for rule in game.rules:
      condition = rule.condition
      objects = set(condition.object_types)
      spawned = any(objects <= set(other.spawns) for other in game.rules)
      if condition.negated:
        # Objects that start or appear together have to be separated.
        self.assertNotIn(PLAYER, condition.arguments)
        self.assertTrue(objects <= there or spawned)
        if condition.predicate == "touching":
          self.assertLessEqual(objects, there)
          self.assertTrue(choices.stays_in_contact(condition))
        else:
          self.assertEqual(condition.predicate, "near")
        continue
      if condition.predicate == "see":
        self.assertEqual(condition.a, PLAYER)
      if condition.predicate in ("near", "see") and condition.a == PLAYER:
        self.assertLessEqual(objects, there)
      if condition.predicate == "near" and len(objects) == 2:
        self.assertFalse(spawned)

  @settings(max_examples=100, deadline=None)
  @given(seed=seeds)
  def test_frozen_objects_leave_a_solution(self, seed):
    game = draw(seed)
    self.assertLessEqual(game.frozen, set(game.objects))
    self.assertEmpty(held_still(game))

  def test_going_away_from_an_object_is_not_done_by_a_rule_at_once(self):
    # The player starts next to the object, which a rule could consume.
    config = dataclasses.replace(
      PAPER,
      negation_probability=1.0,
      player_in_goal_probability=1.0,
      player_in_rule_probability=1.0,
      chain_rules=(1, 1),
      dead_ends=(0, 0),
    )
    predicates = set()
    for seed in range(60):
      game = draw(seed, config)
      self.assertEqual(game.goal.a, PLAYER)
      predicates |= {rule.condition.predicate for rule in game.rules}
    self.assertEqual(predicates, {"hold"})

  def test_predicates_are_drawn_by_their_weights(self):
    row = tables.PREDICATE_OF_NAME["near"]._replace(weight=3)
    source = choices.Choices(PAPER, np.random.default_rng(0))
    with absltest.mock.patch.dict(tables.PREDICATE_OF_NAME, near=row):
      drawn = [source.pick_predicate(("hold", "near")) for _ in range(400)]
    # Four standard errors.
    self.assertAlmostEqual(drawn.count("near") / 400, 0.75, delta=0.09)

  def test_frozen_objects_leave_other_ways(self):
    config = dataclasses.replace(
      PAPER, freezing_probability=1.0, frozen_probability=1.0
    )
    frozen = freezing.draw_frozen(
      choices.Choices(config, np.random.default_rng(0)),
      parse_literal("near(player1, yellow sphere)"),
      [parse_rule("near(player1, purple cube) -> yellow sphere")],
      [parse_rule("near(black cube, black wall) -> yellow sphere")],
      [
        ObjectType.from_name(name)
        for name in ("black cube", "black wall", "purple cube")
      ],
    )
    # One of the two must move.
    self.assertEqual(
      {kind.name for kind in frozen}, {"black cube", "purple cube"}
    )

  def test_conditions_differ(self):
    for seed in range(100):
      conditions = [str(rule.condition) for rule in draw(seed).rules]
      self.assertLen(set(conditions), len(conditions))

  def test_complexity_is_that_of_the_paper_s_test_tasks(self):
    drawn = [complexity.measures(task_of(draw(seed))) for seed in range(200)]
    for name, expected in complexity.PAPER.items():
      mean = np.mean([measured[name] for measured in drawn])
      # Within 20 %, plus 10 % for chance; dead ends are close to the limit.
      self.assertAlmostEqual(mean, expected, delta=0.3 * expected + 0.05)

  def test_negated_conditions_and_pairs_of_one_type_occur(self):
    literals = [
      literal
      for seed in range(300)
      for game in [draw(seed)]
      for literal in (game.goal, *(rule.condition for rule in game.rules))
    ]
    kinds = {(literal.negated, literal.predicate) for literal in literals}
    self.assertEqual(
      kinds,
      {(False, name) for name in constants.PREDICATES}
      | {(True, name) for name in ("near", "touching", "see")},
    )
    self.assertGreater(sum(x.a == x.b for x in literals), 10)

  def test_half_of_the_games_are_shared_by_two_players(self):
    config = dataclasses.replace(
      PAPER, two_player_probability=0.5, player_in_rule_probability=0.5
    )
    drawn = [draw(seed, config) for seed in range(300)]
    shared = [game for game in drawn if len(game.hiding) == 2]
    # Four standard errors.
    self.assertAlmostEqual(len(shared) / 300, 0.5, delta=0.12)
    self.assertNotEmpty([g for g in shared if g.hiding[0] != g.hiding[1]])
    mentioned = [
      argument
      for game in shared
      for literal in (game.goal, *(rule.condition for rule in game.rules))
      for argument in literal.arguments
      if isinstance(argument, Player)
    ]
    share = mentioned.count(PLAYER) / len(mentioned)
    self.assertAlmostEqual(share, 0.5, delta=2 / len(mentioned) ** 0.5)
    for game in drawn:
      task_of(game)  # Names only players that exist.
    alone = [game for game in drawn if len(game.hiding) == 1]
    self.assertFalse(
      any("player2" in str(rule) for game in alone for rule in game.rules)
    )

  def test_free_goals_are_drawn_if_asked_for(self):
    config = dataclasses.replace(
      PAPER, free_goals=True, negation_probability=1.0
    )
    goals = [draw(seed, config).goal for seed in range(100)]
    self.assertEqual(
      {goal.predicate for goal in goals}, set(constants.PREDICATES)
    )

  def test_freezing(self):
    drawn = [draw(seed) for seed in range(400)]
    # Half of the tasks use freezing; in some of them nothing is frozen.
    share = np.mean([bool(game.frozen) for game in drawn])
    self.assertBetween(share, 0.25, 0.45)
    config = dataclasses.replace(PAPER, freezing_probability=0.0)
    self.assertFalse(any(draw(seed, config).frozen for seed in range(50)))

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
    # One rule and one distractor, each with two or three objects of a type.
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
      literals = [game.goal, *(rule.condition for rule in game.rules)]
      pairs = {literal.a for literal in literals if literal.a == literal.b}
      for kind, count in collections.Counter(game.objects).items():
        self.assertLessEqual(count, 1 + (kind in pairs))

  def test_negation_probability(self):
    for probability, share in ((0.0, 0), (1.0, 100)):
      config = dataclasses.replace(PAPER, negation_probability=probability)
      drawn = [draw(seed, config).goal.negated for seed in range(100)]
      self.assertEqual(sum(drawn), share)

  def test_hiding(self):
    drawn = [draw(seed) for seed in range(300)]
    ways = [
      tuple(bool(part) for part in dataclasses.astuple(game.hiding[0]))
      for game in drawn
    ]
    # No mechanism, or one at a time.
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
      self.assertLen(game.hiding[0].rules, len(game.rules))
      self.assertEqual(draw(seed, nothing).hiding, (Hiding(),))


if __name__ == "__main__":
  absltest.main()
