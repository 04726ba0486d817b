"""What the players see: lines of sight, and pictures drawn from rays.

Rays are cast by the physics back end on NumPy arrays; which to cast and how
to colour their hits are JAX functions shared by all back ends.
"""

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from envs import avatar, constants
from envs.physics import base

Array = jax.Array

# Linear RGB, 0 to 1.
_SKY: Final = (0.55, 0.75, 0.95)
_GROUND_LOW: Final = (0.24, 0.42, 0.24)  # The lowest level's ground ...
_GROUND_HIGH: Final = (0.80, 0.74, 0.52)  # ... and that of the highest.
_CLIFF: Final = (0.52, 0.44, 0.38)
_COLOURS: Final = ((0.10, 0.10, 0.11), (0.58, 0.16, 0.72), (0.98, 0.85, 0.10))
_PLAYERS: Final = ((0.90, 0.25, 0.20), (0.20, 0.45, 0.95))
_LIGHT: Final = (0.36, 0.48, 0.80)  # Unit vector towards the light.
_AMBIENT: Final = 0.45
_CHECKER: Final = 0.86  # Brightness of every other tile.
_FADE_METRES: Final = 30.0
_CLEAR_METRES = 1e-3  # A hit this close to the end of a segment is its end.


def _palette() -> np.ndarray:
  """Colour of each type id, float32 [NUM_TYPES + 1, 3]."""
  objects = [
    _COLOURS[(t - 1) % constants.NUM_COLOURS]
    for t in range(1, constants.NUM_OBJECT_TYPES + 1)
  ]
  return np.asarray([_SKY, *objects, *_PLAYERS], np.float32)


_PALETTE: Final = _palette()


class Rays(NamedTuple):
  """Rays to cast, as `physics.base.Physics.rays` takes them."""

  origins: np.ndarray
  directions: np.ndarray
  exclude: np.ndarray


class Segments(NamedTuple):
  """Lines of sight of a batch, packed to the batch's largest number a row.

  Attributes:
    env, source, target: Environment and nodes of each segment, int [L].
    column: Place of each segment's ray in its row, int [L].
    length: Metres, float32 [L].
    rays: The rays, [N, K, ...]; surplus ones point at the sky.
  """

  env: np.ndarray
  source: np.ndarray
  target: np.ndarray
  column: np.ndarray
  length: np.ndarray
  rays: Rays


def segments(
  sources: np.ndarray, targets: np.ndarray, wanted: np.ndarray
) -> Segments:
  """Packs the wanted lines of sight.

  Args:
    sources: Where they start: of node a at [:, a], float32 [N, A, 3].
    targets: Centres of all nodes, float32 [N, M, 3].
    wanted: Which to test, bool [N, A, M].
  """
  env, source, target = np.nonzero(wanted)
  counts = np.bincount(env, minlength=wanted.shape[0])
  first = np.cumsum(counts) - counts
  column = np.arange(env.size) - first[env]
  shape = (wanted.shape[0], int(counts.max(initial=0)))
  start = sources[env, source]
  along = targets[env, target] - start
  length = np.linalg.norm(along, axis=-1)
  origins = np.full((*shape, 3), 100.0, np.float32)
  directions = np.zeros((*shape, 3), np.float32)
  directions[..., 2] = 1
  exclude = np.full(shape, base.NODE_NONE, np.int32)
  origins[env, column] = start
  apart = length > 1e-6
  directions[env[apart], column[apart]] = along[apart] / length[apart, None]
  exclude[env, column] = source
  rays = Rays(origins, directions, exclude)
  return Segments(env, source, target, column, length, rays)


def unblocked(
  lines: Segments, hits: base.RayHits, shape: tuple[int, ...]
) -> np.ndarray:
  """Which wanted lines of sight are free, bool `shape` = [N, A, M].

  A line is blocked by terrain or by a node that is not one of its ends.
  """
  distance = hits.distance[lines.env, lines.column]
  node = hits.node[lines.env, lines.column]
  blocked = (distance >= 0) & (distance < lines.length - _CLEAR_METRES)
  free = np.zeros(shape, bool)
  free[lines.env, lines.source, lines.target] = ~blocked | (
    node == lines.target
  )
  return free


