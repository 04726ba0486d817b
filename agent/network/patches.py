"""The patch encoder, from pixels to a vector: a small vision transformer.

Pictures are cut into patches at two resolutions (see `config.PatchesConfig`).
In learning, some patches of each picture, drawn at random, are left out before
anything is computed from them, as in masked autoencoders (arXiv 2111.06377):
the cost falls with the number of patches, that of attention with its square.

Shape letters: N pictures, P patches, C numbers of a patch, D width.
"""

import math
from collections.abc import Sequence

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import layers, types
from adaland.agent.config import PatchesConfig

# Hidden width of a layer's feed-forward part, in units of the layer's width.
_EXPANSION = 2


class PatchEncoder(hk.Module):
  """A transformer over the patches of a picture, with mean-pooled outputs.

  Layers have no bias and normalise their inputs (arXiv 2010.11929).
  """

  def __init__(self, config: PatchesConfig, size: int, name: str = "patches"):
    """Makes the encoder.

    Args:
      config: Sizes.
      size: Width of the output.
      name: Name of the module.
    """
    super().__init__(name=name)
    self._config = config
    self._size = size

  def __call__(self, pixels: types.Array, dtype: jnp.dtype) -> jax.Array:
    """Encodes pictures; drops some patches if Haiku has a random key.

    Args:
      pixels: uint8 [N, height, width, 3].
      dtype: Type of the arithmetic and the output.

    Returns:
      [N, size].
    """
    config = self._config
    pixels = jnp.asarray(pixels)
    config.check_picture(*pixels.shape[1:3])
    rng_key = hk.maybe_next_rng_key()
    coarse, fine = split(pixels, config)
    places: list[jax.Array | None] = [None, None]
    if rng_key is not None and config.dropped:
      keys = jax.random.split(rng_key)
      places = [
        draw(key, *part.shape[:2], dropped=config.dropped)
        for key, part in zip(keys, (coarse, fine), strict=True)
      ]
    coarse, fine = (
      part if at is None else jnp.take_along_axis(part, at[..., None], axis=1)
      for part, at in zip((coarse, fine), places, strict=True)
    )
    coarse = _halved(coarse, config.size, dtype)
    x = jnp.concatenate([coarse, fine.astype(dtype)], axis=1) / 255
    x = layers.Linear(config.width, name="in")(x)
    x += self.positions(split_sizes(pixels.shape[1:3], config), places, dtype)
    scale = 1 / (2 * config.num_layers)
    for i in range(config.num_layers):
      normed = layers.LayerNorm(name=f"norm_attention_{i}")(x)
      attend = _Attention(config.num_heads, scale, f"attention_{i}")
      x += attend(normed)
      normed = layers.LayerNorm(name=f"norm_mlp_{i}")(x)
      x += layers.GatedMLP(_EXPANSION * config.width, scale, f"mlp_{i}")(normed)
    x = jnp.mean(layers.LayerNorm(name="norm_out")(x), axis=1)
    return jax.nn.relu(layers.Linear(self._size, name="out")(x))

  def positions(
    self,
    sizes: tuple[int, int],
    places: Sequence[jax.Array | None],
    dtype: jnp.dtype,
  ) -> jax.Array:
    """Returns the learned codes of the patches' positions, [N or 1, P, D].

    Args:
      sizes: Numbers of coarse and of fine patches of a picture.
      places: Indices of the patches that are kept, [N, P]; None for all.
      dtype: Type of the result.
    """
    table = hk.get_parameter(
      "positions",
      (sum(sizes), self._config.width),
      init=hk.initializers.TruncatedNormal(0.02),
    ).astype(dtype)
    starts = (0, sizes[0])
    codes = []
    for start, size, at in zip(starts, sizes, places, strict=True):
      rows = table[start : start + size]
      if at is None:
        codes.append(rows[None])
      else:
        # A product, since the gradient of indexing would be a slow scatter.
        codes.append(jax.nn.one_hot(at, size, dtype=dtype) @ rows)
    most = max(len(part) for part in codes)
    return jnp.concatenate(
      [jnp.broadcast_to(x, (most, *x.shape[1:])) for x in codes], axis=1
    )


