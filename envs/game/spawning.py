"""Positions for the objects that a step's rules spawned in one world."""

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.game import ground

Array = jax.Array

_MARGIN = 0.02  # Metres between a new object and anything else.
_RING_STEP = 0.25  # Metres between the rings of positions tried.
_RINGS = 8
_DIRECTIONS = 8
_STOREYS = (0.6, 1.2, 1.8)  # Heights tried when the ground around is full.
# Tried only when everything else is full: a rule that spawns at a player's hand
# piles objects up there.
_UPPER_STOREYS = (2.4, 3.0, 3.6, 4.2)
# A spawn stays on the level of its cause where there is room.
_LEVEL_CHANGE = 0.6 * constants.LEVEL_METRES
# Added to a candidate's number in the order of preference.
_OTHER_LEVEL, _OUT_OF_REACH, _UPPER_STOREY = 1e3, 1e4, 1e5


def _table(values: list[tuple[float, ...]]) -> np.ndarray:
  """Returns values of each type id, after a zero row for none, float32."""
  none = np.zeros_like(values[:1])
  return np.concatenate([none, values]).astype(np.float32)


_SHAPES = [
  shapes.shape_of_type(t) for t in range(1, constants.NUM_OBJECT_TYPES + 1)
]
_CENTRE_HEIGHT = _table([(s.centre_height,) for s in _SHAPES])[:, 0]
_BOUNDING = _table([(s.bounding_radius,) for s in _SHAPES])[:, 0]
# A new object faces +x: it is a box about its centre, or a ball.
_BALL = _table([(s.half_extents[0] * (s.form == "ball"),) for s in _SHAPES])
_BOX = _table(
  [
    (0.0,) * 3
    if s.form == "ball"
    else (*s.half_extents[:2], 2 * s.half_extents[2] - s.centre_height)
    for s in _SHAPES
  ]
)
# Corners, centre and side midpoints of a footprint's bounding square.
_FOOTPRINT_POINTS = np.asarray(
  [[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)], np.float32
)


