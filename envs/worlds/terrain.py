"""Terrain: tiles at a few levels, joined by ramps, separated by cliffs.

Arrays are [X, Y]. A tile (i, j) covers x from (i - X / 2) to (i + 1 - X / 2)
tile widths, y likewise: the arena's centre is the origin. A player walks to a
neighbouring tile of the same level or lower, and climbs by ramps only. A ramp
is a tile whose ground rises by one level; it is entered from the flat tile at
its foot, which has its level, and left to the flat tile at its top.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from adaland.envs import constants
from adaland.envs.tasks.task import World

# By ramp id: the step from a ramp to the tile at its top (see physics.base).
DIRECTIONS = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))
_ATTEMPTS = 16


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


def find_regions(heights: np.ndarray, ramps: np.ndarray) -> np.ndarray:
  """Numbers the strongly connected sets of tiles, int [X, Y]."""
  index = np.arange(heights.size).reshape(heights.shape)
  flat = ramps == 0
  starts, ends = [], []
  lower = (np.s_[:-1, :], np.s_[:, :-1])
  upper = (np.s_[1:, :], np.s_[:, 1:])
  for a, b in zip(lower + upper, upper + lower, strict=True):
    walks = flat[a] & flat[b] & (heights[a] >= heights[b])
    starts.append(index[a][walks])
    ends.append(index[b][walks])
  for x, y in np.argwhere(ramps):
    dx, dy = DIRECTIONS[ramps[x, y]]
    here = index[x, y]
    for there in (index[x - dx, y - dy], index[x + dx, y + dy]):
      starts.append([here, there])
      ends.append([there, here])
  rows, columns = np.concatenate(starts), np.concatenate(ends)
  graph = sparse.csr_matrix(
    (np.ones(len(rows), np.int8), (rows, columns)), shape=(index.size,) * 2
  )
  _, labels = csgraph.connected_components(graph, connection="strong")
  return labels.reshape(heights.shape)


def _ramp_candidates(heights: np.ndarray) -> np.ndarray:
  """Returns all (x, y, direction) at which levels allow a ramp, [n, 3]."""
  found = []
  for direction in range(1, 5):
    dx, dy = DIRECTIONS[direction]
    # Rolling wraps around, so that tiles at the border are masked out.
    foot = np.roll(heights, (dx, dy), (0, 1))
    top = np.roll(heights, (-dx, -dy), (0, 1))
    fits = (foot == heights) & (top == heights + 1)
    if dx:
      fits[[0, -1]] = False
    else:
      fits[:, [0, -1]] = False
    tiles = np.argwhere(fits)
    found.append(np.insert(tiles, 2, direction, axis=1))
  return np.concatenate(found)


class _RampBuilder:
  """A terrain to which ramps are added one by one."""

  def __init__(self, heights: np.ndarray, rng: np.random.Generator):
    self.heights = heights
    self.ramps = np.zeros_like(heights)
    self.regions = find_regions(heights, self.ramps)
    self._ends = np.zeros(heights.shape, bool)  # Feet and tops of ramps.
    self._rng = rng

  def _count(self) -> int:
    return int(self.regions.max()) + 1

  def _try(self, x: int, y: int, direction: int, joins: bool) -> bool:
    dx, dy = DIRECTIONS[direction]
    foot, top = (x - dx, y - dy), (x + dx, y + dy)
    if (
      self.ramps[x, y]
      or self._ends[x, y]
      or self.ramps[foot]
      or self.ramps[top]
    ):
      return False
    if joins and self.regions[foot] == self.regions[top]:
      return False
    before, count = self.regions, self._count()
    self.ramps[x, y] = direction
    self.regions = find_regions(self.heights, self.ramps)
    if self._count() > count - joins:
      # The ramp would cut off the tiles beyond it.
      self.ramps[x, y] = 0
      self.regions = before
      return False
    self._ends[foot] = self._ends[top] = True
    return True

  def connect(self) -> None:
    """Adds a ramp wherever one joins two regions."""
    for candidate in self._rng.permutation(_ramp_candidates(self.heights)):
      self._try(*candidate, joins=True)

  def absorb(self) -> bool:
    """Levels tiles that no ramp could join; returns True if all are joined."""
    while self._count() > 1:
      main = Terrain(self.heights, self.ramps, self.regions).main_region()
      self.ramps[~main] = 0
      flat_main = main & (self.ramps == 0)
      changed = False
      for x, y in np.argwhere(~main):
        for dx, dy in DIRECTIONS[1:]:
          i, j = x + dx, y + dy
          if (
            0 <= i < main.shape[0]
            and 0 <= j < main.shape[1]
            and flat_main[i, j]
          ):
            self.heights[x, y] = self.heights[i, j]
            changed = True
            break
      if not changed:
        return False
      self.regions = find_regions(self.heights, self.ramps)
    return True

  def add(self, count: int) -> None:
    """Adds up to `count` more ramps, for shorter ways."""
    for candidate in self._rng.permutation(_ramp_candidates(self.heights)):
      if count <= 0:
        return
      count -= self._try(*candidate, joins=False)


def _draw_heights(world: World, rng: np.random.Generator) -> np.ndarray:
  """Stacks rectangular plateaus, each level on top of the one below."""
  heights = np.zeros(world.tiles, np.int64)
  for level in range(1, world.levels):
    for _ in range(rng.integers(1, 3 + heights.size // 50)):
      below = np.argwhere(heights == level - 1)
      if not len(below):
        break
      x, y = below[rng.integers(len(below))]
      size = [rng.integers(2, 2 + max(1, side // 2)) for side in world.tiles]
      x0, y0 = max(0, x - size[0] // 2), max(0, y - size[1] // 2)
      plateau = heights[x0 : x0 + size[0], y0 : y0 + size[1]]
      np.maximum(plateau, level, out=plateau)
  return heights


@functools.lru_cache(maxsize=256)
def _flat_room(tiles: tuple[int, int]) -> Terrain:
  """Returns the terrain of flat rooms of a size, made once."""
  arrays = tuple(np.zeros(tiles, np.int64) for _ in Terrain._fields)
  for array in arrays:
    array.setflags(write=False)
  return Terrain(*arrays)


@functools.lru_cache(maxsize=1024)
def make_terrain(world: World) -> Terrain:
  """Generates a world's ground, a pure function of the world.

  Generated terrain is one region. Terrain given by heights gets ramps where
  they join regions and is otherwise unchanged: it may have several regions.

  Args:
    world: The world's size, and its seed or heights.

  Returns:
    The terrain; its arrays are shared between calls and read-only.
  """
  if world.heights is None and world.levels == 1:
    return _flat_room(world.tiles)
  seed = np.random.SeedSequence([world.seed, 0])
  rng = np.random.Generator(np.random.PCG64(seed))
  if world.heights is not None:
    builder = _RampBuilder(np.array(world.heights, np.int64), rng)
    builder.connect()
  else:
    for attempt in range(_ATTEMPTS + 1):
      # The last attempt is a flat room, which is always one region.
      heights = (
        _draw_heights(world, rng)
        if attempt < _ATTEMPTS
        else np.zeros(world.tiles, np.int64)
      )
      builder = _RampBuilder(heights, rng)
      builder.connect()
      if builder.absorb():
        break
    builder.add(world.levels - 1)
  arrays = (builder.heights, builder.ramps, builder.regions)
  for array in arrays:
    array.setflags(write=False)
  return Terrain(*arrays)


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
