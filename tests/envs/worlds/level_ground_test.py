"""Tests of adaland.envs.worlds.level_ground."""

import numpy as np
from absl.testing import absltest

from adaland.envs.worlds import level_ground, terrain

# The lowest row has a ramp, and is one region with the tiles at its top.
_HEIGHTS = np.array([[0, 0, 1, 1], [3, 3, 3, 3]])
_RAMPS = np.array([[0, 2, 0, 0], [0, 0, 0, 0]])
_CENTRES = {(-0.5, -1.5), (-0.5, 0.5), (-0.5, 1.5)}


def make_ground():
  regions = (_HEIGHTS == 3).astype(int)
  made = terrain.Terrain(_HEIGHTS, _RAMPS, regions)
  return level_ground.LevelGround(made, regions == 0)


class LevelGroundTest(absltest.TestCase):
  def test_centres_are_those_of_flat_tiles_in_any_order(self):
    ground, rng = make_ground(), np.random.default_rng(0)
    orders = {
      tuple(map(tuple, ground.centres(rng).tolist())) for _ in range(50)
    }
    self.assertLen(orders, 6)
    for order in orders:
      self.assertEqual(set(order), _CENTRES)

  def test_positions_are_drawn_first_and_the_centres_come_last(self):
    ground, rng = make_ground(), np.random.default_rng(0)
    found = ground.anywhere(rng, 0.25)
    self.assertGreater(len(found), 10)
    self.assertEqual(set(map(tuple, found[-3:].tolist())), _CENTRES)
    # 5 cm from the arena's end, from the ramp and from the wall beside it.
    drawn = found[:-3]
    self.assertLessEqual(np.abs(drawn[:, 0] + 0.5).max(), 0.2 + 1e-9)
    along = drawn[:, 1]
    low = (along >= -1.7 - 1e-9) & (along <= -1.3 + 1e-9)
    high = (along >= 0.3 - 1e-9) & (along <= 1.7 + 1e-9)
    self.assertTrue((low | high).all())
    self.assertTrue(low.any())
    # Two bodies on one level may be on the border of its tiles.
    self.assertTrue((high & (np.abs(along - 1.0) < 0.2)).any())

  def test_a_body_that_fits_nowhere_else_gets_the_centres(self):
    ground, rng = make_ground(), np.random.default_rng(0)
    found = ground.anywhere(rng, 0.46)  # More than half a tile with its gap.
    self.assertEqual(set(map(tuple, found.tolist())), _CENTRES)


if __name__ == "__main__":
  absltest.main()
