"""Tests of adaland.envs.sampling.game_sampler; see also solutions_test."""

import collections
import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, tables
from adaland.envs.sampling import choices, freezing
from adaland.envs.tasks import complexity
from adaland.envs.tasks.literals import (
  ObjectType,
  Player,
  parse_literal,
  parse_rule,
)
from adaland.envs.tasks.task import Hiding
from tests.envs.sampling import games


class DrawGameTest(absltest.TestCase):
  def test_predicates_are_drawn_by_their_weights(self):
    row = tables.PREDICATE_OF_NAME["near"]._replace(weight=3)
    source = choices.Choices(games.PAPER, np.random.default_rng(0))
    with absltest.mock.patch.dict(tables.PREDICATE_OF_NAME, near=row):
      drawn = [source.pick_predicate(("hold", "near")) for _ in range(400)]
    # Four standard errors.
    self.assertAlmostEqual(drawn.count("near") / 400, 0.75, delta=0.09)

  def test_frozen_objects_leave_other_ways(self):
    config = dataclasses.replace(
      games.PAPER, freezing_probability=1.0, frozen_probability=1.0
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
      conditions = [str(rule.condition) for rule in games.draw(seed).rules]
      self.assertLen(set(conditions), len(conditions))

  def test_complexity_is_that_of_the_paper_s_test_tasks(self):
    drawn = [
      complexity.measures(games.task_of(games.draw(seed)))
      for seed in range(200)
    ]
    for name, expected in complexity.PAPER.items():
      mean = np.mean([measured[name] for measured in drawn])
      # Within 20 %, plus 10 % for chance; dead ends are close to the limit.
      self.assertAlmostEqual(mean, expected, delta=0.3 * expected + 0.05)

  def test_negated_conditions_and_pairs_of_one_type_occur(self):
    literals = [
      literal
      for seed in range(300)
      for game in [games.draw(seed)]
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
      games.PAPER, two_player_probability=0.5, player_in_rule_probability=0.5
    )
    drawn = [games.draw(seed, config) for seed in range(300)]
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
    share = mentioned.count(Player(1)) / len(mentioned)
    self.assertAlmostEqual(share, 0.5, delta=2 / len(mentioned) ** 0.5)
    for game in drawn:
      games.task_of(game)  # Names only players that exist.
    alone = [game for game in drawn if len(game.hiding) == 1]
    self.assertFalse(
      any("player2" in str(rule) for game in alone for rule in game.rules)
    )

  def test_free_goals_are_drawn_if_asked_for(self):
    config = dataclasses.replace(
      games.PAPER, free_goals=True, negation_probability=1.0
    )
    goals = [games.draw(seed, config).goal for seed in range(100)]
    self.assertEqual(
      {goal.predicate for goal in goals}, set(constants.PREDICATES)
    )

  def test_freezing(self):
    drawn = [games.draw(seed) for seed in range(400)]
    # Half of the tasks use freezing; in some of them nothing is frozen.
    share = np.mean([bool(game.frozen) for game in drawn])
    self.assertBetween(share, 0.25, 0.45)
    config = dataclasses.replace(games.PAPER, freezing_probability=0.0)
    self.assertFalse(any(games.draw(seed, config).frozen for seed in range(50)))

  def test_number_of_rules_follows_the_ranges(self):
    for chain in range(5):
      config = dataclasses.replace(
        games.PAPER,
        chain_rules=(chain, chain),
        dead_ends=(1, 1),
        distractors=(2, 2),
      )
      for seed in range(20):
        self.assertLen(games.draw(seed, config).rules, chain + 1)

  def test_max_objects(self):
    config = dataclasses.replace(games.PAPER, max_objects=8)
    counts = [len(games.draw(seed, config).objects) for seed in range(200)]
    self.assertEqual(max(counts), 8)

  def test_order_of_objects_tells_no_roles(self):
    # One rule and one distractor, each with two or three objects of a type.
    config = dataclasses.replace(
      games.PAPER,
      chain_rules=(1, 1),
      dead_ends=(0, 0),
      distractors=(1, 1),
      negation_probability=0.0,
    )
    first = []
    for seed in range(400):
      game = games.draw(seed, config)
      needed = {*game.goal.object_types}
      needed.update(game.rules[0].condition.object_types)
      first.append((game.objects[0] in needed, len(set(game.objects))))
    for kinds in (2, 3):
      shares = [is_needed for is_needed, n in first if n == kinds]
      error = 4 * np.sqrt(0.25 / len(shares))
      self.assertAlmostEqual(np.mean(shares), (kinds - 1) / kinds, delta=error)

  def test_distractors_are_of_different_types_while_these_last(self):
    config = dataclasses.replace(
      games.PAPER,
      chain_rules=(1, 1),
      distractors=(2, 4),
      negation_probability=0.0,
    )
    for seed in range(100):
      game = games.draw(seed, config)
      literals = [game.goal, *(rule.condition for rule in game.rules)]
      pairs = {literal.a for literal in literals if literal.a == literal.b}
      for kind, count in collections.Counter(game.objects).items():
        self.assertLessEqual(count, 1 + (kind in pairs))

  def test_negation_probability(self):
    for probability, share in ((0.0, 0), (1.0, 100)):
      config = dataclasses.replace(
        games.PAPER, negation_probability=probability
      )
      drawn = [games.draw(seed, config).goal.negated for seed in range(100)]
      self.assertEqual(sum(drawn), share)

  def test_hiding(self):
    drawn = [games.draw(seed) for seed in range(300)]
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
    everything = dataclasses.replace(games.PAPER, hide="rules")
    nothing = dataclasses.replace(games.PAPER, hide="none")
    for seed in range(20):
      game = games.draw(seed, everything)
      self.assertLen(game.hiding[0].rules, len(game.rules))
      self.assertEqual(games.draw(seed, nothing).hiding, (Hiding(),))


if __name__ == "__main__":
  absltest.main()
