"""Diagonal cliffs: corners between two levels, cut across a tile."""

import numpy as np

from adaland.envs import constants
from adaland.envs.worlds.regions import DIRECTIONS, Ways

# The directions along x and y of the higher half, by form from FIRST_DIAGONAL.
_HIGHER = ((1, 1), (-1, 1), (-1, -1), (1, -1))


def add_diagonals(
  heights: np.ndarray, ramps: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
  """Adds diagonal cliffs that keep all ground in one region.

  A corner is a flat tile with two flat neighbours on one level and, opposite
  them, two on the next level. Cutting it leaves the half next to the lower two
  on their level, and the half next to the upper two on theirs.

  Args:
    heights: Level of each tile, all of one region, int [X, Y].
    ramps: Ramps, as in `terrain.Terrain`, int [X, Y].
    count: Number of diagonal cliffs; fewer where there are fewer corners.
    rng: Source of randomness.

  Returns:
    Heights and ramps with diagonal cliffs, new arrays if there are any.
  """
  if not count:
    return heights, ramps
  for x, y, form in rng.permutation(_corners(heights, ramps)).tolist():
    if count and _is_free(ramps, x, y):
      cut = heights.copy(), ramps.copy()
      cut[0][x, y] = heights[x - _HIGHER[form - constants.FIRST_DIAGONAL][0], y]
      cut[1][x, y] = form
      if Ways(*cut).region(x, y).all():
        heights, ramps = cut
        count -= 1
  return heights, ramps


def _corners(heights: np.ndarray, ramps: np.ndarray) -> np.ndarray:
  """Returns all (x, y, form) where levels allow a diagonal cliff, [n, 3]."""
  inner = heights[1:-1, 1:-1]
  by_step = {1: np.s_[2:], -1: np.s_[:-2]}
  middle = np.s_[1:-1]
  flat = (ramps == 0)[middle, middle]
  found = []
  for form, (dx, dy) in enumerate(_HIGHER, start=constants.FIRST_DIAGONAL):
    upper, beside = heights[by_step[dx], middle], heights[middle, by_step[dy]]
    lower, opposite = (
      heights[by_step[-dx], middle],
      heights[middle, by_step[-dy]],
    )
    fits = flat & (upper == beside) & (lower == opposite) & (upper == lower + 1)
    fits &= (inner == upper) | (inner == lower)
    found.append(np.insert(1 + np.argwhere(fits), 2, form, axis=1))
  return np.concatenate(found)


def _is_free(ramps: np.ndarray, x: int, y: int) -> bool:
  """Returns True if neither a tile nor a neighbour is a ramp or a cliff."""
  steps = DIRECTIONS[1:]
  return not (ramps[x, y] or any(ramps[x + dx, y + dy] for dx, dy in steps))
