"""Terrain as a pure function of a world's description.

Levels are drawn by a constraint solver (`layout`), joined by ramps (`ramps`),
cut at some corners (`diagonals`), and separated by walls (`walls`).
Reachability is guaranteed for each terrain: its ground is one strongly
connected region (`regions.find_regions`), or it is drawn again.
"""

import functools

import numpy as np

from adaland.envs.tasks.task import World
from adaland.envs.worlds import diagonals, layout, walls
from adaland.envs.worlds.ramps import RampBuilder
from adaland.envs.worlds.regions import find_regions
from adaland.envs.worlds.terrain import Terrain

_ATTEMPTS = 16


@functools.lru_cache(maxsize=256)
def _flat_room(tiles: tuple[int, int]) -> Terrain:
  """Returns the terrain of flat rooms of a size, cached."""
  return _read_only(Terrain(*(np.zeros(tiles, np.int64) for _ in range(3))))


@functools.lru_cache(maxsize=1024)
def make_terrain(world: World) -> Terrain:
  """Generates a world's ground, a pure function of the world.

  Generated ground is one region, and has as many levels as the world specifies,
  fewer only if the arena is too small. Terrain given by heights gets ramps
  where they join regions and is otherwise unchanged: it may have several
  regions.

  Args:
    world: The world's size, and its seed or heights.

  Returns:
    The terrain; its arrays are shared between calls and read-only.
  """
  bare = world.levels == 1 and not world.walls
  if world.heights is None and bare:
    return _flat_room(world.tiles)
  seed = np.random.SeedSequence([world.seed, 0])
  rng = np.random.Generator(np.random.PCG64(seed))
  if world.heights is not None:
    builder = RampBuilder(np.array(world.heights, np.int64), rng)
    builder.connect()
    made = Terrain(builder.heights, builder.ramps, builder.regions)
  else:
    heights, ramps = diagonals.add_diagonals(
      *_draw_ground(world, rng), world.diagonals, rng
    )
    heights = walls.add_walls(heights, ramps, world.walls, rng)
    made = Terrain(heights, ramps, find_regions(heights, ramps))
  return _read_only(made)


def _draw_ground(
  world: World, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
  """Draws levels and ramps, and keeps the attempt with the most levels."""
  best = np.zeros(world.tiles, np.int64), np.zeros(world.tiles, np.int64)
  most = 1
  for _ in range(_ATTEMPTS):
    if most == world.levels:
      break
    builder = RampBuilder(layout.draw_levels(world, rng), rng)
    builder.connect()
    if not builder.absorb():
      continue
    builder.heights -= builder.heights.min()
    levels = len(np.unique(builder.heights))
    if levels > most:
      builder.add(world.levels - 1)
      best, most = (builder.heights, builder.ramps), levels
  return best


def _read_only(terrain: Terrain) -> Terrain:
  for array in terrain:
    array.setflags(write=False)
  return terrain
