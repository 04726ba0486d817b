"""The ground of a world, for the game engine and for observations."""

import jax
import jax.numpy as jnp

from adaland.envs import constants

Array = jax.Array


def surface_height(
  heights: Array, ramps: Array, tiles: Array, xy: Array
) -> Array:
  """Returns the height of the ground below some points of one world.

  Args:
    heights: Level of each tile, padded, int [MAX_TILES, MAX_TILES].
    ramps: Ramps and diagonal cliffs (see `physics.base.Scene`), int
      [MAX_TILES, MAX_TILES].
    tiles: Number of tiles of the arena along x and y, int [2].
    xy: Points, metres from the arena's centre, float [..., 2].

  Returns:
    Metres, float32 [...]. Points outside the arena get the height of the
    nearest tile.
  """
  i, j, x, y = _tile_of(tiles, xy)
  diagonals = (x + y > 1, y > x, x + y < 1, x > y)
  climbs = jnp.stack(
    [jnp.zeros_like(x), x, y, 1 - x, 1 - y]
    + [high.astype(x.dtype) for high in diagonals]
  )
  climb = jnp.take_along_axis(climbs, ramps[i, j][None], axis=0)[0]
  return (heights[i, j] + climb) * constants.LEVEL_METRES


def tile_values(table: Array, tiles: Array, xy: Array) -> Array:
  """Returns the values [...] of the tiles below some points of one world.

  Args:
    table: A value for each tile, padded, [MAX_TILES, MAX_TILES].
    tiles: Number of tiles of the arena along x and y, int [2].
    xy: Points, metres from the arena's centre, float [..., 2].
  """
  i, j, _, _ = _tile_of(tiles, xy)
  return table[i, j]


def _tile_of(tiles: Array, xy: Array) -> tuple[Array, Array, Array, Array]:
  """Returns the tiles below points, and the position on them, 0 to 1."""
  tiles = tiles.astype(jnp.float32)
  shape = (1,) * (xy.ndim - 1) + (2,)
  position = xy / constants.TILE_METRES + jnp.reshape(tiles / 2, shape)
  index = jnp.clip(jnp.floor(position), 0, jnp.reshape(tiles - 1, shape))
  x, y = jnp.moveaxis(jnp.clip(position - index, 0, 1), -1, 0)
  i, j = jnp.moveaxis(index.astype(jnp.int32), -1, 0)
  return i, j, x, y