def _offsets(ahead: Array) -> Array:
  """Returns candidate offsets, nearest first, metres, [C, 3].

  Args:
    ahead: Direction of the first candidate of each ring, radians, float [].
  """
  turns = np.asarray([(i + 1) // 2 * (-1) ** i for i in range(_DIRECTIONS)])
  angles = ahead + turns * 2 * np.pi / _DIRECTIONS
  circle = jnp.stack([jnp.cos(angles), jnp.sin(angles), 0 * angles], axis=-1)
  rings = _RING_STEP * jnp.arange(1, _RINGS + 1, dtype=circle.dtype)
  around = (rings[:, None, None] * circle[None]).reshape(-1, 3)
  storeys = (*_STOREYS, *_UPPER_STOREYS)
  above = jnp.asarray([[0, 0, storey] for storey in storeys], circle.dtype)
  return jnp.concatenate([jnp.zeros([1, 3]), around, above])


def _clearance(
  candidates: Array,
  box: Array,
  ball: Array,
  others: Array,
  other_box: Array,
  other_ball: Array,
  present: Array,
  player_pos: Array,
) -> Array:
  """Returns the distance of candidates to the nearest body, metres, [C].

  Bodies are axis-aligned boxes, rounded by a ball: just a box, just a ball, or
  the ball that encloses an object in any pose.

  Args:
    candidates: Centres, float [C, 3].
    box: Half sizes of the new object's box, float [3].
    ball: Radius of its ball, float [].
    others: Centres of the objects, float [S, 3].
    other_box: Half sizes of their boxes, float [S, 3].
    other_ball: Radii of their balls, float [S].
    present: Objects that count, bool [S].
    player_pos: Players' feet, float [P, 3].
  """
  apart = jnp.abs(candidates[:, None] - others[None])  # [C, S, 3]
  apart = jnp.maximum(apart - box[None, None] - other_box[None], 0)
  gap = jnp.linalg.norm(apart, axis=-1) - ball - other_ball[None]
  gap = jnp.where(present[None], gap, jnp.inf)
  away = candidates[:, None] - player_pos[None]  # [C, P, 3]
  beside = jnp.maximum(jnp.abs(away[..., :2]) - box[None, None, :2], 0)
  beside = jnp.linalg.norm(beside, axis=-1) - constants.AVATAR_RADIUS - ball
  over = jnp.maximum(away[..., 2] - constants.AVATAR_HEIGHT, -away[..., 2])
  over -= box[2] + ball
  gap = jnp.concatenate([gap, jnp.maximum(beside, over)], axis=-1)
  return jnp.min(gap, axis=-1)


def _place_one(
  type_id: Array,
  origin: Array,
  others: Array,
  other_box: Array,
  other_ball: Array,
  present: Array,
  player_pos: Array,
  terrain: tuple[Array, Array, Array, Array],
) -> Array:
  """Returns the best candidate without contact, or the clearest, float [3]."""
  box, ball = jnp.asarray(_BOX)[type_id], jnp.asarray(_BALL)[type_id, 0]
  half = box[:2] + ball
  nearest = jnp.argmin(jnp.linalg.norm(player_pos - origin[None], axis=-1))
  way = origin - player_pos[nearest]
  candidates = origin[None] + _offsets(jnp.arctan2(way[1], way[0]))  # [C, 3]
  heights, ramps, tiles, reachable = terrain
  limit = tiles.astype(jnp.float32) * constants.TILE_METRES / 2
  limit = limit - half - _MARGIN
  xy = jnp.clip(candidates[:, :2], -limit[None], limit[None])
  below = xy[:, None] + _FOOTPRINT_POINTS[None] * half[None, None]  # [C, 9, 2]
  floor = jnp.max(ground.surface_height(heights, ramps, tiles, below), axis=-1)
  reach = ground.tile_values(reachable, tiles, below)
  reach = jnp.all(reach > 0, axis=-1)
  home = ground.surface_height(heights, ramps, tiles, xy[0])
  stands = floor + jnp.asarray(_CENTRE_HEIGHT)[type_id] + _MARGIN
  candidates = jnp.concatenate(
    [xy, jnp.maximum(candidates[:, 2], stands)[:, None]], axis=-1
  )
  clearance = _clearance(
    candidates, box, ball, others, other_box, other_ball, present, player_pos
  )
  clear = clearance >= _MARGIN / 2
  order = jnp.arange(len(candidates), dtype=jnp.float32)
  cost = (
    order
    + _UPPER_STOREY * (order >= len(candidates) - len(_UPPER_STOREYS))
    + _OTHER_LEVEL * (jnp.abs(floor - home) > _LEVEL_CHANGE)
    + _OUT_OF_REACH * ~reach
  )
  best = jnp.argmin(jnp.where(clear, cost, jnp.inf))
  choice = jnp.where(jnp.any(clear), best, jnp.argmax(clearance))
  return candidates[choice]


def place(
  spawned: Array,
  slot_types: Array,
  origin: Array,
  object_pos: Array,
  player_pos: Array,
  terrain: tuple[Array, Array, Array, Array],
) -> Array:
  """Places the new objects of one world side by side, in slot order.

  Each appears as close to its origin as there is room, preferably on the far
  side as seen from the nearest player, on ground of the same level that a
  player can reach. An object that was there before counts as the sphere that
  encloses it in any pose, so that a clear position stays clear in any pose.

  Args:
    spawned: Slots with a new object, bool [S].
    slot_types: Type ids in the slots, new ones included, int32 [S].
    origin: Position around which each new object appears, float32 [S, 3].
    object_pos: Centres of the objects, float32 [S, 3]; those of new ones are
      ignored.
    player_pos: Players' feet, float32 [P, 3].
    terrain: Heights, ramps and tiles, the arguments of
      `ground.surface_height`, then the tiles that a player can reach, int
      [MAX_TILES, MAX_TILES].

  Returns:
    Centres of the objects, including the new ones, float32 [S, 3].
  """
  box = jnp.where(spawned[:, None], jnp.asarray(_BOX)[slot_types], 0)
  ball = jnp.where(
    spawned,
    jnp.asarray(_BALL)[slot_types, 0],
    jnp.asarray(_BOUNDING)[slot_types],
  )

  def place_next(carry):
    waiting, positions = carry
    slot = jnp.argmax(waiting)
    present = (slot_types > 0) & ~waiting
    found = _place_one(
      slot_types[slot],
      origin[slot],
      positions,
      box,
      ball,
      present,
      player_pos,
      terrain,
    )
    is_slot = jnp.arange(waiting.shape[0]) == slot
    positions = jnp.where(is_slot[:, None], found[None], positions)
    return waiting & ~is_slot, positions

  _, positions = jax.lax.while_loop(
    lambda carry: jnp.any(carry[0]), place_next, (spawned, object_pos)
  )

  return positions
