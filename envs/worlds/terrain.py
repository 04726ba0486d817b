"""Terrain: tiles at a few levels, joined by ramps, separated by cliffs.

Arrays are [X, Y]. A tile (i, j) covers x from (i - X / 2) to (i + 1 - X / 2)
tile widths, y likewise: the arena's centre is the origin. A player walks to a
neighbouring tile of the same level or lower, and climbs by ramps only. A ramp
is a tile whose ground rises by one level; it is entered from the flat tile at
its foot, which has its level, and left to the flat tile at its top. A wall is a
tile so much higher than those around it that no way leads up.
"""

from typing import NamedTuple

import numpy as np

from adaland.envs import constants


class Terrain(NamedTuple):
  """The ground of a world.

  Attributes:
    heights: Level of each tile, of its foot for a ramp, int [X, Y].
    ramps: Direction in which the tile climbs one level (1 +x, 2 +y, 3 -x, 4
      -y), 0 for flat tiles, int [X, Y].
    regions: Number of each tile's region; tiles of one region can be reached
      from each other, int [X, Y].
  """

  heights: np.ndarray
  ramps: np.ndarray
  regions: np.ndarray

  def main_region(self) -> np.ndarray:
    """Returns the tiles of the largest region, bool [X, Y]."""
    return self.regions == np.bincount(self.regions.ravel()).argmax()

  def is_flat(self) -> bool:
    """Returns True if all ground is on the lowest level."""
    return not (self.heights.any() or self.ramps.any())


def tile_of(heights: np.ndarray, xy: np.ndarray) -> np.ndarray:
  """Returns the tiles under points, the nearest tile for points outside.

  Args:
    heights: An array of the arena's shape, [X, Y].
    xy: Metres from the centre, float [..., 2].

  Returns:
    Tile indices, int [..., 2].
  """
  size = np.array(heights.shape)
  tiles = np.floor(np.asarray(xy) / constants.TILE_METRES + size / 2)
  return np.clip(tiles, 0, size - 1).astype(np.int64)


def surface_height(
  heights: np.ndarray, ramps: np.ndarray, xy: np.ndarray
) -> np.ndarray:
  """Returns the height of the ground, metres.

  Args:
    heights: Level of each tile, [X, Y].
    ramps: Directions of ramps, [X, Y].
    xy: Metres from the centre, float [..., 2].

  Returns:
    Metres above the ground of level 0, float [...].
  """
  tiles = tile_of(heights, xy)
  i, j = tiles[..., 0], tiles[..., 1]
  within = (
    np.asarray(xy) / constants.TILE_METRES + np.array(heights.shape) / 2 - tiles
  )
  within = np.clip(within, 0.0, 1.0)
  x, y = within[..., 0], within[..., 1]
  climbed = np.choose(ramps[i, j], [0.0 * x, x, y, 1 - x, 1 - y])
  return (heights[i, j] + climbed) * constants.LEVEL_METRES