def with_pixels(
  rays: Rays, origins: np.ndarray, directions: np.ndarray, num_players: int
) -> Rays:
  """Puts the pictures' rays [N, P * R] before others, to cast all at once."""
  num_envs, num_pixels = origins.shape[:2]
  eyes = np.repeat(np.arange(num_players), num_pixels // num_players)
  eyes = np.broadcast_to(eyes.astype(np.int32), (num_envs, num_pixels))
  return Rays(
    np.concatenate([origins, rays.origins], axis=1),
    np.concatenate([directions, rays.directions], axis=1),
    np.concatenate([eyes, rays.exclude], axis=1),
  )


def split(
  hits: base.RayHits, num_pixels: int
) -> tuple[base.RayHits, base.RayHits]:
  """Takes the pictures' hits and the others apart again."""
  return (
    base.RayHits(*(x[:, :num_pixels] for x in hits)),
    base.RayHits(*(x[:, num_pixels:] for x in hits)),
  )


def pixel_directions(width: int, height: int) -> np.ndarray:
  """Unit view directions (forward, left, up), float32 [height * width, 3].

  Rows from top to bottom and columns from left to right, through the pixels'
  centres. The vertical field of view follows from the picture's own shape.
  """
  across = np.tan(constants.FOV_X / 2)
  left = across * (1 - (2 * np.arange(width) + 1) / width)
  up = (across * height / width) * (1 - (2 * np.arange(height) + 1) / height)
  grid_up, grid_left = np.meshgrid(up, left, indexing="ij")
  view = np.stack([np.ones_like(grid_up), grid_left, grid_up], axis=-1)
  view /= np.linalg.norm(view, axis=-1, keepdims=True)
  return view.reshape(-1, 3).astype(np.float32)


def pixel_rays(view: Array, eyes: Array, axes: Array) -> tuple[Array, Array]:
  """Origins and directions of a picture's rays, world frame, [N, P, R, 3].

  Args:
    view: As `pixel_directions` gives them.
    eyes: Float32 [N, P, 3].
    axes: As `avatar.view_axes` gives them, [N, P, 3, 3].
  """
  wide = jnp.broadcast_to(view[None, None], (*eyes.shape[:2], *view.shape))
  directions = avatar.from_view(axes, wide)
  return jnp.broadcast_to(eyes[:, :, None], wide.shape), directions


def shade(
  origins: Array,
  directions: Array,
  distance: Array,
  node: Array,
  normal: Array,
  types: Array,
) -> Array:
  """Colours of ray hits: type colour or ground, light, haze.

  Args:
    origins: Where the rays start, float32 [R, 3].
    directions: Unit vectors, float32 [R, 3].
    distance: To the hit, -1 for none, float32 [R].
    node: What was hit, see `physics.base`, int32 [R].
    normal: Surface normals, float32 [R, 3].
    types: Type ids of the nodes, int32 [M].

  Returns:
    uint8 [R, 3]. Ground is coloured by height and darker on every other
    tile, its steep sides are bare; all fades into the sky with distance.
  """
  place = origins + distance[:, None] * directions
  top = constants.LEVEL_METRES * (constants.MAX_LEVELS - 1)
  low, high = jnp.asarray(_GROUND_LOW), jnp.asarray(_GROUND_HIGH)
  share = jnp.clip(place[:, 2] / top, 0, 1)[:, None]
  ground = low[None] + share * (high - low)[None]
  # A hair inside the tile, so that rounding at its border cannot flip it.
  tile = jnp.floor((place[:, :2] + 1e-4) / constants.TILE_METRES)
  odd = jnp.mod(tile[:, 0] + tile[:, 1], 2)[:, None]
  ground *= 1 - (1 - _CHECKER) * odd
  steep = normal[:, 2:] < 0.5
  ground = jnp.where(steep, jnp.asarray(_CLIFF)[None], ground)
  kind = jnp.where(node >= 0, types[jnp.maximum(node, 0)], 0)
  colour = jnp.asarray(_PALETTE)[kind]
  colour = jnp.where((node == base.NODE_TERRAIN)[:, None], ground, colour)
  light = jnp.maximum(normal @ jnp.asarray(_LIGHT), 0)
  colour *= (_AMBIENT + (1 - _AMBIENT) * light)[:, None]
  clarity = jnp.exp(-distance / _FADE_METRES)[:, None]
  sky = jnp.asarray(_SKY)[None]
  colour = sky + clarity * (colour - sky)
  colour = jnp.where((distance >= 0)[:, None], colour, sky)
  return jnp.round(jnp.clip(colour, 0, 1) * 255).astype(jnp.uint8)
