"""Terrain as convex pieces: boxes, and a wedge for each ramp.

X, Y: tiles. The arena is centred at the origin; tile (i, j) covers
x in [i - X/2, i + 1 - X/2] * TILE_METRES and y likewise.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from adaland.envs import constants

# Depth of the boxes below the lowest floor, so that nothing falls through.
FLOOR_DEPTH: Final = 2.0
WALL_THICKNESS: Final = 1.0
# Above the outer wall, an invisible fence of this height with a lid keeps
# objects that are thrown or carried over the wall inside the arena.
FENCE_METRES: Final = 6.0


class Pieces(NamedTuple):
  """The convex pieces of a terrain.

  Attributes:
    box_centres: Centres of the boxes, float [B, 3].
    box_halves: Half sizes of the boxes, float [B, 3].
    box_yaws: Direction of each box's first axis, float [B].
    box_hidden: Boxes that stop objects but are invisible, bool [B].
    ramp_bases: Centres of the ramps' bottom faces, float [K, 3].
    ramp_yaws: Direction in which the ramps climb, float [K].
  """

  box_centres: np.ndarray
  box_halves: np.ndarray
  box_yaws: np.ndarray
  box_hidden: np.ndarray
  ramp_bases: np.ndarray
  ramp_yaws: np.ndarray


def pieces(heights: np.ndarray, ramps: np.ndarray) -> Pieces:
  """Covers terrain with few boxes: floor, walls, fence, then the platforms.

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Ramps and diagonal cliffs, as in `base.Scene`, int [X, Y].
  """
  heights, ramps = np.asarray(heights), np.asarray(ramps)
  size = np.asarray(heights.shape)
  tile, level = constants.TILE_METRES, constants.LEVEL_METRES
  half = size * tile / 2
  top = heights.max() * level + constants.BORDER_METRES
  if ramps.any():
    top += level
  out = half + WALL_THICKNESS
  # The floor and the raised tiles at the border continue under the outer wall.
  # A side at the wall's face would push an object that falls into the corner
  # farther into the wall.
  room, fence = [_box(-out, out, 0.0)], []
  for axis in (0, 1):
    for sign in (-1, 1):
      low, high = -out, out.copy()
      low[axis], high[axis] = sorted((sign * half[axis], sign * out[axis]))
      room.append(_box(low, high, top))
      fence.append(_box(low, high, top + FENCE_METRES, top))
  lid = top + FENCE_METRES
  fence.append(_box(-out, out, lid + WALL_THICKNESS, lid))
  platforms = []
  for i0, i1, j0, j1, height in _rectangles(heights):
    low = np.array([i0, j0]) * tile - half
    high = np.array([i1, j1]) * tile - half
    low = np.where(low <= -half, -out, low)
    high = np.where(high >= half, out, high)
    platforms.append(_box(low, high, height * level))
  diagonals = np.argwhere(ramps >= constants.FIRST_DIAGONAL)  # [D, 2]
  corners = (ramps[tuple(diagonals.T)] - constants.FIRST_DIAGONAL + 0.5) * (
    np.pi / 2
  )
  for (i, j), yaw in zip(diagonals, corners, strict=True):
    middle = np.array([i + 0.5, j + 0.5]) * tile - half
    platforms.append(_diagonal(middle, yaw, (heights[i, j] + 1) * level))
  boxes = [*room, *fence, *platforms]
  yaws = np.zeros(len(boxes))
  yaws[len(boxes) - len(corners) :] = corners
  climbs = np.argwhere(
    (ramps > 0) & (ramps < constants.FIRST_DIAGONAL)
  )  # [K, 2]
  base_xy = (climbs + 0.5) * tile - half
  base_z = heights[tuple(climbs.T)] * level
  return Pieces(
    box_centres=np.array([centre for centre, _ in boxes]),
    box_halves=np.array([halves for _, halves in boxes]),
    box_yaws=yaws,
    box_hidden=np.repeat(
      [False, True, False], [len(room), len(fence), len(platforms)]
    ),
    ramp_bases=np.column_stack([base_xy, base_z]),
    ramp_yaws=(ramps[tuple(climbs.T)] - 1) * (np.pi / 2),
  )


def _box(
  low: np.ndarray, high: np.ndarray, top: float, bottom: float = -FLOOR_DEPTH
) -> tuple[np.ndarray, np.ndarray]:
  """Returns centre and half sizes of a box that extends below the floor."""
  centre = np.append((low + high) / 2, (top + bottom) / 2)
  return centre, np.append((high - low) / 2, (top - bottom) / 2)


def _diagonal(
  middle: np.ndarray, yaw: float, top: float
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the box of a diagonal cliff: one face is on the diagonal.

  The box fills the half of the tile beyond the diagonal. The rest of the box is
  inside the adjacent platforms, which have the same height.
  """
  diagonal = constants.TILE_METRES * np.sqrt(2)
  towards = np.array([np.cos(yaw), np.sin(yaw)])
  centre = np.append(middle + towards * diagonal / 4, (top - FLOOR_DEPTH) / 2)
  halves = np.array([diagonal / 4, diagonal / 2, (top + FLOOR_DEPTH) / 2])
  return centre, halves


def _rectangles(
  heights: np.ndarray,
) -> Iterator[tuple[int, int, int, int, int]]:
  """Yields rectangles (i0, i1, j0, j1, height) that cover all raised tiles.

  A rectangle of one height may extend under higher tiles (their own rectangle
  hides it), which saves pieces. The search is greedy: it grows along y, then x.
  """
  for height in range(1, int(heights.max()) + 1):
    usable = heights >= height
    missing = heights == height
    while missing.any():
      i0, j0 = np.argwhere(missing)[0]
      blocked = np.flatnonzero(~usable[i0, j0:])
      j1 = j0 + blocked[0] if blocked.size else heights.shape[1]
      blocked = np.flatnonzero(~usable[i0:, j0:j1].all(axis=1))
      i1 = i0 + blocked[0] if blocked.size else heights.shape[0]
      missing[i0:i1, j0:j1] = False
      yield int(i0), int(i1), int(j0), int(j1), height
