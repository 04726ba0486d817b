"""The residual torso, from pixels to a vector (AdA, arXiv 2301.07608)."""

from collections.abc import Sequence

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import types

_BLOCKS_PER_SECTION = 2


class ResidualTorso(hk.Module):
  """Sections of a convolution, max-pooling and two residual blocks.

  IMPALA's torso with a learned scalar on each residual branch, initially zero,
  so that every block starts as the identity.
  """

  def __init__(self, channels: Sequence[int], size: int, name: str = "torso"):
    """Makes the torso.

    Args:
      channels: Channels of each section.
      size: Width of the output.
      name: Name of the module.
    """
    super().__init__(name=name)
    self._channels = channels
    self._size = size

  def __call__(self, pixels: types.Array, dtype: jnp.dtype) -> jax.Array:
    """Encodes pictures.

    Args:
      pixels: uint8 [B, height, width, 3].
      dtype: Type of the arithmetic and the output.

    Returns:
      [B, size].
    """
    h = pixels.astype(dtype) / 255
    for section, channels in enumerate(self._channels):
      h = hk.Conv2D(channels, 3, name=f"conv_{section}")(h)
      h = hk.max_pool(h, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
      for block in range(_BLOCKS_PER_SECTION):
        h = _residual_block(h, f"{section}_{block}")
    h = jax.nn.relu(h).reshape(h.shape[0], -1)
    return jax.nn.relu(hk.Linear(self._size, name="out")(h))


def _residual_block(x: jax.Array, name: str) -> jax.Array:
  """Adds two convolutions, times a scalar, to the input."""
  h = x
  for i in range(2):
    h = hk.Conv2D(x.shape[-1], 3, name=f"residual_{name}_{i}")(jax.nn.relu(h))
  scale = hk.get_parameter(f"scale_{name}", (), init=jnp.zeros)
  return x + scale.astype(x.dtype) * h
