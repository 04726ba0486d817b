"""Scalars as categorical distributions: values and rewards.

A scalar x is squashed by h, and h(x) is represented by weights of the two
nearest of n evenly spaced bins on [-value_range, value_range] (MuZero, appendix
F). AdA (arXiv 2301.07608) has 601 bins, here on [-300, 300]: one bin per unit,
so fewer bins of the same spacing on a shorter range represent the scalars
inside it just as well.

The number of bins is always the last dimension of the logits. This module does
not use rlax's versions of h and its inverse, so that actors need not import
rlax; the tests compare the two.
"""

import jax
import jax.numpy as jnp

from adaland.agent import types

# The linear part of h, which keeps its inverse Lipschitz.
_EPSILON = 1e-3


def squash(x: types.Array) -> jax.Array:
  """Returns h(x) = sign(x) (√(|x| + 1) - 1) + 0.001 x, elementwise."""
  x = jnp.asarray(x)
  return jnp.sign(x) * (jnp.sqrt(jnp.abs(x) + 1.0) - 1.0) + _EPSILON * x


def unsquash(y: types.Array) -> jax.Array:
  """Returns the x with squash(x) = y, elementwise.

  With s = √(1 + 4ε(ε + 1 + |y|)), the root of h(x) = |y| is z² - 1 where
  z = (s - 1) / 2ε. The textbook form subtracts near-equal numbers and divides
  by 2ε, which costs three digits near zero in float32, where rewards are. Here
  the factor |y| is taken out of z - 1, so that nothing cancels.

  Args:
    y: Squashed scalars, any shape.

  Returns:
    Scalars of the same shape.
  """
  y = jnp.asarray(y)
  a = jnp.abs(y)
  s = jnp.sqrt(1.0 + 4.0 * _EPSILON * (_EPSILON + 1.0 + a))
  shrink = 1.0 - 2.0 * _EPSILON / (s + 1.0 + 2.0 * _EPSILON)
  z_minus_1 = a * (2.0 * (s + 1.0) - 4.0 * _EPSILON * shrink)
  z_minus_1 /= jnp.square(s + 1.0)
  return jnp.sign(y) * z_minus_1 * (z_minus_1 + 2.0)


def _centred_bins(num_bins: int, ndim: int) -> jax.Array:
  """Returns bin numbers counted from the middle, [1, ..., 1, num_bins]."""
  bins = jnp.arange(num_bins, dtype=jnp.float32) - (num_bins - 1) / 2
  return bins.reshape((1,) * ndim + (num_bins,))


def encode(x: types.Array, num_bins: int, value_range: float) -> jax.Array:
  """Returns the two-hot weights of scalars; out-of-range ones are clipped.

  A bin's weight is max(0, 1 - its distance to h(x) in bins): the triangular
  kernel of linear interpolation, without gathers or scatters.

  Args:
    x: Scalars, [...].
    num_bins: Number of bins, at least 2.
    value_range: The outermost bins are at ±value_range, in units of h(x).

  Returns:
    Non-negative weights that sum to 1, [..., num_bins].
  """
  x = jnp.asarray(x, jnp.float32)
  spacing = 2.0 * value_range / (num_bins - 1)
  position = jnp.clip(squash(x), -value_range, value_range) / spacing
  distance = jnp.abs(_centred_bins(num_bins, x.ndim) - position[..., None])
  return jnp.maximum(0.0, 1.0 - distance)


def decode(logits: types.Array, value_range: float) -> jax.Array:
  """Returns the scalars that categorical logits represent.

  The squashed expectation is inverted, not each bin.

  Args:
    logits: Unnormalised log-probabilities, [..., num_bins].
    value_range: The outermost bins are at ±value_range, in units of h(x).

  Returns:
    Float32 scalars, [...].
  """
  logits = jnp.asarray(logits, jnp.float32)
  num_bins = logits.shape[-1]
  spacing = 2.0 * value_range / (num_bins - 1)
  probs = jax.nn.softmax(logits)
  return unsquash(spacing * jnp.dot(probs, _centred_bins(num_bins, 0)))


def cross_entropy(
  logits: types.Array, x: types.Array, value_range: float
) -> jax.Array:
  """Returns the cross-entropy of predictions with two-hot scalar targets.

  Args:
    logits: Predictions, [..., num_bins].
    x: Target scalars, [...].
    value_range: The outermost bins are at ±value_range, in units of h(x).

  Returns:
    -Σ_b two_hot(x)_b log softmax(logits)_b, float32 [...].
  """
  logits = jnp.asarray(logits, jnp.float32)
  weights = encode(x, logits.shape[-1], value_range)
  return jax.nn.logsumexp(logits, axis=-1) - jnp.sum(weights * logits, axis=-1)
