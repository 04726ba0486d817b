"""Tests of walking around things."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.expert import walker
from adaland.envs.tasks.planner import Condition
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
    moment = fakes.make_moment(
      {0: (1, (0.9, 0.0, 0.8)), 1: (2, (3.0, 0.0, 0.2))},
      avoid=avoid,
      held=held,
    )
    self.assertAlmostEqual(walker.danger_radius(moment, 1), expected)

  def test_penalty_is_near_obstacles_only(self):
    moment = fakes.make_moment({0: (1, (2.0, 2.0, 0.2))})
    penalty = walker.penalty(moment, [])
    cell = moment.ground.cell_of(np.array([2.1, 2.1]))
    self.assertEqual(penalty[cell], 2.0)
    self.assertEqual(penalty[moment.ground.cell_of(np.array([0.1, 0.1]))], 0)
    self.assertEqual(walker.penalty(moment, [0]).sum(), 0)

  def test_walks_straight_and_says_when_it_is_there(self):
    walker_ = walker.Walker(np.random.default_rng(0))
    moment = fakes.make_moment({}, player=(0.25, 0.25))
    end = np.array([2.25, 0.25, 0.0])
    ends = np.array([moment.ground.cell_of(end[:2])])
    self.assertFalse(walker_.go(moment, "there", end, ends, []))
    self.assertEqual((moment.action.move, moment.action.strafe), (2, 1))
    arrived = fakes.make_moment({}, player=(2.3, 0.3))
    self.assertTrue(walker_.go(arrived, "there", end, ends, []))
    self.assertEqual((arrived.action.move, arrived.action.strafe), (1, 1))

  def test_backs_off_when_stuck(self):
    walker_ = walker.Walker(np.random.default_rng(0))
    moves = set()
    for _ in range(12):
      moment = fakes.make_moment({}, player=(0.25, 0.25))
      end = np.array([2.25, 0.25, 0.0])
      ends = np.array([moment.ground.cell_of(end[:2])])
      walker_.go(moment, "there", end, ends, [])
      moves.add((moment.action.move, moment.action.strafe))
    self.assertIn((2, 1), moves)
    self.assertGreater(len(moves), 1)


if __name__ == "__main__":
  absltest.main()
