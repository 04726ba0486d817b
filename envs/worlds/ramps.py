"""Ramps: the choice of tiles that climb, such that all levels are reachable."""

import numpy as np

from adaland.envs.worlds.regions import DIRECTIONS, Ways, find_regions
from adaland.envs.worlds.terrain import Terrain


def _ramp_candidates(heights: np.ndarray) -> np.ndarray:
  """Returns all (x, y, direction) where levels allow a ramp, [n, 3]."""
  found = []
  for direction in range(1, 5):
    dx, dy = DIRECTIONS[direction]
    # `roll` wraps around, so tiles at the border are masked out.
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


class RampBuilder:
  """A terrain to which ramps are added one by one."""

  def __init__(self, heights: np.ndarray, rng: np.random.Generator):
    self.heights = heights
    self.ramps = np.zeros_like(heights)
    self.regions = find_regions(heights, self.ramps)
    self._ends = np.zeros(heights.shape, bool)  # Feet and tops of ramps.
    self._rng = rng

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
    self.ramps[x, y] = direction
    merged = Ways(self.heights, self.ramps).region(x, y)
    old = self.regions
    if not merged[(old == old[foot]) | (old == old[top])].all():
      # The ramp would cut off the tiles beyond it.
      self.ramps[x, y] = 0
      return False
    self.regions = np.where(merged, old[foot], old)
    self._ends[foot] = self._ends[top] = True
    return True

  def _candidates(self) -> list[list[int]]:
    return self._rng.permutation(_ramp_candidates(self.heights)).tolist()

  def connect(self) -> None:
    """Adds ramps wherever one joins two regions."""
    for candidate in self._candidates():
      self._try(*candidate, joins=True)

  def absorb(self) -> bool:
    """Levels tiles that no ramp can join; returns True if all are joined."""
    while (self.regions != self.regions[0, 0]).any():
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
    """Adds up to `count` more ramps, for shorter paths."""
    for candidate in self._candidates():
      if count <= 0:
        return
      count -= self._try(*candidate, joins=False)
