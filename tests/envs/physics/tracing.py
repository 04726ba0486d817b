"""Runs code of the gpu back end where a wait for the device is an error.

JAX traces it: no array of JAX has a value then, so whoever asks for one, in
whatever way, is told so at that line. Warp's arrays are guarded by hand.
Between the two go zeros; what comes of it is nobody's business here.
"""

import contextlib
from collections.abc import Callable, Iterator
from unittest import mock

import jax
import jax.numpy as jnp
import warp as wp

from adaland.envs.physics.gpu import exchange


class _WarpWaitedError(Exception):
  """Warp was waited for."""


# What tracers and Warp say when they are asked for a value.
Waited = (
  jax.errors.ConcretizationTypeError,
  jax.errors.TracerArrayConversionError,
  _WarpWaitedError,
)
_TOKENS: list[jax.Array] = []  # Makes what Warp gives a value that is traced.


def trace(work: Callable[[], object]) -> None:
  """Does the work once; nothing that it leaves behind is of use.

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
  take = exchange.Exchange.take

  def give(self, *arrays):
    del self
    return [_traced(array) for array in arrays]

  def take_zeros(self, array, kind):
    if not isinstance(array, jax.core.Tracer):
      return take(self, array, kind)
    inner = 1 if kind in (wp.vec2, wp.vec3) else 0
    return wp.zeros(array.shape[: array.ndim - inner], dtype=kind)

  def refuse(*args, **kwargs):
    raise _WarpWaitedError

  with (
    mock.patch.object(exchange.Exchange, "give", give),
    mock.patch.object(exchange.Exchange, "take", take_zeros),
    mock.patch.object(wp.array, "numpy", refuse),
    mock.patch.object(wp, "synchronize", refuse),
    mock.patch.object(wp, "synchronize_device", refuse),
    mock.patch.object(wp, "synchronize_stream", refuse),
  ):
    yield


def _traced(array) -> jax.Array:
  kind = array.dtype
  inner = getattr(kind, "_shape_", ())
  scalar = getattr(kind, "_wp_scalar_type_", kind)
  zeros = jnp.zeros((*array.shape, *inner), wp.dtype_to_numpy(scalar))
  return zeros + _TOKENS[-1].astype(zeros.dtype) * zeros
