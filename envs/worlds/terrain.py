"""Terrain: tiles at a few levels, joined by ramps, separated by cliffs.

Arrays are [X, Y]. A tile (i, j) covers x from (i - X / 2) to (i + 1 - X / 2)
tile widths, and y likewise: the arena's centre is the origin. A player can walk
to a neighbouring tile of the same or a lower level, and can climb only on
ramps. A ramp is a tile whose ground rises by one level; it is entered from the
flat tile at its foot, which has its level, and left to the flat tile at its
top. A diagonal cliff is a tile of which one half, beyond a diagonal, is one
level higher. A wall is a tile so much higher than its neighbours that no path
leads up.
"""

from typing import NamedTuple

import numpy as np

from adaland.envs import constants


class Terrain(NamedTuple):
  """The ground of a world.

  Attributes:
    heights: Level of each tile: of a ramp's foot, of a diagonal cliff's lower
      half, int [X, Y].
    ramps: 0 for flat tiles; for ramps the direction in which they climb one
      level (1 +x, 2 +y, 3 -x, 4 -y); for diagonal cliffs the corner in which
      they are one level higher (5 +x+y, 6 -x+y, 7 -x-y, 8 +x-y), int [X, Y].
    regions: Number of each tile's region; tiles of one region can be reached
      from each other, int [X, Y].
  """

  heights: np.ndarray
  ramps: np.ndarray
  regions: np.ndarray

  @property
  def diagonals(self) -> np.ndarray:
    """The tiles that are diagonal cliffs, bool [X, Y]."""
    return self.ramps >= constants.FIRST_DIAGONAL

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


def climbs(x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
  """Returns how many levels each tile form rises above its lowest ground.

  Args:
    x: Position on the tile along x, 0 to 1, float [...].
    y: The same along y.

  Returns:
    Levels by tile form, in the order of `Terrain.ramps`, float [...] each.
  """
  diagonals = (x + y > 1, y > x, x + y < 1, x > y)
  return [0.0 * x, x, y, 1 - x, 1 - y, *(1.0 * high for high in diagonals)]


def surface_height(
  heights: np.ndarray, ramps: np.ndarray, xy: np.ndarray
) -> np.ndarray:
  """Returns the height of the ground, metres.

  Args:
    heights: Level of each tile, [X, Y].
    ramps: Ramps and diagonal cliffs, as in `Terrain`, [X, Y].
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
  climbed = np.choose(ramps[i, j], climbs(x, y))
  return (heights[i, j] + climbed) * constants.LEVEL_METRES
