"""Tests of adaland.envs.expert.ways.routes."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.ways import navigate, routes
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


if __name__ == "__main__":
  absltest.main()
