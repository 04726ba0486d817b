"""Tests of adaland.envs.expert.ways.navigate."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.ways import navigate


class NavigateTest(absltest.TestCase):
  def paths(self, heights, ramps, end, penalty=None):
    ground = navigate.make_ground(np.array(heights), np.array(ramps))
    if penalty is None:
      penalty = np.zeros(len(ground.centres))
    ends = np.array([ground.cell_of(np.array(end))])
    return ground, navigate.find_paths(ground, ends, penalty)

  def test_straight_and_diagonal_in_a_flat_room(self):
    ground, paths = self.paths(
      np.zeros([4, 4]), np.zeros([4, 4], int), [-1.75, -1.75]
    )
    self.assertEqual(ground.shape, (8, 8))
    # Seven cells of half a metre along x, and along the diagonal.
    self.assertAlmostEqual(
      paths.cost[ground.cell_of(np.array([1.75, -1.75]))], 3.5
    )
    self.assertAlmostEqual(
      paths.cost[ground.cell_of(np.array([1.75, 1.75]))], 3.5 * 2**0.5
    )

  def test_cliffs_are_fallen_off_and_not_climbed(self):
    heights = [[0, 0, 0], [1, 1, 1], [1, 1, 1]]
    flat = np.zeros([3, 3], int)
    ground, paths = self.paths(heights, flat, [1.25, 0.25])
    below = ground.cell_of(np.array([-1.25, 0.25]))
    self.assertTrue(np.isinf(paths.cost[below]))
    ground, paths = self.paths(heights, flat, [-1.25, 0.25])
    above = ground.cell_of(np.array([1.25, 0.25]))
    # Five cells of half a metre, and the fall's cost of one.
    self.assertAlmostEqual(paths.cost[above], 2.5 + 1.0)

  def test_ramp_is_climbed_only_in_its_direction(self):
    heights = [[0, 0, 0], [0, 1, 1], [1, 1, 1]]
    ramps = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])
    ground, paths = self.paths(heights, ramps, [1.25, 1.25])
    start = ground.cell_of(np.array([-1.25, 1.25]))
    self.assertTrue(np.isfinite(paths.cost[start]))
    cell, passed = start, set()
    while paths.following[cell] >= 0:
      cell = paths.following[cell]
      passed.add(tuple(np.floor(ground.centres[cell] + 1.5).astype(int)))
    self.assertIn((1, 0), passed)  # The only ramp.

  def test_penalty_is_walked_around(self):
    penalty = np.zeros([8, 8])
    penalty[3, 1:] = 100.0  # A barrier with a gap at the lower end.
    ground, paths = self.paths(
      np.zeros([4, 4]), np.zeros([4, 4], int), [1.75, 1.75], penalty.reshape(-1)
    )
    cost = paths.cost[ground.cell_of(np.array([-1.75, 1.75]))]
    self.assertLess(cost, 12.0)
    self.assertGreater(cost, 6.0)

  def test_next_point_looks_straight_ahead(self):
    ground, paths = self.paths(
      np.zeros([4, 4]), np.zeros([4, 4], int), [1.75, -1.75]
    )
    point = navigate.next_point(ground, paths, np.array([-1.7, -1.8]))
    assert point is not None
    np.testing.assert_allclose(point, [1.75, -1.75])

  def test_next_point_cuts_the_corners_of_a_path(self):
    flat = np.zeros([8, 8]), np.zeros([8, 8], int)
    ground, paths = self.paths(*flat, [2.75, 1.25])
    # The path from cell to cell has diagonals and straights, but all is free.
    start = np.array([-2.75, -1.25])
    point = navigate.next_point(ground, paths, start)
    assert point is not None
    np.testing.assert_allclose(point, [2.75, 1.25])

  def test_next_point_goes_around_what_is_in_the_way(self):
    penalty = np.zeros([8, 8])
    penalty[3:5, :6] = 50.0
    ground, paths = self.paths(
      np.zeros([4, 4]),
      np.zeros([4, 4], int),
      [1.75, -1.75],
      penalty.reshape(-1),
    )
    point = navigate.next_point(ground, paths, np.array([-1.75, -1.75]))
    assert point is not None
    self.assertGreater(point[1], 0.5)

  def test_distances(self):
    # Two cliffs, and a fall of a metre that can only be taken downwards.
    heights = np.array([[2, 2], [0, 0]])
    ground = navigate.make_ground(heights, 0 * heights)
    high, low = (ground.cell_of(np.array([x, 0.75])) for x in (-0.75, 0.75))
    metres = navigate.distances(ground, np.array([high, low]))
    self.assertAlmostEqual(metres[0, low], 1.5 + 1.0)
    self.assertEqual(metres[1, high], np.inf)

  def test_ground_blocks_sight(self):
    heights = np.array([[0, 0, 0], [3, 3, 3], [0, 0, 0]])
    ground = navigate.make_ground(heights, 0 * heights)
    eyes = np.array([[-1.2, 0.0, 0.85], [-1.2, 0.0, 6.0], [1.2, 1.0, 0.85]])
    seen = navigate.in_sight(ground, eyes, np.array([1.2, 0.0, 0.2]))
    np.testing.assert_array_equal(seen, [False, True, True])


if __name__ == "__main__":
  absltest.main()