class _Attention(hk.Module):
  """Multi-head attention among the patches of each picture."""

  def __init__(self, num_heads: int, output_scale: float, name: str):
    super().__init__(name=name)
    self._num_heads = num_heads
    self._output_scale = output_scale

  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns what each patch reads from the others, [N, P, D]."""
    num, places, width = x.shape
    mixed = layers.Linear(3 * width, with_bias=False, name="in")(x)
    heads = mixed.reshape(num, places, 3, self._num_heads, -1)
    query, key, value = jnp.moveaxis(heads, 2, 0)
    logits = jnp.einsum("nphk,nqhk->nhpq", query, key).astype(jnp.float32)
    weights = jax.nn.softmax(logits * query.shape[-1] ** -0.5)
    read = jnp.einsum("nhpq,nqhk->nphk", weights.astype(x.dtype), value)
    out = layers.output_projection(width, self._output_scale)
    return out(read.reshape(num, places, width))


def split_sizes(
  picture: tuple[int, ...], config: PatchesConfig
) -> tuple[int, int]:
  """Returns the numbers of coarse and of fine patches.

  Args:
    picture: Height and width.
    config: Sizes of the patches.
  """
  height, width = picture
  coarse = (height // config.size) * (width // config.size)
  return coarse, 4 * config.window**2


def split(
  pixels: jax.Array, config: PatchesConfig
) -> tuple[jax.Array, jax.Array]:
  """Cuts pictures into coarse and fine patches, rows first.

  Args:
    pixels: uint8 [N, height, width, 3].
    config: Sizes of the patches.

  Returns:
    uint8 [N, P, size * size * 3] of the whole picture, and [N, P, size * size *
    3 / 4] of its middle.
  """
  height, width = pixels.shape[1:3]
  side = config.window * config.size
  top, left = (height - side) // 2, (width - side) // 2
  middle = pixels[:, top : top + side, left : left + side]
  return _cut(pixels, config.size), _cut(middle, config.size // 2)


def draw(
  rng_key: jax.Array, num: int, num_patches: int, dropped: float
) -> jax.Array:
  """Draws the patches that each picture keeps, all sets equally likely.

  Args:
    rng_key: Consumed.
    num: Number of pictures, N.
    num_patches: Number of patches of each, P.
    dropped: Fraction of the patches to leave out; their number is rounded down.

  Returns:
    Indices of patches, int32 [N, P - floor(dropped P)], distinct within a
    picture.
  """
  # Rounded first: in binary, 0.29 * 100 is a little less than 29.
  kept = num_patches - math.floor(round(dropped * num_patches, 6))
  scores = jax.random.uniform(rng_key, (num, num_patches))
  return jax.lax.top_k(scores, kept)[1]


def _cut(pixels: jax.Array, size: int) -> jax.Array:
  """Cuts [N, H, W, 3] into [N, (H / size) (W / size), size * size * 3]."""
  num, height, width, channels = pixels.shape
  grid = (num, height // size, size, width // size, size, channels)
  patches = jnp.swapaxes(pixels.reshape(grid), 2, 3)
  return patches.reshape(
    num, (height // size) * (width // size), size * size * channels
  )


def _halved(patches: jax.Array, size: int, dtype: jnp.dtype) -> jax.Array:
  """Averages each block of 2 x 2 pixels in patches [N, P, size * size * 3]."""
  num, count, _ = patches.shape
  half = size // 2
  x = patches.reshape(num, count, half, 2, half, 2, 3).astype(dtype)
  return jnp.mean(x, axis=(3, 5)).reshape(num, count, half * half * 3)
