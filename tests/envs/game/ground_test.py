"""Tests of ground heights against hand-computed numbers and NumPy's version."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.game import ground
from adaland.envs.worlds import terrain

_height = jax.jit(ground.surface_height)
_POINTS = 400


def _padded(small):
  whole = np.zeros((constants.MAX_TILES, constants.MAX_TILES), np.int32)
  small = np.asarray(small)
  whole[: small.shape[0], : small.shape[1]] = small
  return whole


def _heights(heights, ramps, xy):
  """Returns heights of points, padded to one shape to compile only once."""
  xy = np.asarray(xy, np.float32).reshape(-1, 2)
  points = np.zeros((_POINTS, 2), np.float32)
  points[: len(xy)] = xy
  tiles = np.array(np.shape(heights), np.int32)
  result = _height(_padded(heights), _padded(ramps), tiles, points)
  return np.asarray(result)[: len(xy)]


class SurfaceHeightTest(parameterized.TestCase):
  def test_flat_tiles(self):
    # Tiles of one metre; the arena covers -1 to 1 by -1.5 to 1.5.
    heights = [[0, 1, 2], [3, 2, 1]]
    xy = [(-0.5, -1), (-0.5, 0), (-0.5, 1), (0.5, -1), (0.9, 0.4), (0.1, 0.6)]
    np.testing.assert_allclose(
      _heights(heights, np.zeros((2, 3)), xy), [0, 0.5, 1, 1.5, 1, 0.5]
    )

  @parameterized.parameters(
    (1, (0.25, 0.0), 0.75),  # Climbs to +x.
    (2, (0.0, 0.25), 0.75),
    (3, (0.25, 0.0), 0.25),
    (4, (0.0, 0.25), 0.25),
  )
  def test_ramps_climb_one_level_over_one_tile(self, ramp, at, share):
    heights, ramps = np.ones((1, 1)), np.full((1, 1), ramp)
    np.testing.assert_allclose(
      _heights(heights, ramps, at), [0.5 * (1 + share)], atol=1e-6
    )

  def test_points_outside_get_the_height_of_the_nearest_tile(self):
    heights, ramps = [[0, 1], [2, 3]], [[0, 0], [0, 2]]
    xy = [(-9, -9), (-9, 9), (9, -9), (9, 9)]
    np.testing.assert_allclose(
      _heights(heights, ramps, xy), [0, 0.5, 1, 0.5 * (3 + 1)]
    )

  def test_equals_the_height_with_which_worlds_are_built(self):
    rng = np.random.default_rng(0)
    for shape in ((7, 4), (constants.MAX_TILES, constants.MAX_TILES)):
      heights = rng.integers(0, constants.MAX_LEVELS, shape)
      ramps = rng.integers(0, 9, shape)
      size = np.array(shape) * constants.TILE_METRES
      xy = rng.uniform(-0.6, 0.6, (_POINTS, 2)) * size
      # Float32 as in the engine, so that rounding never changes the tile.
      xy = xy.astype(np.float32)
      np.testing.assert_allclose(
        _heights(heights, ramps, xy),
        terrain.surface_height(heights, ramps, xy),
        atol=1e-4,
      )


if __name__ == "__main__":
  absltest.main()
