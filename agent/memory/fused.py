"""Transformer-XL's attention with a fused kernel, which stores no scores.

Such kernels (FlashAttention, Dao et al. 2022; here cuDNN's) take queries, keys
and values. Transformer-XL's position term is none of these: it depends on the
query and the distance to the key,

    g_i . r_(i-j),  where g_i = W_R^T (q_i + w)

As a bias it would be the very matrix that the kernel avoids. But the codes are
sines and cosines, sin(f n) and cos(f n) of frequencies f, so the term is
exactly the dot product of a vector at the query's position and one at the
key's:

    sum_f  [g_i^sin sin(f i) + g_i^cos cos(f i)] cos(f j)
         + [g_i^cos sin(f i) - g_i^sin cos(f i)] sin(f j)

Queries and keys become `position_size` wider; nothing else changes.

Shape letters: H heads, D key size, R position size, E = D + R, S positions.
"""

import functools
import logging
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

Kernel = Literal["cudnn", "xla"]

# The kernel's gradient requires an even number of positions.
_MULTIPLE = 2
_TRIED_LENGTH = 16


@functools.cache
def kernel(size: int, dtype: str) -> Kernel | None:
  """Returns the kernel for heads of this width on this platform, or None.

  The shapes that cuDNN supports depend on its version and on the chip, so a
  small example is compiled to find out.

  Args:
    size: E.
    dtype: Dtype of queries, keys and values.
  """
  if jax.default_backend() != "gpu" or dtype == "float32":
    return None

  def total(heads, visible):
    mixed = jax.nn.dot_product_attention(
      *heads, mask=visible, implementation="cudnn"
    )
    return jnp.sum(mixed.astype(jnp.float32))

  shape = (1, _TRIED_LENGTH, 1, size)
  heads = [jax.ShapeDtypeStruct(shape, jnp.dtype(dtype))] * 3
  mask = jax.ShapeDtypeStruct((1, 1, _TRIED_LENGTH, _TRIED_LENGTH), bool)
  try:
    jax.jit(jax.grad(total)).lower(heads, mask).compile()
  except Exception as error:  # JAX has no type for such errors.
    reason = str(error).splitlines()[:1]
    logging.warning("no fused attention for heads of %d: %s", size, reason)
    return None
  return "cudnn"


def attend(
  content_query: jax.Array,
  position_query: jax.Array,
  keys: jax.Array,
  values: jax.Array,
  relative: jax.Array,
  frequencies: np.ndarray,
  visible: jax.Array,
  implementation: Kernel,
) -> jax.Array:
  """Attends over positions relative to each query's position.

  Args:
    content_query: q + u, [B, T, H, D], for the last T of the S positions.
    position_query: q + w, [B, T, H, D].
    keys: [B, S, H, D].
    values: [B, S, H, D].
    relative: W_R by code, head and key size, [R, H, D]; the sine codes come
      first.
    frequencies: f, float [R / 2].
    visible: Which positions each query sees, bool [B, T, S].
    implementation: Argument of `jax.nn.dot_product_attention`.

  Returns:
    [B, T, H, D].
  """
  length, num_positions = visible.shape[1:]
  size = keys.shape[-1]
  dtype = keys.dtype
  angle = np.arange(num_positions)[:, None] * frequencies[None]
  # Codes of the positions of keys and queries, [1, S or T, 1, R / 2].
  sin_j, cos_j = (
    jnp.asarray(f(angle), dtype)[None, :, None] for f in (np.sin, np.cos)
  )
  sin_i, cos_i = sin_j[:, -length:], cos_j[:, -length:]
  g = jnp.einsum("bthd,rhd->bthr", position_query, relative)
  g_sin, g_cos = jnp.split(g, 2, axis=-1)
  queries = jnp.concatenate(
    [
      content_query,
      g_sin * sin_i + g_cos * cos_i,
      g_cos * sin_i - g_sin * cos_i,
    ],
    axis=-1,
  )
  codes = jnp.concatenate([cos_j, sin_j], axis=-1)
  codes = jnp.broadcast_to(codes, (*keys.shape[:3], codes.shape[-1]))
  keys = jnp.concatenate([keys, codes], axis=-1)
  # As wide as the keys, as kernels require.
  values = jnp.pad(values, [(0, 0)] * 3 + [(0, codes.shape[-1])])
  mixed = jax.nn.dot_product_attention(
    _padded(queries, -length % _MULTIPLE),
    _padded(keys, -num_positions % _MULTIPLE),
    _padded(values, -num_positions % _MULTIPLE),
    mask=jnp.pad(
      visible[:, None],
      [(0, 0)] * 2
      + [(0, -length % _MULTIPLE), (0, -num_positions % _MULTIPLE)],
    ),
    scale=1 / np.sqrt(size),
    implementation=implementation,
  )
  return mixed[:, :length, :, :size]


def _padded(x: jax.Array, num: int) -> jax.Array:
  """Pads [B, S, H, E] with positions that no query sees."""
  return jnp.pad(x, [(0, 0), (0, num), (0, 0), (0, 0)])
