"""Regions of a terrain: tiles that can be reached from each other.

Sets of tiles are bits of one integer, so a step from all of them at once is a
shift: this is several times as fast as a general graph search.
"""

import numpy as np

from adaland.envs import constants
from adaland.envs.worlds import terrain

# The step from a ramp to the tile at its top, by ramp id (see physics.base).
DIRECTIONS = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))


class Steps:
  """Steps between the neighbours of a grid, forwards and backwards."""

  def __init__(self, leave: np.ndarray):
    """Initializes the steps.

    Args:
      leave: The tiles from which a step is possible, by direction (see
        DIRECTIONS, of which the first is not read), bool [5, X, Y].
    """
    self._shape = leave.shape[1:]
    width = self._shape[1]
    shifts = (width, 1, -width, -1)
    self._steps = [
      (_bits(leave[k + 1]), shift) for k, shift in enumerate(shifts)
    ]

  def region(self, x: int, y: int) -> np.ndarray:
    """Returns the tiles with paths from and to a tile, bool [X, Y]."""
    start = 1 << (x * self._shape[1] + y)
    return self._unpacked(self._flood(start, False) & self._flood(start, True))

  def reached_from(self, tiles: np.ndarray) -> np.ndarray:
    """Returns the tiles to which there is a path from some, bool [X, Y].

    Args:
      tiles: Indices of the tiles to start from, int [n, 2].
    """
    start = 0
    for x, y in tiles.tolist():
      start |= 1 << (x * self._shape[1] + y)
    return self._unpacked(self._flood(start, False))

  def _unpacked(self, tiles: int) -> np.ndarray:
    size = self._shape[0] * self._shape[1]
    bits = np.frombuffer(tiles.to_bytes(-(-size // 8), "little"), np.uint8)
    unpacked = np.unpackbits(bits, count=size, bitorder="little")
    return unpacked.astype(bool).reshape(self._shape)

  def _flood(self, found: int, backwards: bool) -> int:
    """Returns the tiles that are reached from some, or that reach them."""
    fresh = found
    while fresh:
      reached = 0
      for leave, shift in self._steps:
        if backwards:
          reached |= _shifted(fresh, -shift) & leave
        else:
          reached |= _shifted(fresh & leave, shift)
      fresh = reached & ~found
      found |= fresh
    return found


class Ways(Steps):
  """The steps between the tiles of a terrain.

  A diagonal cliff counts as its lower half: it is entered from the tiles next
  to that half, or by a fall from the other half, which is part of the tiles
  next to it.
  """

  def __init__(
    self,
    heights: np.ndarray,
    ramps: np.ndarray,
    closed: np.ndarray | None = None,
  ):
    """Initializes the steps.

    Args:
      heights: Level of each tile, int [X, Y].
      ramps: Ramps and diagonal cliffs, as in `terrain.Terrain`, int [X, Y].
      closed: Borders of tiles that can't be crossed, bool [2, X, Y]: the border
        to the next tile along x or y; None for none.
    """
    climbing = (ramps > 0) & (ramps < constants.FIRST_DIAGONAL)
    flat = ~climbing
    # The tiles from which a step is possible, by direction.
    leave = np.zeros((len(DIRECTIONS), *heights.shape), bool)
    lower, upper = np.s_[:-1], np.s_[1:]
    for direction, (here, there) in enumerate(
      (
        ((lower,), (upper,)),
        ((slice(None), lower), (slice(None), upper)),
        ((upper,), (lower,)),
        ((slice(None), upper), (slice(None), lower)),
      ),
      start=1,
    ):
      leave[direction][here] = (
        flat[here] & flat[there] & (heights[here] >= heights[there])
      )
    for x, y in np.argwhere(climbing).tolist():
      up = int(ramps[x, y])
      down = 1 + (up + 1) % 4
      dx, dy = DIRECTIONS[up]
      leave[up, x, y] = leave[down, x, y] = True
      leave[up, x - dx, y - dy] = leave[down, x + dx, y + dy] = True
    if closed is not None:
      for axis, border in enumerate(closed):
        leave[1 + axis][border] = False
        leave[3 + axis][np.roll(border, 1, axis)] = False
    super().__init__(leave)


def find_regions(heights: np.ndarray, ramps: np.ndarray) -> np.ndarray:
  """Returns the number of each tile's region, from 0, int [X, Y].

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Ramps and diagonal cliffs, as in `terrain.Terrain`, int [X, Y].
  """
  ways = Ways(heights, ramps)
  regions = np.full(heights.shape, -1)
  count = 0
  while (left := np.argwhere(regions < 0)).size:
    regions[ways.region(*left[0].tolist())] = count
    count += 1
  return regions


def reachable(
  heights: np.ndarray, ramps: np.ndarray, starts: np.ndarray
) -> np.ndarray:
  """Returns the tiles that can be reached from some points, bool [X, Y].

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Ramps and diagonal cliffs, as in `terrain.Terrain`, int [X, Y].
    starts: Metres from the centre, float [n, 2].
  """
  if not (heights.any() or ramps.any()):
    return np.ones(heights.shape, bool)
  return Ways(heights, ramps).reached_from(terrain.tile_of(heights, starts))


def _bits(tiles: np.ndarray) -> int:
  packed = np.packbits(tiles.ravel(), bitorder="little")
  return int.from_bytes(packed.tobytes(), "little")


def _shifted(bits: int, shift: int) -> int:
  return bits << shift if shift > 0 else bits >> -shift
