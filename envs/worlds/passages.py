"""Passages that frozen objects close.

A frozen object can't be pushed aside, so one in a narrow passage may divide the
ground.
"""

import numpy as np

from adaland.envs import constants
from adaland.envs.worlds.regions import Ways
from adaland.envs.worlds.terrain import Terrain, tile_of

# Width of a gap that a player can walk through, metres.
_WIDE = 2 * constants.AVATAR_RADIUS + 0.05
_HALF = constants.TILE_METRES / 2
_ROUNDING = 1e-6


def divides(
  terrain: Terrain, start: np.ndarray, xy: np.ndarray, radii: np.ndarray
) -> bool:
  """Returns True if discs divide the ground on which a player starts.

  A disc closes the border of two tiles if it is within half a tile of this
  border, and the gaps between the disc and the ends of the border are too
  narrow for a player.

  Args:
    terrain: The ground.
    start: Where the player starts, metres, float [2].
    xy: Centres of the discs, metres, float [n, 2].
    radii: Their radii, metres, float [n].
  """
  size = terrain.heights.shape
  x, y = tile_of(terrain.heights, start).tolist()
  tiles = np.indices(size).transpose(1, 2, 0) + 0.5  # [X, Y, 2]
  tiles = (tiles - np.array(size) / 2) * constants.TILE_METRES
  borders = tiles[None] + _HALF * np.eye(2)[:, None, None]
  away = np.abs(xy - borders[..., None, :])  # [2, X, Y, n, 2]
  narrow = _HALF + away - radii[:, None] < _WIDE
  across = away <= _HALF + _ROUNDING
  closed = [
    (across[a, ..., a] & narrow[a, ..., 1 - a]).any(-1) for a in range(2)
  ]
  # Nobody has to walk to where a disc is.
  away = np.abs(xy - tiles[:, :, None])
  filled = (_HALF + away - radii[:, None] < _WIDE).all(-1).any(-1)
  ground = (terrain.regions == terrain.regions[x, y]) & ~filled
  ways = Ways(terrain.heights, terrain.ramps, np.array(closed))
  return bool((ground & ~ways.region(x, y)).any())
