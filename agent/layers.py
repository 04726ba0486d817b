"""Layers that the encoder, the memories and the heads share."""

import functools
from collections.abc import Callable, Mapping, Sequence

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import types

_NORM_EPSILON = 1e-5


class Linear(hk.Linear):
  """A linear map of the last axis.

  Other axes are flattened into one and back. On a CPU the gradient of a
  product with two leading axes otherwise takes several times as long.
  """

  def __call__(self, inputs: types.Array) -> jax.Array:
    x = jnp.asarray(inputs)
    y = super().__call__(x.reshape(-1, x.shape[-1]))
    return y.reshape(*x.shape[:-1], -1)


def linear_of_parts(
  parts: Mapping[str, jax.Array], size: int, name: str
) -> jax.Array:
  """Applies a linear map to the concatenated parts, [..., n] to [..., size].

  Computed as a sum of maps of the parts: on a CPU a long concatenation takes
  longer than the product.
  """
  width = sum(part.shape[-1] for part in parts.values())
  init = hk.initializers.TruncatedNormal(1 / width**0.5)
  maps = [
    Linear(size, with_bias=not i, w_init=init, name=f"{name}_{key}")(part)
    for i, (key, part) in enumerate(parts.items())
  ]
  return functools.reduce(jnp.add, maps)


class LayerNorm(hk.Module):
  """Layer normalisation over the last axis, computed in float32."""

  def __call__(self, x: jax.Array) -> jax.Array:
    size = x.shape[-1:]
    scale = hk.get_parameter("scale", size, init=jnp.ones)
    offset = hk.get_parameter("offset", size, init=jnp.zeros)
    h = x.astype(jnp.float32)
    h = h - jnp.mean(h, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(h), axis=-1, keepdims=True)
    h = h * jax.lax.rsqrt(variance + _NORM_EPSILON)
    leading = (1,) * (x.ndim - 1)
    scale = scale.astype(jnp.float32).reshape(leading + size)
    offset = offset.astype(jnp.float32).reshape(leading + size)
    return (h * scale + offset).astype(x.dtype)


class RMSNorm(hk.Module):
  """Normalisation by the root mean square over the last axis, in float32.

  As in Gemma and Griffin (Zhang and Sennrich 2019, arXiv 1910.07467).
  """

  def __init__(self, name: str, scale: float = 1.0):
    super().__init__(name=name)
    self._scale = scale

  def __call__(self, x: jax.Array) -> jax.Array:
    size = x.shape[-1:]
    init = hk.initializers.Constant(self._scale)
    scale = hk.get_parameter("scale", size, init=init)
    scale = scale.astype(jnp.float32).reshape((1,) * (x.ndim - 1) + size)
    h = x.astype(jnp.float32)
    square = jnp.mean(jnp.square(h), axis=-1, keepdims=True)
    h = h * jax.lax.rsqrt(square + _NORM_EPSILON)
    return (h * scale).astype(x.dtype)


class GatedMLP(hk.Module):
  """The feed-forward part of a layer, GEGLU: (gelu(x W_1) * x W_3) W_2.

  Three matrices (Shazeer 2020), as AdA's operation counts imply.
  """

  def __init__(self, hidden_size: int, output_scale: float, name: str):
    super().__init__(name=name)
    self._hidden_size = hidden_size
    self._output_scale = output_scale

  def __call__(self, x: types.Array) -> jax.Array:
    # One product for both W_1 and W_3.
    h = Linear(2 * self._hidden_size, with_bias=False, name="in")(x)
    gate, value = jnp.split(h, 2, axis=-1)
    out = output_projection(x.shape[-1], self._output_scale)
    return out(jax.nn.gelu(gate) * value)


def output_projection(size: int, scale: float, name: str = "out") -> Linear:
  """Makes a linear map onto the residual stream, initially scaled down.

  With `scale` 1 / (number of such maps), the stream's variance grows by about
  a factor of two over all layers, whatever their number.
  """
  init = hk.initializers.VarianceScaling(scale)
  return Linear(size, with_bias=False, w_init=init, name=name)


def mlp(sizes: Sequence[int], name: str) -> Callable[[jax.Array], jax.Array]:
  """Makes an MLP with ReLU after every layer."""
  parts = []
  for i, size in enumerate(sizes):
    parts += [Linear(size, name=f"{name}_{i}"), jax.nn.relu]
  return hk.Sequential(parts, name=name)


def head(
  hidden_size: int,
  output_size: int,
  name: str,
  b_init: hk.initializers.Initializer = jnp.zeros,
) -> hk.Sequential:
  """Makes a hidden layer with ReLU and a linear map that starts at its bias.

  A bias of zeros makes the initial policy uniform.
  """
  hidden = Linear(hidden_size, name=f"{name}_hidden")
  output = Linear(
    output_size, w_init=jnp.zeros, b_init=b_init, name=f"{name}_output"
  )
  return hk.Sequential([hidden, jax.nn.relu, output], name=name)
