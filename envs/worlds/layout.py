"""The levels of a world's tiles, before ramps and walls.

The arena is divided into blocks of a few tiles, each of one level. The levels
are drawn by a constraint solver (`collapse`): neighbours differ by at most one
level or, in some worlds, by up to two, a drop that is passable only one way.
"""

import numpy as np

from adaland.envs.tasks.task import World
from adaland.envs.worlds.collapse import collapse

# Tiles of a block along each side, (first, last).
_BLOCK = (2, 4)
_STEEP_PROBABILITY = 0.3
_TRIES = 8


def draw_levels(world: World, rng: np.random.Generator) -> np.ndarray:
  """Draws levels such that the lowest and the highest occur.

  Args:
    world: Its tiles and levels are read.
    rng: Source of randomness.

  Returns:
    Level of each tile, int [X, Y]; fewer levels if the arena is too small.
  """
  x, y = (_cut(size, rng) for size in world.tiles)
  blocks = (len(x), len(y))
  levels = min(world.levels, sum(blocks) - 1)
  steps = 1 + (levels > 2 and rng.random() < _STEEP_PROBABILITY)
  fits = [
    sum(1 << other for other in range(levels) if abs(level - other) <= steps)
    for level in range(levels)
  ]
  for _ in range(_TRIES):
    low, high = (tuple(rng.integers(blocks).tolist()) for _ in range(2))
    if levels > 1 and low == high:
      continue
    found = collapse(blocks, fits, {low: 0, high: levels - 1}, rng)
    if found is not None:
      return found.repeat(x, axis=0).repeat(y, axis=1)
  return np.zeros(world.tiles, np.int64)


def _cut(size: int, rng: np.random.Generator) -> list[int]:
  """Cuts a side into lengths in the range _BLOCK; the last is the rest."""
  lengths: list[int] = []
  left = size
  while left >= 2 * _BLOCK[0]:
    longest = min(_BLOCK[1], left - _BLOCK[0])
    lengths.append(int(rng.integers(_BLOCK[0], longest + 1)))
    left -= lengths[-1]
  return [*lengths, left]
