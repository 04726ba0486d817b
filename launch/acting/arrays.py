"""Helpers for arrays on a device."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def padded(numbers: Sequence[int] | np.ndarray, filler: int) -> np.ndarray:
  """Pads numbers to a power of two, so that few compiled programs serve all.

  Args:
    numbers: Whole numbers, possibly none.
    filler: Value of the padding.

  Returns:
    The numbers and the padding, int32.
  """
  length = 1 << max(0, len(numbers) - 1).bit_length()
  result = np.full(length, filler, np.int32)
  result[: len(numbers)] = numbers
  return result


def put_like(host: Any, like: Any) -> Any:
  """Copies arrays to the device that holds their counterparts.

  `jax.device_put` of a NumPy array may share its memory, and a program that
  consumes its input would write into it; a program's result shares nothing.

  Args:
    host: A tree of arrays on the host.
    like: The same tree of arrays on the device.
  """
  shardings = jax.tree.map(lambda x: x.sharding, like)
  copy = jax.jit(
    lambda tree: jax.tree.map(jnp.copy, tree), out_shardings=shardings
  )
  return copy(host)
