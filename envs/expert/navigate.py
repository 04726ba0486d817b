"""Where to walk: cheapest ways over a world's ground.

The arena is cut into square cells of half a tile. A step from a cell to one of
its eight neighbours is open where the ground doesn't rise by more than a
sole's height on the way; falling off a ledge is allowed at a cost. The map
(`Ground`) belongs to a world; costs near objects change from call to call.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from adaland.envs import constants
from adaland.envs.worlds import terrain

CELLS_PER_TILE = 2
CELL_METRES = constants.TILE_METRES / CELLS_PER_TILE
# Rise between two points this far apart that feet climb; a ramp's is 0.04.
_PROBE_METRES = 0.08
_MAX_RISE = 0.1
# A fall's cost in metres of detour: the way back may be long.
_FALL_COST = 1.0
_MIN_FALL = 0.2
_NEIGHBOURS = tuple(
  (dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy
)


class Ground(NamedTuple):
  """Cells of one world and the steps between them.

  Attributes:
    heights, ramps: The world's tiles, as in `physics.base.Scene`.
    shape: Cells along x and y.
    centres: Of the cells, metres, float [C, 2].
    height: Of the ground at the centres, metres, float [C].
    source: Cell that each step leaves, int [E].
    target: Cell that each step enters, int [E].
    length: Metres of each step, falls included, float [E].
  """

  heights: np.ndarray
  ramps: np.ndarray
  shape: tuple[int, int]
  centres: np.ndarray
  height: np.ndarray
  source: np.ndarray
  target: np.ndarray
  length: np.ndarray

  def cell_of(self, xy: np.ndarray) -> int:
    """The cell that holds a point; points outside count as at the rim."""
    place = np.asarray(xy) / CELL_METRES + np.array(self.shape) / 2
    i, j = np.clip(np.floor(place), 0, np.array(self.shape) - 1).astype(int)
    return int(i * self.shape[1] + j)


class Way(NamedTuple):
  """Cheapest ways from everywhere to a set of cells.

  Attributes:
    cost: Metres and penalties to go, infinite where there's no way, float [C].
    following: Next cell on the way, -1 at the end or where there's none,
      int [C].
  """

  cost: np.ndarray
  following: np.ndarray


def make_ground(heights: np.ndarray, ramps: np.ndarray) -> Ground:
  """Maps a world.

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Direction in which each tile climbs, as in `physics.base.Scene`.

  Returns:
    The map.
  """
  shape = (heights.shape[0] * CELLS_PER_TILE, heights.shape[1] * CELLS_PER_TILE)
  i, j = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
  centres = np.stack(
    [(i + 0.5 - shape[0] / 2), (j + 0.5 - shape[1] / 2)], axis=-1
  ).reshape(-1, 2)
  centres = centres * CELL_METRES

  def height_at(xy):
    return terrain.surface_height(heights, ramps, xy)

  straight: dict[tuple[int, int], np.ndarray] = {}
  fall: dict[tuple[int, int], np.ndarray] = {}
  for dx, dy in _NEIGHBOURS:
    step = np.array([dx, dy], float)
    # Heights along the step, from centre to centre, for feet half a radius
    # to either side of the line too: an avatar is not a point.
    along = np.arange(0.0, 1.0 + 1e-6, _PROBE_METRES / CELL_METRES)
    side = np.array([-dy, dx]) / np.hypot(dx, dy) * constants.AVATAR_RADIUS / 2
    open_, lowest = np.ones(len(centres), bool), np.zeros(len(centres))
    for shift in (-1, 0, 1):
      points = (
        centres[:, None] + along[:, None] * step * CELL_METRES + shift * side
      )
      profile = height_at(points)  # [C, K]
      rise = np.diff(profile, axis=1)
      open_ &= np.all(rise <= _MAX_RISE, axis=1)
      lowest = np.minimum(lowest, np.min(rise, axis=1))
    ni, nj = i + dx, j + dy
    inside = (ni >= 0) & (nj >= 0) & (ni < shape[0]) & (nj < shape[1])
    straight[dx, dy] = open_ & inside.reshape(-1)
    fall[dx, dy] = lowest < -_MIN_FALL

  source, target, length = [], [], []
  for (dx, dy), open_ in straight.items():
    if dx and dy:
      # No cutting of corners: both ways around must be open and level.
      around = straight[dx, 0] & straight[0, dy] & ~fall[dx, dy]
      open_ = open_ & around & ~fall[dx, 0] & ~fall[0, dy]
    cells = np.flatnonzero(open_)
    source.append(cells)
    target.append(cells + dx * shape[1] + dy)
    length.append(
      np.hypot(dx, dy) * CELL_METRES + _FALL_COST * fall[dx, dy][cells]
    )
  return Ground(
    heights,
    ramps,
    shape,
    centres,
    height_at(centres),
    np.concatenate(source),
    np.concatenate(target),
    np.concatenate(length),
  )


def find_ways(ground: Ground, ends: np.ndarray, penalty: np.ndarray) -> Way:
  """Cheapest ways to any of some cells.

  Args:
    ground: The map.
    ends: Cells to reach, int [K], at least one.
    penalty: Extra cost per metre of being in each cell, float [C].

  Returns:
    The ways.
  """
  factor = 1 + (penalty[ground.source] + penalty[ground.target]) / 2
  num_cells = len(ground.centres)
  # From the ends backwards, so each step's direction is turned around.
  graph = sparse.csr_matrix(
    (ground.length * factor, (ground.target, ground.source)),
    shape=(num_cells, num_cells),
  )
  cost, following, _ = csgraph.dijkstra(
    graph, indices=ends, min_only=True, return_predecessors=True
  )
  return Way(cost, np.where(following < 0, -1, following))


def in_sight(ground: Ground, eyes: np.ndarray, point: np.ndarray) -> np.ndarray:
  """Whether the ground leaves the lines from eyes to a point free, bool [K].

  Args:
    ground: The map.
    eyes: Float [K, 3].
    point: Float [3].
  """
  share = np.linspace(0.05, 0.95, 12)[:, None]
  line = eyes[:, None] + share * (point - eyes)[:, None]  # [K, 12, 3]
  below = terrain.surface_height(ground.heights, ground.ramps, line[..., :2])
  return np.all(below < line[..., 2], axis=1)


def next_point(ground: Ground, way: Way, xy: np.ndarray) -> np.ndarray | None:
  """The farthest point straight ahead on the way, None where there's no way.

  Looks at most four cells ahead, and no further than the way goes straight.
  """
  cell = ground.cell_of(xy)
  if not np.isfinite(way.cost[cell]):
    return None
  if way.following[cell] < 0:
    return ground.centres[cell]
  first = way.following[cell]
  step = first - cell
  cell = first
  # Off the cell's centre line one first gets back on it, one cell ahead.
  for _ in range(3):
    if way.following[cell] - cell != step:
      break
    cell = way.following[cell]
  return ground.centres[cell]
