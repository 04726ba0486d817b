"""Tests of adaland.envs.expert.ways.routes, and of the strategy on top."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.ways import navigate, routes, strategy
from adaland.envs.tasks import planner, symbolic
from adaland.envs.tasks.symbolic import Condition, SymbolicGame
from tests.envs.expert import fakes

CUBE, PURPLE, YELLOW, SPHERE, PLAYER = 4, 5, 6, 7, 13
YELLOW_SPHERE = 9
HOLD = Condition("hold", PLAYER, SPHERE)
AT = {
  0: (CUBE, (2.25, 0.25, 0.2)),
  1: (PURPLE, (3.25, 0.25, 0.2)),
  2: (YELLOW, (-3.75, 0.25, 0.2)),
}
START = (0.25, 0.25)


def make_game(*conditions, goal=HOLD, spawns=(SPHERE,)):
  return SymbolicGame(goal, tuple((x, spawns) for x in conditions), capacity=6)


def shortest(game, objects=None, failures=None, frozen=(), **kwargs):
  view = fakes.make_view(objects or AT, player=START, **kwargs)
  view = view._replace(frozen=np.isin(np.arange(6), frozen))
  ground = navigate.make_ground(view.heights, view.ramps)
  counts = symbolic.count_types(view.slot_types.tolist())
  plans = planner.alternatives(game, counts)
  plan, steps, _ = routes.shortest(view, ground, game, plans, failures or {})
  return plan, steps[0].slots


class RoutesTest(absltest.TestCase):
  def test_of_equal_plans_the_one_with_the_shorter_way(self):
    near = Condition("near", CUBE, PURPLE)
    far = Condition("near", CUBE, YELLOW)
    for rules, index in (((far, near), 1), ((near, far), 0)):
      plan, slots = shortest(make_game(*rules))
      self.assertEqual(plan.rules, (index,))
      self.assertEqual(slots, (0, 1))  # To the nearer one, then on.

  def test_two_short_rules_rather_than_one_far_away(self):
    wall = 1
    rules = (
      (Condition("near", PURPLE, YELLOW), (SPHERE,)),
      (Condition("hold", PLAYER, CUBE), (wall,)),
      (Condition("hold", PLAYER, wall), (SPHERE,)),
    )
    plan, slots = shortest(SymbolicGame(HOLD, rules, capacity=6))
    self.assertEqual((plan.rules, slots), ((1, 2), (0,)))

  def test_carries_what_it_holds_and_what_moves(self):
    game = make_game(Condition("near", CUBE, PURPLE))
    self.assertEqual(shortest(game, held=1)[1], (1, 0))
    self.assertEqual(shortest(game, frozen=[0])[1], (1, 0))

  def test_presses_a_ball_on_what_stays(self):
    objects = {0: (CUBE, (2.25, 0.25, 0.2)), 1: (SPHERE, (3.25, 0.25, 0.2))}
    goal = Condition("touching", CUBE, SPHERE)
    self.assertEqual(shortest(make_game(goal=goal), objects)[1], (1, 0))

  def test_tries_another_way_after_failures(self):
    game = make_game(
      Condition("near", CUBE, PURPLE), Condition("near", CUBE, YELLOW)
    )
    failures = {(0, 1): 2, (1, 0): 2}
    self.assertEqual(shortest(game, failures=failures)[0].rules, (1,))

  def test_makes_pairs_vanish_rather_than_hide_one_of_four(self):
    objects = {
      0: (YELLOW_SPHERE, (-3.25, 1.25, 0.22)),
      1: (YELLOW_SPHERE, (3.25, 3.75, 0.22)),
      2: (SPHERE, (-1.25, -1.25, 0.22)),
      3: (SPHERE, (-3.75, -1.75, 0.22)),
    }
    game = make_game(
      Condition("touching", YELLOW_SPHERE, SPHERE),
      goal=Condition("see", YELLOW_SPHERE, SPHERE, negated=True),
      spawns=(),
    )
    self.assertEqual(shortest(game, objects)[0].rules, (0, 0))


class StrategyTest(absltest.TestCase):
  def test_plans_again_where_something_changed(self):
    game = make_game(Condition("near", CUBE, PURPLE))
    view = fakes.make_view(AT, player=START)
    plans = strategy.Strategy()
    step = plans.next_step(game, view, {})
    assert step is not None
    self.assertEqual(step.wanted, game.rules[0][0])
    self.assertFalse(step.is_goal)
    # It keeps to its plan on the way.
    moved = view._replace(player_pos=view.player_pos + 1)
    self.assertIs(plans.next_step(game, moved, {}), step)
    made = view._replace(slot_types=np.array([SPHERE, 0, YELLOW, 0, 0, 0]))
    step = plans.next_step(game, made, {})
    assert step is not None
    self.assertEqual((step.wanted, step.is_goal), (HOLD, True))
    gone = view._replace(slot_types=np.zeros(6, int))
    self.assertIsNone(plans.next_step(game, gone, {}))

  def test_the_nearer_player_does_it_and_the_other_brings_what_is_next(self):
    wall = 1
    rules = (
      (Condition("near", CUBE, PURPLE), (wall,)),
      (Condition("near", wall, YELLOW), (SPHERE,)),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    view = fakes.make_pair(AT, (-3.25, 0.25), (2.75, -1.25))
    step = strategy.Strategy().next_step(game, view, {}, num_players=2)
    assert step is not None
    assert step.meanwhile is not None
    # Towards the other one, and the wall will appear there.
    self.assertEqual((step.player, step.slots), (1, (1, 0)))
    self.assertIsNone(step.meanwhile.wanted)
    self.assertEqual(step.meanwhile.slots, (2, -1))
    np.testing.assert_allclose(step.meanwhile.at, AT[0][1])
    alone = strategy.Strategy().next_step(game, view, {})
    assert alone is not None
    self.assertEqual((alone.player, alone.meanwhile), (0, None))

  def test_nothing_that_could_do_harm_is_carried_in_advance(self):
    wall = 1
    rules = (
      (Condition("near", CUBE, PURPLE), (wall,)),
      (Condition("near", wall, YELLOW), (SPHERE,)),
      (Condition("near", YELLOW, PURPLE), ()),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    view = fakes.make_pair(AT, (-3.25, 0.25), (2.75, -1.25))
    step = strategy.Strategy().next_step(game, view, {}, num_players=2)
    assert step is not None
    assert step.meanwhile is not None
    self.assertEqual((step.player, step.avoid), (1, (rules[2][0],)))
    # It waits next to it.
    self.assertEqual(step.meanwhile.slots, (-1,))
    np.testing.assert_allclose(step.meanwhile.at, AT[2][1])

  def test_a_later_step_is_done_at_once_if_that_is_harmless(self):
    rules = (
      (Condition("hold", PLAYER + 1, PURPLE), (1,)),
      (Condition("hold", PLAYER, YELLOW), (2,)),
      (Condition("near", 1, 2), (SPHERE,)),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    view = fakes.make_pair(AT, (-3.25, 0.25), (2.75, -1.25))
    step = strategy.Strategy().next_step(game, view, {}, num_players=2)
    assert step is not None
    assert step.meanwhile is not None
    wanted = {step.wanted, step.meanwhile.wanted}
    self.assertEqual(wanted, {rules[0][0], rules[1][0]})

  def test_avoids_harm(self):
    spoils = Condition("near", PLAYER, YELLOW)
    makes = Condition("near", CUBE, YELLOW)
    game = SymbolicGame(HOLD, ((spoils, ()), (makes, (SPHERE,))), capacity=6)
    view = fakes.make_view(AT, player=START)
    step = strategy.Strategy().next_step(game, view, {})
    assert step is not None
    self.assertEqual((step.wanted, step.avoid), (makes, (spoils,)))


if __name__ == "__main__":
  absltest.main()
