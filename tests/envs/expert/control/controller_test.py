"""Tests of adaland.envs.expert.control.controller."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.expert.control import controller
from adaland.envs.tasks.symbolic import Condition
from tests.envs.expert import fakes

NEAR = {0: (1, (3.0, 3.0, 0.2)), 1: (1, (1.5, 0.0, 0.2))}


class ControllerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.controller = controller.Controller(np.random.default_rng(0))

  def act(self, wanted, objects, avoid=(), satisfied=False, **kwargs):
    view = fakes.make_view(objects, **kwargs)
    return self.controller.act(view, wanted, avoid, satisfied)

  def test_every_action_is_in_range(self):
    for predicate in constants.PREDICATES:
      for negated in (False, True):
        wanted = Condition(predicate, 13, 1, negated)
        action = self.act(wanted, NEAR)
        for index, size in zip(action, constants.ACTION_SIZES, strict=True):
          self.assertBetween(index, 0, size - 1)

  def test_grips_the_nearest_once_aimed(self):
    wanted = Condition("hold", 13, 1)
    action = self.act(wanted, NEAR, yaw=0.0, pitch=-0.41)
    self.assertEqual(action[4], 1)
    away = self.act(wanted, NEAR, yaw=3.0, pitch=-0.41)
    self.assertEqual(away[4], 0)
    self.assertEqual(away[2], 0)  # Turns right, the shorter way.

  def test_satisfied_keeps_still_and_keeps_the_grip(self):
    wanted = Condition("hold", 13, 1)
    action = self.act(wanted, NEAR, held=1, satisfied=True)
    self.assertEqual(action, (1, 1, 2, 1, 1, 1))

  def test_drops_what_is_not_wanted(self):
    wanted = Condition("hold", 13, 2)
    objects = {0: (2, (2.0, 2.0, 0.2)), 1: (1, (0.9, 0.0, 0.8))}
    self.assertEqual(self.act(wanted, objects, held=1)[4], 0)

  def test_never_grips_what_must_not_be_held(self):
    wanted = Condition("near", 1, 2)
    objects = {0: (1, (1.2, 0.0, 0.2)), 1: (2, (1.2, 3.0, 0.2))}
    avoid = (Condition("hold", 13, 1), Condition("hold", 13, 2))
    for yaw in (0.0, 1.2):
      action = self.act(wanted, objects, avoid, yaw=yaw, pitch=-0.5)
      self.assertEqual(action[4], 0)

  def test_patience_counts_from_arrival(self):
    wanted = Condition("hold", 13, 1)
    far = {0: (1, (6.0, 0.0, 0.2)), 1: (1, (0.0, 7.0, 0.2))}
    turns = [self.act(wanted, far)[2] for _ in range(210)]
    self.assertNotIn(4, turns[:200])  # On to the nearer one.
    self.assertIn(4, turns[200:])  # Left, to the other.
    self.controller.reset()
    close = {0: (1, (1.7, 0.0, 0.2)), 1: (1, (0.0, 7.0, 0.2))}
    turns = [self.act(wanted, close)[2] for _ in range(90)]
    self.assertNotIn(4, turns[:70])
    self.assertIn(4, turns[70:])

  def meet(self, predicate, at, negated=False, **kwargs):
    """Returns an action towards a relation to another player."""
    view = fakes.make_view({}, pitch=constants.START_PITCH, **kwargs)
    both = np.concatenate([view.player_pos, [[*at, 0.0]]])
    view = view._replace(
      player_pos=both.astype(np.float32),
      held=np.array([-1, -1]),
      visible=np.zeros((2, 8), bool),
    )
    wanted = Condition(predicate, 13, 14, negated)
    return self.controller.act(view, wanted, ())

  def test_goes_to_the_other_player(self):
    for predicate in ("near", "touching"):
      self.controller.reset()
      self.assertEqual(self.meet(predicate, (3.0, 0.1))[:2], (2, 1))
    self.assertEqual(self.meet("near", (0.8, 0.0)), constants.NOOP_ACTION)
    # Turns to see it.
    self.assertEqual(self.meet("see", (-1.0, 2.0))[:3], (1, 1, 4))

  def test_gets_away_from_the_other_player(self):
    self.assertNotEqual(self.meet("near", (0.8, 0.0), negated=True)[:2], (1, 1))
    self.assertNotEqual(self.meet("see", (2.0, 0.0), negated=True)[2], 2)

  def test_what_is_undone_in_vain_fails(self):
    # There is nowhere to stand between all three, and nothing else to do.
    wanted = Condition("see", 1, 2, negated=True)
    objects = {
      0: (1, (2.0, 0.0, 0.2)),
      1: (2, (2.5, 0.0, 0.2)),
      2: (2, (1.5, 0.0, 0.2)),
    }
    for _ in range(6):
      self.act(wanted, objects)
    failures = {(0, 1): 1, (1, 0): 1, (0, 2): 1, (2, 0): 1}
    self.assertEqual(self.controller.failures, failures)

  def test_pushes_in_between_two_that_are_close(self):
    wanted = Condition("see", 1, 2, negated=True)
    objects = {0: (1, (1.0, 0.4, 0.2)), 1: (2, (1.0, -0.4, 0.2))}
    # Straight ahead, between them.
    self.assertEqual(self.act(wanted, objects)[:2], (2, 1))
    # From behind one of them, it first walks around to the side.
    objects = {0: (1, (1.0, 0.0, 0.2)), 1: (2, (1.8, 0.0, 0.2))}
    action = self.act(wanted, objects)
    self.assertNotEqual(action[:3], (2, 1, 2))

  def test_carries_one_away_that_it_can_not_push_aside(self):
    wanted = Condition("see", 1, 2, negated=True)
    view = fakes.make_view({0: (1, (1.0, 0.4, 0.2)), 1: (2, (1.0, -0.4, 0.2))})
    view = view._replace(frozen=np.arange(6) == 0)
    for _ in range(21):  # It presses, and nothing moves.
      action = self.controller.act(view, wanted, ())
    self.assertEqual(self.controller.failures, {(0, 1): 1, (1, 0): 1})
    held = view._replace(
      held=np.array([1]), hand_distance=np.array([0.9], np.float32)
    )
    action = self.controller.act(held, wanted, ())
    self.assertEqual(action[4], 1)
    self.assertNotEqual(action[:3], (1, 1, 2))

  def test_bumps_into_what_it_can_not_pull_any_closer(self):
    wanted = Condition("touching", 13, 1)
    view = fakes.make_view(
      {0: (1, (0.4, 0.0, 0.3))}, held=0, hand=0.7, pitch=-1
    )
    for _ in range(5):
      self.assertEqual(self.controller.act(view, wanted, ())[4], 1)
    self.assertEqual(self.controller.failures, {(0,): 1})
    self.assertEqual(self.controller.act(view, wanted, ())[4], 0)

  def test_brings_an_object_along_and_waits_at_a_distance(self):
    at = np.array([3.25, 0.25, 0.0])
    away = (-3.75, -3.75)
    view = fakes.make_pair({0: (1, (0.9, 0.0, 0.8))}, (0.0, 0.0), away)
    held = view._replace(
      held=np.array([0, -1]), hand_distance=np.array([0.9, 0.0], np.float32)
    )
    action = self.controller.prepare(held, 0, at, ())
    self.assertEqual((action[0], action[4]), (2, 1))
    # With empty hands.
    action = self.controller.prepare(view, -1, at, ())
    self.assertEqual((action[0], action[4]), (2, 0))
    near = fakes.make_pair({}, (1.5, 0.0), away)
    self.assertEqual(self.controller.prepare(near, -1, at, ())[:2], (1, 1))

  def test_makes_way_for_the_other_player(self):
    for other, moves in (((2.0, 2.0), False), ((0.8, 0.0), True)):
      view = fakes.make_pair({}, (0.0, 0.0), other)
      for action in (
        self.controller.make_way(view, ()),
        self.controller.prepare(view, -1, np.array([1.0, 0.0, 0.0]), ()),
      ):
        self.assertEqual(action[:2] != (1, 1), moves)

  def test_walks_one_into_another_that_is_to_be_touched_once(self):
    wanted = Condition("touching", 4, 5)
    objects = {0: (4, (1.45, 0.0, 0.7)), 1: (5, (2.4, 0.0, 0.2))}
    view = fakes.make_view(objects, held=0, hand=1.45, pitch=-0.1)
    lasting = self.controller.act(view, wanted, ())
    once = self.controller.act(view, wanted, (), lasting=False)
    for action, look in ((lasting, 1), (once, 0)):  # Lowers it on the way.
      self.assertEqual((action[0], *action[3:]), (2, look, 1, 1))

  def test_does_not_walk_one_into_another_up_a_cliff(self):
    wanted = Condition("touching", 4, 5)
    objects = {0: (4, (1.2, 0.0, 0.7)), 1: (5, (1.4, 0.0, 1.2))}
    view = fakes.make_view(objects, held=0, hand=1.2)
    lasting = self.controller.act(view, wanted, ())
    once = self.controller.act(view, wanted, (), lasting=False)
    self.assertEqual(once, lasting)

  def test_draws_an_object_back_to_touch_what_is_before_it(self):
    wanted = Condition("touching", 4, 5)
    objects = {0: (4, (1.9, 0.2, 0.7)), 1: (5, (1.2, 0.0, 0.2))}
    view = fakes.make_view(objects, held=0, hand=1.9, pitch=-0.4)
    action = self.controller.act(view, wanted, (), lasting=False)
    self.assertEqual((action[0], action[4], action[5]), (1, 1, 0))

  def test_a_hand_that_took_nothing_opens_before_it_closes_again(self):
    wanted = Condition("hold", 13, 1)
    grips = [self.act(wanted, NEAR, pitch=-0.41)[4] for _ in range(4)]
    self.assertEqual(grips, [1, 0, 1, 0])

  def test_uses_the_objects_it_is_given(self):
    wanted = Condition("hold", 13, 1)
    view = fakes.make_view(NEAR)
    action = self.controller.act(view, wanted, (), slots=(0,))
    self.assertEqual(action[2], 4)  # To the farther one, left.

  def test_nothing_to_do_without_the_objects(self):
    level = constants.START_PITCH
    action = self.act(Condition("near", 13, 5), NEAR, pitch=level)
    self.assertEqual(action, constants.NOOP_ACTION)


if __name__ == "__main__":
  absltest.main()
