"""Tests of adaland.envs.worlds.terrain."""

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs.tasks.task import World
from adaland.envs.worlds import terrain


def reachable(heights, ramps, start):
  """Tiles walked to from a tile, by a plain search written from the rules."""
  found, border = {start}, [start]
  while border:
    x, y = border.pop()
    for direction, (dx, dy) in enumerate(terrain.DIRECTIONS):
      i, j = x + dx, y + dy
      if not (0 <= i < heights.shape[0] and 0 <= j < heights.shape[1]):
        continue
      here, there = ramps[x, y], ramps[i, j]
      opposite = {1: 3, 2: 4, 3: 1, 4: 2}
      if not here and not there:
        walks = heights[i, j] <= heights[x, y]
      elif here and there:
        walks = False
      else:
        # Along the ramp's line only: up to its top or down to its foot.
        ramp = here or there
        walks = direction in (ramp, opposite[ramp])
      if walks and (i, j) not in found:
        found.add((i, j))
        border.append((i, j))
  return found


worlds = st.builds(
  World,
  seed=st.integers(0, 10_000),
  tiles=st.tuples(st.integers(3, 14), st.integers(3, 14)),
  levels=st.integers(1, 4),
)


class TerrainTest(parameterized.TestCase):
  @settings(max_examples=60, deadline=None)
  @given(world=worlds)
  def test_every_tile_is_reached_from_every_other(self, world):
    heights, ramps, _ = terrain.make_terrain(world)
    self.assertEqual(heights.shape, world.tiles)
    self.assertBetween(heights.max(), 0, world.levels - 1)
    self.assertBetween(heights.min(), 0, world.levels - 1)
    everything = set(np.ndindex(heights.shape))
    rng = np.random.default_rng(world.seed)
    for start in rng.permutation(sorted(everything))[:5]:
      self.assertEqual(
        reachable(heights, ramps, tuple(map(int, start))), everything
      )

  @settings(max_examples=60, deadline=None)
  @given(world=worlds)
  def test_ramps_have_foot_and_top(self, world):
    heights, ramps, _ = terrain.make_terrain(world)
    for x, y in np.argwhere(ramps):
      dx, dy = terrain.DIRECTIONS[ramps[x, y]]
      foot, top = (x - dx, y - dy), (x + dx, y + dy)
      self.assertEqual(heights[foot], heights[x, y])
      self.assertEqual(heights[top], heights[x, y] + 1)
      self.assertEqual(ramps[foot], 0)
      self.assertEqual(ramps[top], 0)

  def test_levels_and_ramps_do_occur(self):
    made = [terrain.make_terrain(World(s, (10, 10), 3)) for s in range(20)]
    self.assertGreater(np.mean([x.heights.max() for x in made]), 1)
    self.assertGreater(np.mean([(x.ramps > 0).sum() for x in made]), 2)

  def test_same_seed_same_terrain(self):
    first = terrain.make_terrain(World(5, (9, 12), 4))
    terrain.make_terrain.cache_clear()
    second = terrain.make_terrain(World(5, (9, 12), 4))
    other = terrain.make_terrain(World(6, (9, 12), 4))
    for a, b in zip(first, second, strict=True):
      np.testing.assert_array_equal(a, b)
    self.assertTrue((first.heights != other.heights).any())

  def test_hand_made_plateau_gets_a_ramp(self):
    heights = ((0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 1))
    made = terrain.make_terrain(World(0, (3, 4), 2, heights))
    np.testing.assert_array_equal(made.heights, heights)
    # Only column 2 has tiles with a foot before and a top behind.
    self.assertEqual((made.ramps > 0).sum(), 1)
    self.assertEqual(set(made.ramps[:, 2]), {0, 2})
    self.assertTrue(made.main_region().all())

  def test_flat_ground_is_all_on_the_lowest_level(self):
    flat = terrain.make_terrain(World(tiles=(4, 4)))
    self.assertTrue(flat.is_flat())
    for changed in ("heights", "ramps"):
      array = np.zeros((4, 4), int)
      array[2, 1] = 1
      self.assertFalse(flat._replace(**{changed: array}).is_flat())

  def test_unreachable_pillar_is_its_own_region(self):
    heights = ((2, 0, 0), (0, 0, 0), (0, 0, 0))
    made = terrain.make_terrain(World(0, (3, 3), 3, heights))
    main = made.main_region()
    self.assertFalse(main[0, 0])
    self.assertEqual(main.sum(), 8)

  @parameterized.parameters(
    # The arena is 3 x 2 tiles: x from -1.5 to 1.5, y from -1 to 1.
    ((-1.0, -0.5), 0.0),
    ((-0.25, 0.5), 0.125),  # A quarter up the ramp of half a metre.
    ((0.25, 0.5), 0.375),
    ((0.75, 0.9), 0.5),
    ((9.0, 0.5), 0.5),  # Outside: as the nearest tile.
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


if __name__ == "__main__":
  absltest.main()
