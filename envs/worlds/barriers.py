"""Frozen objects that cut players off from ground.

What counts as cut off is so for certain, since all numbers err on the safe
side. With the built-in physics, players that run and push at all angles

- pass between two boxes from a gap of 0.495 m, and between two balls from
  0.46 m, which they meet lower than at their equator;
- never get onto a box or a ball of the height of a cube;
- climb over pyramids, and, if a pyramid or a lying wall is in front of it, over
  any other object, too.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy import ndimage

from adaland.envs import constants, shapes, tables
from adaland.envs.physics import base
from adaland.envs.worlds.regions import DIRECTIONS, Steps
from adaland.envs.worlds.terrain import surface_height

_CELLS: Final = 50  # In a tile, along each side.
_CELL: Final = constants.TILE_METRES / _CELLS
# A player's centre is never nearer than this to a box or an inner wall, and to
# a ball, metres; then the same for the centre of its cell.
_BESIDE_BOX, _BESIDE_BALL = 0.235, 0.21
_INSIDE: Final = _CELL * 2**-0.5
_STEP_UP: Final = 0.3  # No player climbs a higher step, metres.
_TALL: Final = 2 * shapes.CUBE.half_extents[2]
# From higher ground, a player gets onto objects up to this far away, metres: in
# a fall by three levels, it walks 1.4 m.
_FALL: Final = 2.0
_BESIDE_SLOPE: Final = 0.7  # Distance of a pyramid that a player climbs.


class Cells(NamedTuple):
  """Squares of ground.

  Attributes:
    low: Their corners of lowest coordinates, metres, float [n, 2].
    side: Length of their sides, metres.
    foot: Height of their lowest ground, metres, float [n].
    top: Height of their highest ground, metres, float [n].
  """

  low: np.ndarray
  side: float
  foot: np.ndarray
  top: np.ndarray


def is_step(type_id: int) -> bool:
  """Returns True if an object may help a player to climb other objects."""
  shape = shapes.shape_of_type(type_id)
  return shape.form == "mesh" or 2 * min(shape.half_extents) < _TALL


class Floor:
  """The ground of a scene, and the frozen objects that stand in the way.

  Attributes:
    obstacles: Slots of the frozen objects onto which no player gets from the
      ground on which they stand.
  """

  def __init__(self, start: base.Scene):
    """Initializes the ground.

    Args:
      start: The scene.
    """
    self._start = start
    x, y = (
      ((np.arange(n * _CELLS) + 0.5) / _CELLS - n / 2) * constants.TILE_METRES
      for n in start.heights.shape
    )
    self._xy = np.stack(np.meshgrid(x, y, indexing="ij"), -1)  # [X, Y, 2]
    self._foot = surface_height(start.heights, start.ramps, self._xy)
    frozen = np.flatnonzero(start.slot_frozen & (start.slot_types > 0))
    self.obstacles: list[int] = []
    self._slopes: list[int] = []
    self._filled: dict[int, np.ndarray] = {}
    for slot in frozen.tolist():
      shape = self._shape(slot)
      if shape.form != "mesh" and 2 * shape.half_extents[2] >= _TALL:
        self.obstacles.append(slot)
        self._filled[slot] = self._around(slot)
      else:
        self._slopes.append(slot)

  @functools.cached_property
  def _free(self) -> np.ndarray:
    """The cells where walls leave room, bool [X, Y]; most tasks need none."""
    return ~self._beside_walls(self._flood(np.ones(self._foot.shape, bool)))

  def reached(self, obstacles: Sequence[int], loose: bool) -> Cells:
    """Returns the ground that some player may reach.

    Args:
      obstacles: The obstacles in the way, slots.
      loose: If true, there may be objects that players can put down.
    """
    standing = list(obstacles)
    while True:
      filled = [self._filled[slot] for slot in standing]
      found = self._flood(~np.any([~self._free, *filled], axis=0))
      left = self._not_climbed(standing, obstacles, found, loose)
      if left == standing:
        break
      standing = left
    foot = self._foot[found]
    return Cells(self._xy[found] - _CELL / 2, _CELL, foot, foot)

  def _shape(self, slot: int) -> tables.Shape:
    return shapes.shape_of_type(int(self._start.slot_types[slot]))

  def _base(self, slot: int) -> float:
    return self._start.slot_at[slot, 2] - self._shape(slot).centre_height

  def _around(self, slot: int) -> np.ndarray:
    """Returns the cells in which an obstacle leaves no room, bool [X, Y]."""
    shape = self._shape(slot)
    away = self._xy - self._start.slot_at[slot, :2]
    if shape.form == "ball":
      gap = np.hypot(away[..., 0], away[..., 1]) - shape.half_extents[0]
      near = gap < _BESIDE_BALL - _INSIDE
    else:
      yaw = self._start.slot_yaw[slot]
      cos, sin = np.cos(yaw), np.sin(yaw)
      across = np.abs(away @ np.array([[cos, -sin], [sin, cos]]))
      out = np.maximum(across - shape.half_extents[:2], 0.0)
      near = np.hypot(out[..., 0], out[..., 1]) < _BESIDE_BOX - _INSIDE
    # On other ground it may be a step, or be above or below the player.
    return near & (np.abs(self._foot - self._base(slot)) < _CELL)

  def _beside_walls(self, ground: np.ndarray) -> np.ndarray:
    """Returns the cells too near to a wall for a player, bool [X, Y].

    Args:
      ground: Cells that some player may reach; higher ones are walls.
    """
    beside = np.zeros(ground.shape, bool)
    for level in range(int(self._start.heights.max()) + 2):
      foot = level * constants.LEVEL_METRES
      wall = ~ground & (self._foot > foot + _STEP_UP)
      wall = np.pad(wall, 1, constant_values=True)
      gap = np.asarray(ndimage.distance_transform_edt(~wall))[1:-1, 1:-1]
      near = gap * _CELL < _BESIDE_BOX - _INSIDE
      beside |= near & (self._foot <= foot + _CELL)
    return beside

  def _flood(self, free: np.ndarray) -> np.ndarray:
    """Returns the free cells that some player reaches, bool [X, Y]."""
    leave = np.zeros((len(DIRECTIONS), *free.shape), bool)
    lower, upper = np.s_[:-1], np.s_[1:]
    for axis in range(2):
      rise = np.diff(self._foot, axis=axis)
      here: list[slice] = [slice(None)] * 2
      there = list(here)
      here[axis], there[axis] = lower, upper
      leave[1 + axis][tuple(here)] = rise <= _STEP_UP
      leave[3 + axis][tuple(there)] = -rise <= _STEP_UP
    size = np.array(free.shape)
    cells = np.floor(self._start.player_at[:, :2] / _CELL + size / 2)
    cells = np.clip(cells.astype(int), 0, size - 1)
    return Steps(leave & free).reached_from(cells) & free

  def _not_climbed(
    self,
    standing: Iterable[int],
    obstacles: Iterable[int],
    ground: np.ndarray,
    loose: bool,
  ) -> list[int]:
    """Returns the obstacles onto which no player gets from elsewhere.

    Args:
      standing: The obstacles in question, slots.
      obstacles: Those, and the ones onto which players get.
      ground: The cells that some player may reach, bool [X, Y].
      loose: As in `reached`.
    """
    xy = self._xy[ground]
    high = self._foot[ground]
    at = self._start.slot_at[:, :2]
    steps = [
      slot
      for slot in self._slopes
      if np.hypot(*(xy - at[slot]).T).min(initial=np.inf) < _BESIDE_SLOPE
    ]
    left = list(standing)
    steps += [slot for slot in obstacles if slot not in left]
    while True:
      climbed = [
        slot
        for slot in left
        if any(np.hypot(*(at[slot] - at[step])) < _FALL for step in steps)
        or np.hypot(*(xy - at[slot])[high > self._base(slot) + _CELL].T).min(
          initial=np.inf
        )
        < (np.inf if loose else _FALL)
      ]
      if not climbed:
        return left
      left = [slot for slot in left if slot not in climbed]
      steps += climbed
