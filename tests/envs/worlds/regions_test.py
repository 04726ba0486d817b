"""Tests of adaland.envs.worlds.regions."""

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adaland.envs.worlds import regions
from tests.envs.worlds.generation_test import reachable


class FindRegionsTest(absltest.TestCase):
  @settings(max_examples=60, deadline=None)
  @given(
    heights=arrays.arrays(np.int64, (4, 5), elements=st.integers(0, 2)),
    direction=st.integers(1, 8),
    at=st.tuples(st.integers(1, 2), st.integers(1, 3)),
  )
  def test_a_region_is_what_is_reached_there_and_back(
    self, heights, direction, at
  ):
    ramps = np.zeros_like(heights)
    ramps[at] = direction
    found = regions.find_regions(heights, ramps)
    tiles = list(np.ndindex(heights.shape))
    ways = {tile: reachable(heights, ramps, tile) for tile in tiles}
    for a in tiles:
      for b in tiles:
        together = b in ways[a] and a in ways[b]
        self.assertEqual(found[a] == found[b], together)
    self.assertEqual(set(found.ravel()), set(range(found.max() + 1)))

  def test_a_ledge_is_a_way_down_only(self):
    heights = np.array([[0, 0, 1, 1]])
    found = regions.find_regions(heights, np.zeros_like(heights))
    np.testing.assert_array_equal(found, [[0, 0, 1, 1]])


class WaysTest(absltest.TestCase):
  def test_a_closed_border_is_crossed_neither_way(self):
    ground = np.zeros((3, 3), int)
    for axis in range(2):
      # The border between the first line of tiles and the second.
      first = np.indices((3, 3))[axis] == 0
      closed = np.zeros((2, 3, 3), bool)
      closed[axis] = first
      ways = regions.Ways(ground, ground, closed)
      reached = ways.reached_from(np.array([[0, 0]]))
      np.testing.assert_array_equal(reached, first)
      reached = ways.reached_from(np.array([[2, 2]]))
      np.testing.assert_array_equal(reached, ~first)


class ReachableTest(absltest.TestCase):
  def test_what_any_of_several_players_reaches_counts(self):
    heights = np.array([[0, 2, 0, 2, 2, 1]])
    starts = np.array([[0.0, -2.5], [0.0, 1.5], [0.0, -0.5]])
    for count, expected in (
      (1, [1, 0, 0, 0, 0, 0]),
      (2, [1, 0, 1, 1, 1, 1]),
      (3, [1, 0, 1, 1, 1, 1]),
    ):
      found = regions.reachable(heights, 0 * heights, starts[:count])
      np.testing.assert_array_equal(found, [expected])


if __name__ == "__main__":
  absltest.main()
