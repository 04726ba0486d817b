"""Arrays between host, JAX and Warp, without waiting for the device.

On CUDA, Warp reads JAX's arrays where they are: DLPack has the stream of the
one wait for that of the other, on the device. What comes from the host goes
through JAX too, whose copies are staged; Warp's own copy of pageable memory
may wait for the device. On Warp's CPU device the host is the device.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import warp as wp

_NUMPY = {
  int: np.int32,
  wp.int32: np.int32,
  wp.bool: np.bool_,
}  # All else is of float32.


class Exchange:
  """Takes arrays to Warp and gives them to JAX.

  Args:
    device: Warp's device.
  """

  def __init__(self, device: Any):
    self._device = device
    # JAX may hand memory on as soon as nobody refers to it, while Warp has yet
    # to read it; once JAX waits for Warp, what it runs after that is later.
    self._lent: list[jax.Array] = []

  def take(self, array: Any, kind: Any) -> Any:
    """An array of NumPy or JAX as Warp's, not to be written to."""
    numpy_kind = _NUMPY.get(kind, np.float32)
    if self._device.is_cuda:
      lent = jnp.asarray(array, numpy_kind)
      self._lent.append(lent)
      return wp.from_jax(lent, dtype=kind)
    return wp.array(np.ascontiguousarray(array, numpy_kind), dtype=kind)

  def give(self, *arrays: Any) -> list[jax.Array]:
    """Copies as JAX's, on the same device: Warp's own change every step."""
    if self._device.is_cuda:
      given = [jnp.copy(wp.to_jax(array)) for array in arrays]
      self._lent.clear()
      return given
    return [jnp.array(array.numpy()) for array in arrays]
