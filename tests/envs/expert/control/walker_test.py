"""Tests of adaland.envs.expert.control.walker."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.expert.control import senses, walker
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.symbolic import Condition
from tests.envs.expert import fakes


class WalkerTest(parameterized.TestCase):
  @parameterized.parameters(
    (-1, (), 0.0),
    (-1, (Condition("near", 13, 2),), 1.3),
    (-1, (Condition("touching", 2, 13),), 0.75),
    # With a type 1 object in the hand, and an empty hand.
    (0, (Condition("near", 2, 1),), 2.2),
    (-1, (Condition("near", 2, 1),), 0.0),
    (0, (Condition("hold", 13, 2),), 0.0),
  )
  def test_danger_radius(self, held, avoid, expected):
    situation = fakes.make_situation(
      {0: (1, (0.9, 0.0, 0.8)), 1: (2, (3.0, 0.0, 0.2))},
      avoid=avoid,
      held=held,
    )
    self.assertAlmostEqual(walker.danger_radius(situation, 1), expected)

  def test_penalty_is_near_obstacles_only(self):
    situation = fakes.make_situation({0: (1, (2.0, 2.0, 0.2))})
    penalty = walker.penalty(situation, [])
    cell = situation.ground.cell_of(np.array([2.1, 2.1]))
    self.assertEqual(penalty[cell], 2.0)
    self.assertEqual(penalty[situation.ground.cell_of(np.array([0.1, 0.1]))], 0)
    self.assertEqual(walker.penalty(situation, [0]).sum(), 0)

  def test_does_not_push_what_is_frozen_or_could_do_harm(self):
    at = {0: (1, (2.0, 2.0, 0.2)), 1: (2, (3.0, 2.0, 0.2))}
    harm = (Condition("near", 1, 2),)
    situation = fakes.make_situation(at)
    cell = situation.ground.cell_of(np.array([1.9, 1.9]))
    harmless = walker.penalty(situation, [])[cell]
    delicate = walker.penalty(fakes.make_situation(at, avoid=harm), [])[cell]
    frozen = situation.view._replace(frozen=np.arange(6) == 0)
    situation = dataclasses.replace(situation, view=frozen)
    fixed = walker.penalty(situation, [])[cell]
    self.assertEqual((harmless, delicate, fixed), (2.0, 30.0, 60.0))

  def test_walks_around_the_other_player(self):
    view = fakes.make_pair({}, (0.0, 0.0), (2.25, 2.25))
    ground = navigate.make_ground(view.heights, view.ramps)
    penalty = walker.penalty(senses.Situation(view, ground, ()), [])
    self.assertEqual(penalty[ground.cell_of(np.array([2.25, 2.25]))], 2.0)
    self.assertEqual(penalty[ground.cell_of(np.array([0.25, 0.25]))], 0.0)

  def test_walks_straight_and_returns_true_on_arrival(self):
    walking = walker.Walker(np.random.default_rng(0))
    situation = fakes.make_situation({}, player=(0.25, 0.25))
    end = np.array([2.25, 0.25, 0.0])
    ends = np.array([situation.ground.cell_of(end[:2])])
    self.assertFalse(walking.go(situation, "there", end, ends, []))
    self.assertEqual((situation.action.move, situation.action.strafe), (2, 1))
    arrived = fakes.make_situation({}, player=(2.3, 0.3))
    self.assertTrue(walking.go(arrived, "there", end, ends, []))
    self.assertEqual((arrived.action.move, arrived.action.strafe), (1, 1))

  def test_turns_fast_with_a_stretched_hand(self):
    walking = walker.Walker(np.random.default_rng(0))
    held = {0: (1, (1.8, 0.0, 0.8))}
    situation = fakes.make_situation(held, held=0, hand=1.8)
    end = np.array([-2.25, 0.25, 0.0])
    ends = np.array([situation.ground.cell_of(end[:2])])
    walking.go(situation, "there", end, ends, [0])
    self.assertEqual(situation.action.turn, 4)

  def test_backs_off_when_stuck(self):
    walking = walker.Walker(np.random.default_rng(0))
    moves = set()
    for _ in range(12):
      situation = fakes.make_situation({}, player=(0.25, 0.25))
      end = np.array([2.25, 0.25, 0.0])
      ends = np.array([situation.ground.cell_of(end[:2])])
      walking.go(situation, "there", end, ends, [])
      moves.add((situation.action.move, situation.action.strafe))
    self.assertIn((2, 1), moves)
    self.assertGreater(len(moves), 1)


if __name__ == "__main__":
  absltest.main()
