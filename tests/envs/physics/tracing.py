"""Runs code of the gpu back end so that a wait for the device is an error.

JAX traces the code. JAX arrays have no values there, so any use of a value
raises an error at that line. Reads of Warp's arrays are patched to raise.
Transfers between the two give zeros, and results are discarded.
"""

import contextlib
from collections.abc import Callable, Iterator
from unittest import mock

import jax
import jax.numpy as jnp
import warp as wp

from adaland.envs.physics.gpu import arrays


class _WarpWaitedError(Exception):
  """A wait for Warp."""


# Errors that tracers and Warp's patched arrays raise if a value is read.
Waited = (
  jax.errors.ConcretizationTypeError,
  jax.errors.TracerArrayConversionError,
  _WarpWaitedError,
)
_TOKENS: list[jax.Array] = []  # Traced; makes Warp's results traced too.


def trace(work: Callable[[], object]) -> None:
  """Runs the work once; callers must discard all its results and effects.

  Raises:
    Waited: If it waits for the device.
  """
  with _guarded():

    def traced(token: jax.Array) -> jax.Array:
      _TOKENS.append(token)
      try:
        work()
      finally:
        _TOKENS.pop()
      return token

    jax.eval_shape(traced, jnp.zeros(()))


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
  take = arrays.Exchange.take

  def give(self, *arrays):
    del self
    return [_traced(array) for array in arrays]

  def take_zeros(self, array, dtype):
    if not isinstance(array, jax.core.Tracer):
      return take(self, array, dtype)
    inner = 1 if dtype in (wp.vec2, wp.vec3) else 0
    return wp.zeros(array.shape[: array.ndim - inner], dtype=dtype)

  def refuse(*args, **kwargs):
    raise _WarpWaitedError

  with (
    mock.patch.object(arrays.Exchange, "give", give),
    mock.patch.object(arrays.Exchange, "take", take_zeros),
    mock.patch.object(wp.array, "numpy", refuse),
    mock.patch.object(wp, "synchronize", refuse),
    mock.patch.object(wp, "synchronize_device", refuse),
    mock.patch.object(wp, "synchronize_stream", refuse),
  ):
    yield


def _traced(array) -> jax.Array:
  dtype = array.dtype
  inner = getattr(dtype, "_shape_", ())
  scalar = getattr(dtype, "_wp_scalar_type_", dtype)
  zeros = jnp.zeros((*array.shape, *inner), wp.dtype_to_numpy(scalar))
  return zeros + _TOKENS[-1].astype(zeros.dtype) * zeros
