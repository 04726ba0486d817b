"""Tests of adaland.envs.worlds.ramps; generation_test has whole worlds."""

import numpy as np
from absl.testing import absltest

from adaland.envs.worlds import ramps, regions


def make_builder(heights, seed=0):
  return ramps.RampBuilder(np.array(heights), np.random.default_rng(seed))


def cliff():
  """Returns two levels that meet along a cliff of six tiles."""
  return np.repeat([[0], [0], [1], [1]], 6, axis=1)


class RampBuilderTest(absltest.TestCase):
  def test_regions_are_those_of_the_ground_with_its_ramps(self):
    rng = np.random.default_rng(0)
    for seed in range(30):
      heights = rng.integers(3, size=(3, 3)).repeat(2, 0).repeat(2, 1)
      builder = make_builder(heights, seed)
      builder.connect()
      builder.add(3)
      expected = regions.find_regions(builder.heights, builder.ramps)
      pairs = set(zip(builder.regions.flat, expected.flat, strict=True))
      # Equal up to the regions' numbers.
      self.assertLen(pairs, len(np.unique(expected)))
      self.assertLen(pairs, len(np.unique(builder.regions)))

  def test_two_levels_are_joined_by_one_ramp(self):
    where = set()
    for seed in range(20):
      builder = make_builder(cliff(), seed)
      builder.connect()
      self.assertEqual(np.count_nonzero(builder.ramps), 1)
      self.assertTrue((builder.regions == builder.regions[0, 0]).all())
      where.add(int(np.flatnonzero(builder.ramps)[0]))
    self.assertGreater(len(where), 3)

  def test_as_many_ramps_are_added_as_asked_for(self):
    for seed in range(10):
      builder = make_builder(cliff(), seed)
      builder.connect()
      builder.add(0)
      self.assertEqual(np.count_nonzero(builder.ramps), 1)
      builder.add(2)
      self.assertEqual(np.count_nonzero(builder.ramps), 3)
      builder.add(99)  # As many as there is room for.
      self.assertEqual(np.count_nonzero(builder.ramps), 6)

  def test_ground_that_no_ramp_can_join_is_levelled(self):
    # A ramp joins the plateau's two levels, but none leads up to it.
    heights = np.zeros((3, 7), int)
    heights[0, :4] = 2, 2, 3, 3
    builder = make_builder(heights)
    builder.connect()
    self.assertEqual(builder.ramps[0].tolist(), [0, 2, 0, 0, 0, 0, 0])
    self.assertTrue(builder.absorb())
    self.assertFalse(builder.heights.any())
    self.assertFalse(builder.ramps.any())
    self.assertFalse(builder.regions.any())

  def test_a_tile_between_ramps_cannot_be_levelled(self):
    # Ramps can't be entered from their sides.
    builder = make_builder([[0, 0, 1], [0, 0, 1], [1, 1, 2]])
    builder.ramps[:] = [[0, 2, 0], [1, 0, 1], [0, 2, 0]]
    builder.regions = regions.find_regions(builder.heights, builder.ramps)
    self.assertFalse(builder.absorb())


if __name__ == "__main__":
  absltest.main()
