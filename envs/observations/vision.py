"""Pictures drawn from rays.

The physics back end casts the rays. The functions that choose the rays and
colour their hits are JAX, shared by all back ends.
"""

import colorsys
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.physics import base

Array = jax.Array

# Linear RGB, 0 to 1.
_SKY: Final = (0.55, 0.75, 0.95)
_CLIFF: Final = (0.52, 0.44, 0.38)
_COLOURS: Final = ((0.10, 0.10, 0.11), (0.58, 0.16, 0.72), (0.98, 0.85, 0.10))
_PLAYERS: Final = ((0.90, 0.25, 0.20), (0.20, 0.45, 0.95))
_AMBIENT: Final = 0.55
_CHECKER: Final = 0.86  # Brightness of every other tile.
_FADE_METRES: Final = 30.0
# Ranges of saturation and brightness of the lowest and the highest level: the
# ground is paler than objects.
_LOW: Final = (0.1, 0.5), (0.4, 0.55)
_HIGH: Final = (0.1, 0.4), (0.7, 0.9)
_HUE_SHIFT: Final = 0.15  # Maximum, between the lowest and the highest level.
_ELEVATION: Final = (0.6, 1.3)  # Range of the light's elevation, radians.
_WARM: Final = (0.0, 0.08, 0.22)  # White minus the warmest light.
_COOL: Final = (0.18, 0.08, 0.0)


class Look(NamedTuple):
  """Colours of worlds' ground and light, which are independent of their tasks.

  Attributes:
    low: Colour of the lowest level of the ground, linear RGB, 0 to 1, float32
      [..., 3].
    high: Colour of the highest level, in the same form.
    light: Unit vector towards the light, float32 [..., 3].
    tint: Colour of the light, linear RGB, 0 to 1, float32 [..., 3].
  """

  low: Any
  high: Any
  light: Any
  tint: Any


def look(seed: int) -> Look:
  """Returns the look of a world, drawn from the world's seed."""
  # The second number keeps these draws independent of other uses of the seed.
  rng = np.random.Generator(np.random.PCG64([seed, 0x100C]))
  hue, shift = rng.random(), rng.uniform(-_HUE_SHIFT, _HUE_SHIFT)
  low = _colour(rng, hue, *_LOW)
  high = _colour(rng, hue + shift, *_HIGH)
  azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(*_ELEVATION)
  level = np.cos(elevation)
  light = level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)
  warmth = rng.uniform(-1, 1)
  lacking = np.asarray(_WARM if warmth > 0 else _COOL) * abs(warmth)
  return Look(
    *(np.asarray(x, np.float32) for x in (low, high, light, 1 - lacking))
  )


def _colour(
  rng: np.random.Generator,
  hue: float,
  saturation: tuple[float, float],
  value: tuple[float, float],
) -> tuple[float, float, float]:
  """Draws a colour of a hue, with ranges of saturation and brightness."""
  return colorsys.hsv_to_rgb(
    hue % 1, rng.uniform(*saturation), rng.uniform(*value)
  )


def _palette() -> np.ndarray:
  """Returns the colour of each type id, float32 [NUM_TYPES + 1, 3]."""
  objects = [
    _COLOURS[(t - 1) % constants.NUM_COLOURS]
    for t in range(1, constants.NUM_OBJECT_TYPES + 1)
  ]
  return np.asarray([_SKY, *objects, *_PLAYERS], np.float32)


_PALETTE: Final = _palette()


def pixel_directions(width: int, height: int) -> np.ndarray:
  """Returns unit view directions (forward, left, up), float32 [H * W, 3].

  Rows go from top to bottom and columns from left to right, through the pixels'
  centres. The vertical field of view follows from the picture's aspect ratio.
  """
  across = np.tan(constants.FOV_X / 2)
  left = across * (1 - (2 * np.arange(width) + 1) / width)
  up = (across * height / width) * (1 - (2 * np.arange(height) + 1) / height)
  grid_up, grid_left = np.meshgrid(up, left, indexing="ij")
  view = np.stack([np.ones_like(grid_up), grid_left, grid_up], axis=-1)
  view /= np.linalg.norm(view, axis=-1, keepdims=True)
  return view.reshape(-1, 3).astype(np.float32)


def pixel_rays(view: Array, eyes: Array, axes: Array) -> tuple[Array, Array]:
  """Returns origins and directions of a picture's rays, [N, P, R, 3].

  Args:
    view: View directions, as `pixel_directions` returns them.
    eyes: The players' eyes, float32 [N, P, 3].
    axes: View axes, as `avatar.view_axes` returns them, [N, P, 3, 3].

  Returns:
    Both in the world frame.
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
  colours: Look,
) -> Array:
  """Returns colours of ray hits: type colour or ground, light, haze.

  Args:
    origins: Start points of the rays, float32 [R, 3].
    directions: Unit vectors, float32 [R, 3].
    distance: Distance to the hit, -1 for none, float32 [R].
    node: Node that was hit, see `physics.base`, int32 [R].
    normal: Surface normals, float32 [R, 3].
    types: Type ids of the nodes, int32 [M].
    colours: The world's look.

  Returns:
    uint8 [R, 3]. Ground is coloured by height and darker on every other tile;
    its steep sides are bare; everything fades into the sky with distance.
  """
  point = origins + distance[:, None] * directions
  top = constants.LEVEL_METRES * (constants.MAX_LEVELS - 1)
  low, high, light, tint = (jnp.asarray(x) for x in colours)
  share = jnp.clip(point[:, 2] / top, 0, 1)[:, None]
  ground = low[None] + share * (high - low)[None]
  # Shifted slightly, so that rounding at a tile's border can't change the tile.
  tile = jnp.floor((point[:, :2] + 1e-4) / constants.TILE_METRES)
  odd = jnp.mod(tile[:, 0] + tile[:, 1], 2)[:, None]
  ground *= 1 - (1 - _CHECKER) * odd
  steep = normal[:, 2:] < 0.5
  ground = jnp.where(steep, jnp.asarray(_CLIFF)[None], ground)
  kind = jnp.where(node >= 0, types[jnp.maximum(node, 0)], 0)
  colour = jnp.asarray(_PALETTE)[kind]
  colour = jnp.where((node == base.NODE_TERRAIN)[:, None], ground, colour)
  lit = jnp.maximum(normal @ light, 0)[:, None]
  colour *= _AMBIENT + (1 - _AMBIENT) * lit * tint[None]
  clarity = jnp.exp(-distance / _FADE_METRES)[:, None]
  sky = jnp.asarray(_SKY)[None]
  colour = sky + clarity * (colour - sky)
  colour = jnp.where((distance >= 0)[:, None], colour, sky)
  return jnp.round(jnp.clip(colour, 0, 1) * 255).astype(jnp.uint8)
