"""Level ground, on which players and objects can start."""

import numpy as np

from adaland.envs import constants
from adaland.envs.worlds.terrain import Terrain, tile_of

# Free ground around each body; two bodies stay 10 cm apart.
CLEARANCE = 0.05
CANDIDATES = 96
# Largest distance at which the arguments of a negated literal start.
TOGETHER = 0.95


class LevelGround:
  """The level ground of a region of the terrain."""

  def __init__(self, terrain: Terrain, region: np.ndarray):
    self._terrain = terrain
    self._size = np.array(terrain.heights.shape)
    tiles = np.argwhere(region & (terrain.ramps == 0))
    self._centres = (tiles + 0.5 - self._size / 2) * constants.TILE_METRES
    self._flat = terrain.is_flat()

  def _on_level(self, xy: np.ndarray, radius: float) -> np.ndarray:
    """Returns which discs are on flat tiles of one level, bool [n].

    A disc is smaller than a tile, so checking its box's corners suffices.
    """
    heights, ramps, _ = self._terrain
    reach = radius + CLEARANCE
    limit_x, limit_y = self._size / 2 * constants.TILE_METRES - reach
    within = np.abs(xy)
    inside = (within[:, 0] <= limit_x) & (within[:, 1] <= limit_y)
    if self._flat:
      return inside
    corners = reach * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    tiles = tile_of(heights, xy[:, None] + corners)
    levels = heights[tiles[..., 0], tiles[..., 1]]
    flat = ramps[tiles[..., 0], tiles[..., 1]] == 0
    return inside & flat.all(-1) & (levels == levels[:, :1]).all(-1)

  def centres(self, rng: np.random.Generator) -> np.ndarray:
    """Returns the centres of all tiles in random order, [n, 2]."""
    return rng.permutation(self._centres)

  def anywhere(self, rng: np.random.Generator, radius: float) -> np.ndarray:
    """Draws positions on level ground, then adds all tile centres, [n, 2]."""
    which = rng.integers(len(self._centres), size=CANDIDATES)
    drawn = rng.uniform(-0.5, 0.5, (CANDIDATES, 2))
    drawn *= constants.TILE_METRES
    drawn += self._centres[which]
    drawn = drawn[self._on_level(drawn, radius)]
    return np.concatenate([drawn, self.centres(rng)])

  def around(
    self,
    rng: np.random.Generator,
    radius: float,
    centre: np.ndarray,
    nearest: float,
  ) -> np.ndarray:
    """Draws positions from `nearest` to TOGETHER from a centre, [n, 2]."""
    angle = rng.uniform(-np.pi, np.pi, CANDIDATES)
    distance = rng.uniform(nearest, TOGETHER, CANDIDATES)
    xy = centre + distance[:, None] * np.stack(
      [np.cos(angle), np.sin(angle)], 1
    )
    return xy[self.on_level_of(xy, centre, radius)]

  def on_level_of(
    self, xy: np.ndarray, centre: np.ndarray, radius: float
  ) -> np.ndarray:
    """Returns which discs are on flat tiles of a point's level, bool [n]."""
    tiles = tile_of(self._terrain.heights, xy)
    home = tile_of(self._terrain.heights, centre)
    heights = self._terrain.heights
    same = heights[tiles[:, 0], tiles[:, 1]] == heights[home[0], home[1]]
    return same & self._on_level(xy, radius)
