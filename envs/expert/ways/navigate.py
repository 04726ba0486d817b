"""Cheapest paths over a world's ground.

The arena is divided into square cells of half a tile. A step from a cell to one
of its eight neighbours is open if the ground doesn't rise by more than an
avatar can climb; falling off a ledge is allowed at a cost. The map (`Ground`)
belongs to a world; costs near objects change from call to call.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from adaland.envs import constants
from adaland.envs.worlds import terrain

CELLS_PER_TILE = 2
CELL_METRES = constants.TILE_METRES / CELLS_PER_TILE
# Distance between probed points, and the largest rise between two of them that
# an avatar can climb; the rise of a ramp is 0.04.
_PROBE_METRES = 0.08
_MAX_RISE = 0.1
# Cost of a fall in metres of detour: the path back may be long.
_FALL_COST = 1.0
_MIN_FALL = 0.2
# Cells of a path among which to look for the farthest one to walk straight to.
_LOOKAHEAD = 13
_NEIGHBOURS = tuple(
  (dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy
)


class Ground(NamedTuple):
  """Cells of one world and the steps between them.

  Attributes:
    heights, ramps: The world's tiles, as in `physics.base.Scene`.
    shape: Cells along x and y.
    centres: Centres of the cells, metres, float [C, 2].
    height: Height of the ground at the centres, metres, float [C].
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
    """Returns the cell of a point, the nearest cell for points outside."""
    cells = np.asarray(xy) / CELL_METRES + np.array(self.shape) / 2
    i, j = np.clip(np.floor(cells), 0, np.array(self.shape) - 1).astype(int)
    return int(i * self.shape[1] + j)


class Paths(NamedTuple):
  """Cheapest paths from all cells to a set of cells.

  Attributes:
    cost: Remaining metres and penalties, infinite without a path, float [C].
    following: Next cell on the path, -1 at its end or without a path, int [C].
    penalty: Extra cost per metre in each cell, float [C].
  """

  cost: np.ndarray
  following: np.ndarray
  penalty: np.ndarray


def make_ground(heights: np.ndarray, ramps: np.ndarray) -> Ground:
  """Maps a world.

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Ramps and diagonal cliffs, as in `physics.base.Scene`.

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
    # Heights along the step, from centre to centre, and half a radius to each
    # side of the line, since an avatar is not a point.
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
      # No cutting of corners: both steps around them must be open and level.
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


@functools.lru_cache(maxsize=256)
def _ground(heights: bytes, ramps: bytes, shape: tuple[int, int]) -> Ground:
  return make_ground(
    *(np.frombuffer(x, np.int32).reshape(shape) for x in (heights, ramps))
  )


def ground_of(heights: np.ndarray, ramps: np.ndarray) -> Ground:
  """Returns the result of `make_ground`, cached for equal worlds."""
  made = (np.ascontiguousarray(x, np.int32).tobytes() for x in (heights, ramps))
  return _ground(*made, heights.shape)


def find_paths(ground: Ground, ends: np.ndarray, penalty: np.ndarray) -> Paths:
  """Finds the cheapest paths to the nearest of several cells.

  Args:
    ground: The map.
    ends: Cells to reach, int [K], at least one.
    penalty: Extra cost per metre in each cell, float [C].

  Returns:
    The paths from all cells.
  """
  factor = 1 + (penalty[ground.source] + penalty[ground.target]) / 2
  num_cells = len(ground.centres)
  # The search runs backwards from the ends, so each step is reversed.
  graph = sparse.csr_matrix(
    (ground.length * factor, (ground.target, ground.source)),
    shape=(num_cells, num_cells),
  )
  cost, following, _ = csgraph.dijkstra(
    graph, indices=ends, min_only=True, return_predecessors=True
  )
  return Paths(cost, np.where(following < 0, -1, following), penalty)


def in_sight(ground: Ground, eyes: np.ndarray, point: np.ndarray) -> np.ndarray:
  """Returns which lines from eyes to a point are clear of the ground, bool [K].

  Args:
    ground: The map.
    eyes: Start points, float [K, 3].
    point: End point, float [3].
  """
  share = np.linspace(0.05, 0.95, 12)[:, None]
  line = eyes[:, None] + share * (point - eyes)[:, None]  # [K, 12, 3]
  below = terrain.surface_height(ground.heights, ground.ramps, line[..., :2])
  return np.all(below < line[..., 2], axis=1)


def next_point(
  ground: Ground, paths: Paths, xy: np.ndarray
) -> np.ndarray | None:
  """Returns the farthest point on a path to walk straight to; None if no path.

  It is at most _LOOKAHEAD cells ahead, and the next cell where the path leads
  around something.

  Args:
    ground: The map.
    paths: Paths over it.
    xy: Where the avatar is, metres, float [2].

  Returns:
    The point, metres, float [2].
  """
  cell = ground.cell_of(xy)
  if not np.isfinite(paths.cost[cell]):
    return None
  ahead = [cell]
  while len(ahead) <= _LOOKAHEAD and paths.following[ahead[-1]] >= 0:
    ahead.append(int(paths.following[ahead[-1]]))
  for count in range(len(ahead) - 1, 1, -2):
    point = ground.centres[ahead[count]]
    # Costs up to those of the path itself are acceptable.
    worst = paths.penalty[ahead[: count + 1]].mean()
    if _is_straight(ground, paths, xy, point, worst):
      return point
  return ground.centres[ahead[min(1, len(ahead) - 1)]]


def _is_straight(
  ground: Ground, paths: Paths, xy: np.ndarray, point: np.ndarray, worst: float
) -> bool:
  """Returns True if the straight line to a point is level enough and free."""
  way = point - xy
  length = max(float(np.linalg.norm(way)), 1e-6)
  steps = np.linspace(0, 1, int(length / _PROBE_METRES) + 2)[:, None]
  line = xy + steps * way
  cells = np.floor(line / CELL_METRES + np.array(ground.shape) / 2).astype(int)
  cells = np.clip(cells, 0, np.array(ground.shape) - 1)
  penalty = paths.penalty[cells[:, 0] * ground.shape[1] + cells[:, 1]]
  if penalty.mean() > worst:
    return False
  side = np.array([-way[1], way[0]]) / length * constants.AVATAR_RADIUS
  lines = np.stack([line - side, line, line + side])
  height = terrain.surface_height(ground.heights, ground.ramps, lines)
  rise = np.diff(height, axis=1)
  return bool((rise <= _MAX_RISE).all() and (rise >= -_MIN_FALL).all())


def distances(ground: Ground, cells: np.ndarray) -> np.ndarray:
  """Returns the lengths of the shortest paths from cells, metres, float [K, C].

  Args:
    ground: The map.
    cells: The start cells, int [K].
  """
  num_cells = len(ground.centres)
  graph = sparse.csr_matrix(
    (ground.length, (ground.source, ground.target)),
    shape=(num_cells, num_cells),
  )
  return csgraph.dijkstra(graph, indices=cells)
