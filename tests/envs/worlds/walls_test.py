"""Tests of adaland.envs.worlds.walls; generation_test has whole worlds."""

import numpy as np
from absl.testing import absltest

from adaland.envs.worlds import walls


class AddWallsTest(absltest.TestCase):
  def test_walls_are_added_to_a_copy(self):
    heights = np.indices((8, 8))[0] // 4
    before, ramps = heights.copy(), np.zeros((8, 8), int)
    rng = np.random.default_rng(0)
    # Without a ramp, the levels are two regions: no wall leaves one.
    np.testing.assert_array_equal(
      walls.add_walls(heights, ramps, 3, rng), heights
    )
    built = walls.add_walls(0 * heights, ramps, 3, rng)
    self.assertEqual(set(np.unique(built)), {0, walls.WALL_LEVELS})
    np.testing.assert_array_equal(heights, before)
    ground = np.zeros((8, 8), int)
    self.assertIsNot(walls.add_walls(ground, ramps, 3, rng), ground)
    self.assertFalse(ground.any())


if __name__ == "__main__":
  absltest.main()
