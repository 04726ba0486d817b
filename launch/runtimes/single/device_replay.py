"""Replay in device memory: the newest unrolls, as arrays [capacity, ...].

Item i is in row i % capacity. `learn_schedule` counts the items on the host, so
the host never waits for these arrays.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types
from adaland.agent.replay.spec import UnrollSpec


def empty(spec: UnrollSpec, capacity: int) -> types.Unroll:
  """Returns a store of zeros.

  Args:
    spec: Shapes and dtypes of one unroll.
    capacity: Maximum number of unrolls.
  """
  leaves = [
    # JAX may keep 64-bit dtypes in 32 bits.
    jnp.zeros(
      (capacity, *column.shape), jax.dtypes.canonicalize_dtype(column.dtype)
    )
    for column in spec.columns
  ]
  return jax.tree.unflatten(spec.treedef, leaves)


@functools.partial(jax.jit, donate_argnums=0)
def insert(
  store: types.Unroll, unrolls: types.Unroll, rows: np.ndarray
) -> types.Unroll:
  """Writes unrolls into rows.

  Args:
    store: The store, consumed.
    unrolls: Leaves [U, ...].
    rows: Each unroll's row, int32 [U]; rows past the last are ignored.

  Returns:
    The new store.
  """
  return jax.tree.map(
    lambda x, new: x.at[rows].set(new.astype(x.dtype), mode="drop"),
    store,
    unrolls,
  )


@functools.partial(jax.jit, static_argnames=("num", "queue"))
def sample(
  store: types.Unroll,
  key: jax.Array,
  number: np.ndarray,
  oldest: np.ndarray,
  size: np.ndarray,
  num: int,
  queue: bool,
) -> types.Unroll:
  """Draws a batch.

  Args:
    store: The store.
    key: Random key of the run's draws.
    number: Number of this draw, uint32 []; a key and a number always give the
      same draw.
    oldest: Row of the oldest item, int32 [].
    size: Number of items stored, int32 [].
    num: Number of unrolls to draw.
    queue: Whether to take the oldest items in order instead.

  Returns:
    The batch, leaves [num, ...].
  """
  capacity = store.reward.shape[0]
  if queue:
    items = jnp.arange(num, dtype=jnp.int32)
  else:
    items = jax.random.randint(jax.random.fold_in(key, number), (num,), 0, size)
  rows = (oldest + items) % capacity
  return jax.tree.map(lambda x: x[rows], store)
