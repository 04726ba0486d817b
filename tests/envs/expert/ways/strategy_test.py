"""Tests of adaland.envs.expert.ways.strategy."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.ways import strategy
from adaland.envs.tasks.symbolic import Condition, SymbolicGame
from tests.envs.expert import fakes
from tests.envs.expert.ways.routes_test import (
  AT,
  CUBE,
  HOLD,
  PLAYER,
  PURPLE,
  SPHERE,
  START,
  YELLOW,
  make_game,
)

# Where two players start: at the yellow cube, and at the others.
_FIRST, _SECOND = (-3.25, 0.25), (2.75, -1.25)


def _next_step(game, view, failures=None, num_players=1):
  step = strategy.Strategy().next_step(game, view, failures or {}, num_players)
  assert step is not None
  return step


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

  def test_an_object_alone_needs_not_be_kept_apart(self):
    game = make_game(goal=Condition("near", CUBE, CUBE, negated=True))
    view = fakes.make_view({0: AT[0]}, player=START)
    self.assertIsNone(strategy.Strategy().next_step(game, view, {}))

  def test_the_nearer_player_does_it_and_the_other_brings_what_is_next(self):
    wall = 1
    rules = (
      (Condition("near", CUBE, PURPLE), (wall,)),
      (Condition("near", wall, YELLOW), (SPHERE,)),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    view = fakes.make_pair(AT, _FIRST, _SECOND)
    step = _next_step(game, view, num_players=2)
    assert step.meanwhile is not None
    # Towards the other one, and the wall will appear there.
    self.assertEqual((step.player, step.slots), (1, (1, 0)))
    self.assertIsNone(step.meanwhile.wanted)
    self.assertEqual(step.meanwhile.slots, (2, -1))
    np.testing.assert_allclose(step.meanwhile.at, AT[0][1])
    alone = _next_step(game, view)
    self.assertEqual((alone.player, alone.meanwhile), (0, None))

  def test_nothing_that_could_do_harm_is_carried_in_advance(self):
    wall = 1
    rules = (
      (Condition("near", CUBE, PURPLE), (wall,)),
      (Condition("near", wall, YELLOW), (SPHERE,)),
      (Condition("near", YELLOW, PURPLE), ()),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    view = fakes.make_pair(AT, _FIRST, _SECOND)
    step = _next_step(game, view, num_players=2)
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
    view = fakes.make_pair(AT, _FIRST, _SECOND)
    step = _next_step(game, view, num_players=2)
    assert step.meanwhile is not None
    wanted = {step.wanted, step.meanwhile.wanted}
    self.assertEqual(wanted, {rules[0][0], rules[1][0]})

  def test_avoids_harm(self):
    spoils = Condition("near", PLAYER, YELLOW)
    makes = Condition("near", CUBE, YELLOW)
    game = SymbolicGame(HOLD, ((spoils, ()), (makes, (SPHERE,))), capacity=6)
    view = fakes.make_view(AT, player=START)
    step = _next_step(game, view)
    self.assertEqual((step.wanted, step.avoid), (makes, (spoils,)))

  def test_plans_again_in_another_game_trial_or_episode(self):
    game = make_game(
      Condition("near", CUBE, PURPLE), Condition("near", CUBE, YELLOW)
    )
    other = make_game(Condition("near", PURPLE, YELLOW))
    view = fakes.make_view(AT, player=START)
    moved = fakes.make_view(
      {**AT, 1: (PURPLE, AT[2][1]), 2: (YELLOW, AT[1][1])}, player=START
    )
    rules = [condition for condition, _ in (*game.rules, *other.rules)]
    failures: dict[tuple[int, ...], int] = {(0, 1): 1, (1, 0): 1}
    for played, later, failed, wanted in (
      (game, moved, {}, rules[0]),  # Nothing has changed for the plan.
      (other, view, {}, rules[2]),
      (game, moved._replace(trial=1), {}, rules[1]),
      (game, moved._replace(step=0), {}, rules[1]),
      (game, view, failures, rules[1]),
    ):
      plans = strategy.Strategy()
      step = plans.next_step(game, view, {})
      assert step is not None
      self.assertEqual(step.wanted, rules[0])
      step = plans.next_step(played, later, failed)
      assert step is not None
      self.assertEqual(step.wanted, wanted)

  def test_does_not_avoid_its_own_step(self):
    # The yellow cube is far away, so three steps are sooner than one.
    rules = (
      (Condition("near", PURPLE, YELLOW), (SPHERE,)),
      (Condition("hold", PLAYER, PURPLE), (1,)),
      (Condition("hold", PLAYER, 1), (2,)),
      (Condition("hold", PLAYER, 2), (SPHERE,)),
    )
    game = SymbolicGame(HOLD, rules, capacity=6)
    objects = {**AT, 2: (YELLOW, (-14.75, 0.25, 0.2))}
    view = fakes.make_view(objects, player=START, tiles=(32, 8))
    step = _next_step(game, view)
    self.assertEqual((step.wanted, step.avoid), (rules[1][0], ()))

  def test_avoids_no_absence(self):
    makes = Condition("near", CUBE, YELLOW)
    parts = Condition("near", CUBE, PURPLE, negated=True)
    game = SymbolicGame(HOLD, ((makes, (SPHERE,)), (parts, ())), capacity=6)
    step = _next_step(game, fakes.make_view(AT, player=START))
    self.assertEqual((step.wanted, step.avoid), (makes, ()))

  def test_a_later_step_that_does_harm_now_waits(self):
    # The purple sphere would vanish in sight of the cube.
    rules = (
      (Condition("hold", PLAYER + 1, CUBE), (1,)),
      (Condition("hold", PLAYER, YELLOW), (2,)),
      (Condition("see", 2, CUBE), ()),
      (Condition("near", 1, 2), (SPHERE,)),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    view = fakes.make_pair(AT, _FIRST, _SECOND)
    step = _next_step(game, view, num_players=2)
    self.assertEqual((step.player, step.wanted), (1, rules[0][0]))
    assert step.meanwhile is not None
    self.assertIsNone(step.meanwhile.wanted)
    self.assertEqual(step.meanwhile.slots, (2,))
    np.testing.assert_allclose(step.meanwhile.at, AT[2][1])

  def test_waits_for_an_object_that_will_be_near(self):
    # There is a yellow cube already, but far away.
    rules = (
      (Condition("hold", PLAYER + 1, CUBE), (YELLOW,)),
      (Condition("hold", PLAYER, YELLOW), (SPHERE,)),
    )
    game = SymbolicGame(Condition("near", PLAYER, SPHERE), rules, capacity=6)
    objects = {0: AT[0], 2: (YELLOW, (-14.75, 0.25, 0.2))}
    view = fakes.make_pair(objects, START, _SECOND)
    heights = np.zeros((32, 8), int)
    view = view._replace(heights=heights, ramps=heights)
    step = _next_step(game, view, num_players=2)
    self.assertEqual((step.player, step.wanted), (1, rules[0][0]))
    assert step.meanwhile is not None
    self.assertIsNone(step.meanwhile.wanted)
    self.assertEqual(step.meanwhile.slots, (-1,))
    np.testing.assert_allclose(step.meanwhile.at, AT[0][1])

  def test_a_later_step_without_objects_needs_no_preparation(self):
    rules = ((Condition("hold", PLAYER + 1, CUBE), ()),)
    goal = Condition("near", CUBE, PURPLE, negated=True)
    game = SymbolicGame(goal, rules, capacity=6)
    objects = {0: AT[0], 1: (PURPLE, (2.75, 0.25, 0.2))}
    view = fakes.make_pair(objects, _FIRST, _SECOND)
    view = view._replace(frozen=np.isin(np.arange(6), (0, 1)))
    step = _next_step(game, view, num_players=2)
    self.assertEqual((step.player, step.wanted), (1, rules[0][0]))
    self.assertIsNone(step.meanwhile)


if __name__ == "__main__":
  absltest.main()
