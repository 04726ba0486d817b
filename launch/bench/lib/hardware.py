"""The memory that this process has used, and the speed of matrix products."""

import resource
import sys
from typing import Any

import jax
import jax.numpy as jnp

from adaland.launch.bench.lib import timing

_SQUARE = 8192  # Number of rows of the matrices on an accelerator.
_SMALL_SQUARE = 512  # Number of rows elsewhere.


def memory(warp_device: Any = None) -> dict[str, float]:
  """Measures the memory of the process and of its accelerator, bytes.

  Args:
    warp_device: Warp's device, if physics runs on one.

  Returns:
    `resident_peak_bytes` of the process; if JAX's device reports them,
    `jax_in_use_bytes`, `jax_peak_bytes` and `jax_limit_bytes`; if Warp's device
    is an accelerator, `warp_free_bytes` and `warp_total_bytes` of its whole
    memory, of which JAX has taken its limit.
  """
  # Linux counts in KiB, macOS in bytes.
  unit = 1 if sys.platform == "darwin" else 1024
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
  found = {"resident_peak_bytes": float(peak)}
  stats = jax.local_devices()[0].memory_stats() or {}
  for name, key in (
    ("jax_in_use_bytes", "bytes_in_use"),
    ("jax_peak_bytes", "peak_bytes_in_use"),
    ("jax_limit_bytes", "bytes_limit"),
  ):
    if key in stats:
      found[name] = float(stats[key])
  if warp_device is not None and warp_device.is_cuda:
    found["warp_free_bytes"] = float(warp_device.free_memory)
    found["warp_total_bytes"] = float(warp_device.total_memory)
  return found


def accelerators() -> int:
  """Returns 1 if JAX computes on an accelerator, else 0."""
  return int(jax.default_backend() != "cpu")


def product_flop_per_s(dtype: str, seconds: float) -> float:
  """Measures the FLOP/s of a product of square matrices, a network's ceiling.

  Args:
    dtype: Type of the matrices.
    seconds: Length of the measurement.
  """
  n = _SQUARE if accelerators() else _SMALL_SQUARE
  matrix = jnp.ones((n, n), dtype)
  multiply = jax.jit(jnp.matmul)
  [rate] = timing.rates(
    [lambda: multiply(matrix, matrix).block_until_ready()], seconds
  )
  return rate * 2 * n**3
