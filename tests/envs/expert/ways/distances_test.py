"""Tests of adaland.envs.expert.ways.distances."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.ways import distances, navigate
from adaland.envs.tasks.symbolic import Condition
from tests.envs.expert import fakes

CUBE, PURPLE, YELLOW, PLAYER, OTHER = 4, 5, 6, 13, 14
AT = {
  0: (CUBE, (2.25, 0.25, 0.2)),
  1: (PURPLE, (3.25, 0.25, 0.2)),
  2: (YELLOW, (-3.75, 0.25, 0.2)),
}
START = (0.25, 0.25)


def make_map(view, num_avatars=1):
  ground = navigate.make_ground(view.heights, view.ramps)
  return distances.Map(view, ground, num_avatars)


def best(measured, wanted):
  return measured.options(measured.start, wanted, {})[0]


class DistancesTest(absltest.TestCase):
  def test_metres_go_around_a_wall(self):
    heights = np.zeros((8, 8), int)
    heights[5, :7] = 3
    view = fakes.make_view(AT, player=START)
    measured = make_map(view._replace(heights=heights, ramps=0 * heights))
    # Places: the player's, then the objects'.
    self.assertGreater(measured.metres[0][1], 6.0)
    self.assertAlmostEqual(measured.metres[0][3], 4.0)
    self.assertFalse(measured.sight[3][1])
    self.assertTrue(measured.sight[0][3])

  def test_nothing_is_parted_before_all_close_pairs_are(self):
    wanted = Condition("near", CUBE, PURPLE, negated=True)
    apart = make_map(fakes.make_view({**AT, 1: (PURPLE, (3.75, 0.25, 0.2))}))
    self.assertEqual(best(apart, wanted)[0], 0.0)
    both = {
      0: (CUBE, (2.25, 0.25, 0.2)),
      1: (PURPLE, (2.75, 0.25, 0.2)),
      2: (CUBE, (-3.25, 0.25, 0.2)),
      3: (PURPLE, (-3.75, 0.25, 0.2)),
    }
    one = make_map(fakes.make_view({i: both[i] for i in range(3)}))
    two = make_map(fakes.make_view(both))
    self.assertGreater(best(one, wanted)[0], 2.0)
    self.assertGreater(best(two, wanted)[0], best(one, wanted)[0] + 10)

  def test_nothing_is_done_to_let_go_of_an_absent_object(self):
    wanted = Condition("hold", PLAYER, CUBE, negated=True)
    measured = make_map(fakes.make_view({2: AT[2]}, player=START))
    self.assertEqual(best(measured, wanted)[:2], (0.0, ()))

  def test_the_nearer_avatar_or_the_one_that_is_named(self):
    view = fakes.make_pair(AT, START, (-2.75, 0.25))
    measured = make_map(view, num_avatars=2)
    for wanted, avatar in (
      (Condition("near", CUBE, PURPLE), 0),
      (Condition("near", YELLOW, PURPLE), 1),
      (Condition("hold", PLAYER, YELLOW), 0),
      (Condition("hold", OTHER, CUBE), 1),
    ):
      self.assertEqual(best(measured, wanted)[2].avatar, avatar)

  def test_an_avatar_without_work_walks_ahead(self):
    view = fakes.make_pair(AT, START, (-2.75, 0.25))
    measured = make_map(view, num_avatars=2)
    first = Condition("hold", PLAYER, CUBE)
    metres, _, _, after = best(measured, first)
    self.assertAlmostEqual(metres, 4.0)  # Two to walk, and the grip.
    then = Condition("hold", OTHER, YELLOW)
    self.assertEqual(measured.options(after, then, {})[0][0], 0.0)
    self.assertAlmostEqual(best(measured, then)[0], 3.0)


if __name__ == "__main__":
  absltest.main()
