"""The cost of a JAX program, read from its jaxpr before compilation.

XLA's own `cost_analysis` counts the body of a loop once, whatever its length,
and leaves out library kernels; a jaxpr has both. But a jaxpr does not show
fusion: FLOPs are exact, bytes are an upper bound.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax


def flops(function: Callable[..., Any], *args: Any) -> int:
  """Counts the FLOPs of a call's matrix products and convolutions.

  A product [m, k] x [k, n] counts 2 m k n, and a convolution two for each
  weight that an output reads. Loops of known length count as often as they run
  (`while` once, `cond` its most expensive branch), and values recomputed for a
  gradient count again. Everything else, and kernels outside JAX, counts as 0.

  Args:
    function: The function, jitted or not.
    *args: Its arguments, arrays or their shapes.
  """
  return _flops(jax.make_jaxpr(function)(*args).jaxpr)


def peak_bytes(function: Callable[..., Any], *args: Any) -> int:
  """Returns an upper bound on the bytes of a call's intermediate values.

  Each value counts from its computation to its last use, in the jaxpr's order.
  Arguments do not count. The compiled program fuses, so it needs less.

  Args:
    function: The function, jitted or not.
    *args: Its arguments, arrays or their shapes.
  """
  return _peak(jax.make_jaxpr(function)(*args).jaxpr)


def array_bytes(tree: Any) -> int:
  """Returns the bytes of the arrays, or array shapes, in a tree."""
  return sum(
    math.prod(x.shape) * _width(x.dtype) for x in jax.tree.leaves(tree)
  )


def _width(dtype: Any) -> int:
  # The dtypes of random keys have no width.
  return getattr(dtype, "itemsize", 8)


def _inner(equation: Any) -> Iterator[tuple[str, Any]]:
  """Yields the jaxprs that an equation runs, with the parameter's name."""
  for name, value in equation.params.items():
    for part in value if isinstance(value, (tuple, list)) else (value,):
      part = getattr(part, "jaxpr", part)
      if hasattr(part, "eqns"):
        yield name, part


def _flops(jaxpr: Any) -> int:
  total = 0
  for equation in jaxpr.eqns:
    kind = equation.primitive.name
    if kind == "dot_general":
      total += _dot(equation)
    elif kind == "conv_general_dilated":
      total += _convolution(equation)
    else:
      counts = [_flops(inner) for _, inner in _inner(equation)]
      if kind == "cond":
        total += max(counts, default=0)
      elif kind == "scan":
        total += equation.params["length"] * sum(counts)
      else:
        total += sum(counts)
  return total


def _dot(equation: Any) -> int:
  """Returns 2 x elements of the result x length of the contracted axes."""
  (contracted, _), _ = equation.params["dimension_numbers"]
  shape = equation.invars[0].aval.shape
  summed = math.prod(shape[axis] for axis in contracted)
  return 2 * math.prod(equation.outvars[0].aval.shape) * summed


def _convolution(equation: Any) -> int:
  """Returns 2 x elements of the result x weights of one output channel."""
  kernel = equation.invars[1].aval.shape
  out_channel = equation.params["dimension_numbers"].rhs_spec[0]
  weights = math.prod(kernel) // kernel[out_channel]
  return 2 * math.prod(equation.outvars[0].aval.shape) * weights


def _value_bytes(value: Any) -> int:
  aval = value.aval
  shape = getattr(aval, "shape", None)
  return 0 if shape is None else math.prod(shape) * _width(aval.dtype)


def _peak(jaxpr: Any) -> int:
  last = {}
  for index, equation in enumerate(jaxpr.eqns):
    for value in equation.invars:
      if not hasattr(value, "val"):  # Literals hold their value.
        last[value] = index
  for value in jaxpr.outvars:
    if not hasattr(value, "val"):
      last[value] = len(jaxpr.eqns)
  live = most = 0
  held: dict[int, int] = {}  # Bytes that end with each equation.
  for index, equation in enumerate(jaxpr.eqns):
    inside = max((_peak(inner) for _, inner in _inner(equation)), default=0)
    made = 0
    for value in equation.outvars:
      size = _value_bytes(value)
      made += size
      end = last.get(value, index)
      held[end] = held.get(end, 0) + size
    # The inner jaxprs make the results too.
    most = max(most, live + max(inside, made))
    live += made - held.pop(index, 0)
  return most
