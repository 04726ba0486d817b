"""Positions for the objects that a step's rules spawned in one world."""

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.game import ground

Array = jax.Array

_MARGIN = 0.02  # Metres between a new object and anything else.
_RINGS = (1.0, 1.5, 2.0)  # Distances tried, in widths of the new object.
_DIRECTIONS = 8
_STOREYS = (1.5, 3.0, 4.5)  # Heights tried when the ground around is full.


def _table(field: str) -> np.ndarray:
  """Returns a field of each type id's shape, float32 [NUM_OBJECT_TYPES + 1]."""
  values = [
    getattr(shapes.shape_of_type(t), field)
    for t in range(1, constants.NUM_OBJECT_TYPES + 1)
  ]
  return np.asarray([0.0, *values], np.float32)


_CENTRE_HEIGHT = _table("centre_height")
_FOOTPRINT = _table("footprint_radius")
_BOUNDING = _table("bounding_radius")


def _offsets() -> np.ndarray:
  """Returns candidate offsets in object widths, nearest first, [C, 3]."""
  angles = np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
  circle = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=-1)
  around = [ring * circle for ring in _RINGS]
  above = np.asarray([[0, 0, storey] for storey in _STOREYS])
  return np.concatenate([np.zeros([1, 3]), *around, above]).astype(np.float32)


_OFFSETS = _offsets()
# Corners, centre and middles of the sides of a footprint's bounding square.
_FOOTPRINT_POINTS = np.asarray(
  [[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)], np.float32
)


def _place_one(
  type_id: Array,
  origin: Array,
  others: Array,
  other_radius: Array,
  player_pos: Array,
  terrain: tuple[Array, Array, Array],
) -> Array:
  """Returns the first candidate out of contact, or the clearest, float [3]."""
  radius = jnp.asarray(_BOUNDING)[type_id]
  footprint = jnp.asarray(_FOOTPRINT)[type_id]
  candidates = origin[None] + _OFFSETS * (2 * radius + _MARGIN)  # [C, 3]
  tiles = terrain[2].astype(jnp.float32)
  limit = tiles * constants.TILE_METRES / 2 - footprint - _MARGIN
  xy = jnp.clip(candidates[:, :2], -limit[None], limit[None])
  below = xy[:, None] + _FOOTPRINT_POINTS[None] * footprint  # [C, 9, 2]
  floor = jnp.max(ground.surface_height(*terrain, below), axis=-1)
  floor += jnp.asarray(_CENTRE_HEIGHT)[type_id] + _MARGIN
  candidates = jnp.concatenate(
    [xy, jnp.maximum(candidates[:, 2], floor)[:, None]], axis=-1
  )
  apart = jnp.linalg.norm(candidates[:, None] - others[None], axis=-1)  # [C, S]
  # A radius below zero marks an empty slot, which needs no distance.
  gap = jnp.where(
    other_radius[None] < 0, jnp.inf, apart - other_radius[None] - radius
  )
  away = candidates[:, None] - player_pos[None]  # [C, P, 3]
  beside = jnp.linalg.norm(away[..., :2], axis=-1) - constants.AVATAR_RADIUS
  over = jnp.maximum(away[..., 2] - constants.AVATAR_HEIGHT, -away[..., 2])
  gap = jnp.concatenate([gap, jnp.maximum(beside, over) - radius], axis=-1)
  clearance = jnp.min(gap, axis=-1)  # [C]
  clear = clearance >= _MARGIN / 2
  choice = jnp.where(jnp.any(clear), jnp.argmax(clear), jnp.argmax(clearance))
  return candidates[choice]


def place(
  spawned: Array,
  slot_types: Array,
  origin: Array,
  object_pos: Array,
  player_pos: Array,
  terrain: tuple[Array, Array, Array],
) -> Array:
  """Places the new objects of one world side by side, in slot order.

  Each object is taken for the sphere that encloses it in any pose, so that a
  clear position stays clear however the objects lie.

  Args:
    spawned: Slots with a new object, bool [S].
    slot_types: Type ids in the slots, new ones included, int32 [S].
    origin: Position around which each new object appears, float32 [S, 3].
    object_pos: Centres of the objects, float32 [S, 3]; those of new ones are
      ignored.
    player_pos: Players' feet, float32 [P, 3].
    terrain: Heights, ramps and tiles, the arguments of
      `ground.surface_height`.

  Returns:
    Centres of the objects, including the new ones, float32 [S, 3].
  """

  def place_next(carry):
    waiting, positions = carry
    slot = jnp.argmax(waiting)
    present = (slot_types > 0) & ~waiting
    radius = jnp.where(present, jnp.asarray(_BOUNDING)[slot_types], -1.0)
    found = _place_one(
      slot_types[slot], origin[slot], positions, radius, player_pos, terrain
    )
    is_slot = jnp.arange(waiting.shape[0]) == slot
    positions = jnp.where(is_slot[:, None], found[None], positions)
    return waiting & ~is_slot, positions

  _, positions = jax.lax.while_loop(
    lambda carry: jnp.any(carry[0]), place_next, (spawned, object_pos)
  )

  return positions
