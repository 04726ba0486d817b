"""Tests of adaland.envs.worlds.terrain."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.worlds import terrain


class TerrainTest(parameterized.TestCase):
  def test_flat_ground_is_all_on_the_lowest_level(self):
    flat = terrain.Terrain(*(np.zeros((4, 4), int) for _ in range(3)))
    self.assertTrue(flat.is_flat())
    for changed in ("heights", "ramps"):
      array = np.zeros((4, 4), int)
      array[2, 1] = 1
      self.assertFalse(flat._replace(**{changed: array}).is_flat())

  def test_the_main_region_is_the_largest(self):
    regions = np.array([[0, 1, 1], [2, 1, 2]])
    made = terrain.Terrain(0 * regions, 0 * regions, regions)
    np.testing.assert_array_equal(made.main_region(), regions == 1)

  @parameterized.parameters(
    # The arena is 2 x 3 tiles: x from -1 to 1, y from -1.5 to 1.5.
    ((-0.1, 0.4), (0, 1)),
    ((0.1, 0.6), (1, 2)),
    ((-9.0, 9.0), (0, 2)),
    ((9.0, -9.0), (1, 0)),
  )
  def test_tile_of_a_point(self, xy, expected):
    got = terrain.tile_of(np.zeros((2, 3)), np.array(xy))
    self.assertEqual(tuple(got.tolist()), expected)

  @parameterized.parameters(
    # The arena is 3 x 2 tiles: x from -1.5 to 1.5, y from -1 to 1.
    ((-1.0, -0.5), 0.0),
    ((-0.25, 0.5), 0.125),  # A quarter up the ramp of half a metre.
    ((0.25, 0.5), 0.375),
    ((0.75, 0.9), 0.5),
    ((9.0, 0.5), 0.5),  # Outside: like the nearest tile.
  )
  def test_surface_height(self, xy, expected):
    heights = np.array([[0, 0], [0, 0], [0, 1]])
    ramps = np.array([[0, 0], [0, 1], [0, 0]])
    got = terrain.surface_height(heights, ramps, np.array(xy))
    self.assertAlmostEqual(float(got), expected)

  @parameterized.parameters((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.3))
  def test_surface_of_each_ramp_direction(self, direction, expected):
    heights, ramps = np.zeros((1, 1), int), np.full((1, 1), direction)
    xy = np.array([-0.3, -0.1])  # 0.2 and 0.4 of the tile along x and y.
    got = terrain.surface_height(heights, ramps, xy)
    self.assertAlmostEqual(float(got), expected)

  @parameterized.parameters(
    # In the corners (+, +), (-, +), (-, -), (+, -) of the tile.
    (5, (0.5, 0, 0, 0)),
    (6, (0, 0.5, 0, 0)),
    (7, (0, 0, 0.5, 0)),
    (8, (0, 0, 0, 0.5)),
  )
  def test_surface_of_each_diagonal_cliff(self, form, expected):
    heights, ramps = np.ones((1, 1), int), np.full((1, 1), form)
    xy = 0.3 * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    got = terrain.surface_height(heights, ramps, xy)
    np.testing.assert_allclose(got, 0.5 + np.array(expected))
    # On both sides of each diagonal, 5 cm from the centre.
    got = terrain.surface_height(heights, ramps, xy / 6)
    np.testing.assert_allclose(got, 0.5 + np.array(expected))
    made = terrain.Terrain(heights, ramps, heights)
    self.assertTrue(made.diagonals.all())


if __name__ == "__main__":
  absltest.main()
