"""Inner walls: rows of tiles that block both movement and sight."""

import numpy as np

from adaland.envs import constants
from adaland.envs.worlds.regions import DIRECTIONS, Ways

# A wall's height above the highest ground, in levels; eyes are lower.
WALL_LEVELS = 3
# Maximum fraction of the tiles that walls may take.
_MAX_SHARE = 0.15
_TRIES = 4  # For each wall.


def add_walls(
  heights: np.ndarray, ramps: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
  """Adds walls that keep all ground in one region.

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Ramps and diagonal cliffs, as in `terrain.Terrain`, int [X, Y].
    count: Number of walls; fewer where there is no room.
    rng: Source of randomness.

  Returns:
    The levels with walls, a new array.
  """
  size = np.array(heights.shape)
  top = int(heights.max()) + WALL_LEVELS
  built = heights.copy()
  free = ramps == 0
  # The feet and tops of ramps also stay free.
  for x, y in np.argwhere((ramps > 0) & (ramps < constants.FIRST_DIAGONAL)):
    dx, dy = DIRECTIONS[ramps[x, y]]
    free[x - dx, y - dy] = free[x + dx, y + dy] = False
  room = int(_MAX_SHARE * heights.size)
  for _ in range(count):
    for _ in range(_TRIES):
      start = rng.integers(size)
      axis = int(rng.integers(2))
      length = int(rng.integers(2, 3 + size[axis] // 2))
      stop = start + 1
      stop[axis] = min(start[axis] + length, size[axis])
      row = np.s_[start[0] : stop[0], start[1] : stop[1]]
      if not free[row].all() or free[row].size > room:
        continue
      before = built[row].copy()
      built[row] = top
      ground = built < top
      first = np.argwhere(ground)[0].tolist()
      if Ways(built, ramps).region(*first)[ground].all():
        free[row] = False
        room -= before.size
        break
      built[row] = before
  return built
