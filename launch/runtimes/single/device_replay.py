"""Replay in device memory: the newest unrolls, as arrays [capacity, ...].

Item number i lies in row i % capacity. Which items there are is counted on
the host (`schedule`), so nothing here is ever asked for.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types
from adaland.agent.replay import spec as spec_lib


def empty(spec: spec_lib.UnrollSpec, capacity: int) -> types.Unroll:
  """Returns rows of zeros.

  Args:
    spec: What one unroll looks like.
    capacity: Unrolls to hold.
  """
  leaves = [
    # The dtype as JAX has it: it may hold 32 bits of 64.
    jnp.zeros(
      (capacity, *column.shape), jax.dtypes.canonicalize_dtype(column.dtype)
    )
    for column in spec.columns
  ]
  return jax.tree.unflatten(spec.treedef, leaves)


def padded(numbers: Sequence[int] | np.ndarray, filler: int) -> np.ndarray:
  """Fills up to the next power of two: so few programs serve all lengths."""
  length = 1 << max(0, len(numbers) - 1).bit_length()
  result = np.full(length, filler, np.int32)
  result[: len(numbers)] = numbers
  return result


@functools.partial(jax.jit, donate_argnums=0)
def insert(
  ring: types.Unroll, unrolls: types.Unroll, rows: np.ndarray
) -> types.Unroll:
  """Writes unrolls into rows; the ring given is consumed.

  Args:
    ring: The store.
    unrolls: Leaves [K, ...].
    rows: Where each goes, int32 [K]; past the last row for those to leave out.
  """
  return jax.tree.map(
    lambda x, new: x.at[rows].set(new.astype(x.dtype), mode="drop"),
    ring,
    unrolls,
  )


@functools.partial(jax.jit, static_argnames=("num", "queue"))
def sample(
  ring: types.Unroll,
  key: jax.Array,
  number: np.ndarray,
  oldest: np.ndarray,
  size: np.ndarray,
  num: int,
  queue: bool,
) -> types.Unroll:
  """Draws a batch, leaves [num, ...].

  Args:
    ring: The store.
    key: Of the run's draws.
    number: Of this draw; the same key and number draw the same, uint32 [].
    oldest: Row of the oldest item, int32 [].
    size: Items stored, int32 [].
    num: Unrolls to draw.
    queue: Whether to take the oldest instead, in order.
  """
  capacity = ring.reward.shape[0]
  if queue:
    places = jnp.arange(num, dtype=jnp.int32)
  else:
    places = jax.random.randint(
      jax.random.fold_in(key, number), (num,), 0, size
    )
  rows = (oldest + places) % capacity
  return jax.tree.map(lambda x: x[rows], ring)


def put_like(host: Any, like: Any) -> Any:
  """Copies arrays to the device, each where its counterpart is.

  What JAX makes of a NumPy array may share its memory, which a program that
  consumes its input would write into; what a program gives shares nothing.
  """
  shardings = jax.tree.map(lambda x: x.sharding, like)
  copy = jax.jit(
    lambda tree: jax.tree.map(jnp.copy, tree), out_shardings=shardings
  )
  return copy(host)
