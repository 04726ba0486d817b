"""Tests of adaland.envs.worlds.diagonals; generation_test has whole worlds."""

import numpy as np
from absl.testing import absltest

from adaland.envs.worlds import diagonals


class AddDiagonalsTest(absltest.TestCase):
  def test_a_hand_made_corner_is_cut_from_either_level(self):
    rng = np.random.default_rng(0)
    x, y = np.indices((6, 6))
    heights = ((x >= 3) | (y >= 3)).astype(int)
    for level in (0, 1):
      heights[2, 2] = level
      for ramp, expected in ((0, 5), (1, 0)):  # Off the corner; next to it.
        ramps = np.zeros_like(heights)
        ramps[ramp, 2] = 2
        cut, forms = diagonals.add_diagonals(heights, ramps, 3, rng)
        self.assertEqual(forms[2, 2], expected)
        self.assertEqual(cut[2, 2], 0 if expected else level)

  def test_a_corner_that_is_the_only_way_is_not_cut(self):
    # A path on level 1 with a bend; its one ramp is at its end.
    heights, ramps = np.zeros((2, 5, 7), int)
    heights[1:4, 1] = heights[1, 1:4] = 1
    ramps[1, 4] = 4
    for seed in range(5):
      rng = np.random.default_rng(seed)
      _, forms = diagonals.add_diagonals(heights, ramps, 9, rng)
      # Inside the bend, a cut takes nothing from the path.
      self.assertEqual((forms[1, 1], forms[2, 2]), (0, 7))

  def test_a_corner_of_two_levels_is_not_cut(self):
    x, y = np.indices((6, 7))
    heights = 2 * ((x >= 3) | (y >= 3))
    ramps = np.zeros_like(heights)
    heights[0], ramps[0] = (0, 0, 0, 0, 1, 1, 2), (0, 0, 0, 2, 0, 2, 0)
    rng = np.random.default_rng(0)
    _, forms = diagonals.add_diagonals(heights, ramps, 9, rng)
    np.testing.assert_array_equal(forms, ramps)

  def test_none_are_added_where_none_are_asked_for(self):
    x, y = np.indices((6, 6))
    heights = ((x >= 3) | (y >= 3)).astype(int)
    ramps = np.zeros_like(heights)
    ramps[0, 2] = 2
    rng = np.random.default_rng(0)
    cut, forms = diagonals.add_diagonals(heights, ramps, 0, rng)
    np.testing.assert_array_equal(cut, heights)
    np.testing.assert_array_equal(forms, ramps)


if __name__ == "__main__":
  absltest.main()
