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


if __name__ == "__main__":
  absltest.main()
