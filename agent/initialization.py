"""Initial parameters whose random numbers are drawn at once.

A network has dozens of parameters, and compiling one draw for each takes XLA
seconds, in every process that makes an agent.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import types

# Standard deviation of a standard normal number, truncated to [-2, 2].
_TRUNCATED_STDDEV = 0.87962566103423978


class _Parameter(NamedTuple):
  """A parameter as its module asked for it."""

  module: str
  name: str
  shape: tuple[int, ...]
  dtype: Any
  init: hk.initializers.Initializer


def initial_params(
  init: Callable[..., types.Params], rng: types.Array, *args: Any
) -> types.Params:
  """Returns what a Haiku function's `init` would, except for random numbers.

  Truncated normal numbers, which most initialisers take, come from one draw.

  Args:
    init: The `init` of a transformed function.
    rng: Random key.
    *args: The function's arguments.

  Returns:
    The parameters.

  Raises:
    ValueError: If an initial value depends on `args`.
  """
  parameters = _parameters(init, rng, args)
  stddevs = [_stddev(parameter) for parameter in parameters]
  sizes = [
    0 if stddev is None else math.prod(parameter.shape)
    for parameter, stddev in zip(parameters, stddevs, strict=True)
  ]
  drawn_key, other_key = jax.random.split(rng)
  drawn = jax.random.truncated_normal(drawn_key, -2.0, 2.0, (sum(sizes),))
  others = hk.transform(
    lambda: [
      None if size else _initial_value(parameter)
      for parameter, size in zip(parameters, sizes, strict=True)
    ]
  ).apply({}, other_key)
  params: dict[str, dict[str, Any]] = {}
  start = 0
  for parameter, stddev, size, value in zip(
    parameters, stddevs, sizes, others, strict=True
  ):
    if size:
      value = stddev * drawn[start : start + size].reshape(parameter.shape)
      start += size
    value = value.astype(parameter.dtype)
    params.setdefault(parameter.module, {})[parameter.name] = value
  return params


def _parameters(
  init: Callable[..., types.Params], rng: types.Array, args: Sequence[Any]
) -> list[_Parameter]:
  """Returns the parameters in the order in which `init` creates them."""
  parameters = []

  def record(next_creator, shape, dtype, init, context):
    del next_creator
    parameters.append(
      _Parameter(context.module_name, context.name, tuple(shape), dtype, init)
    )
    return jnp.zeros(shape, dtype)

  def create(*args):
    with hk.custom_creator(record):
      return init(rng, *args)

  # A creator needs a transformed function around it.
  jax.eval_shape(hk.transform(create).init, rng, *args)
  return parameters


def _initial_value(parameter: _Parameter) -> jax.Array:
  """Returns the value of a parameter with numbers of its own, or constant."""
  try:
    return parameter.init(parameter.shape, parameter.dtype)
  except jax.errors.UnexpectedTracerError:
    raise ValueError(
      f"the initial value of parameter {parameter.module}/{parameter.name} "
      "depends on the module's inputs; it may depend only on the parameter's "
      "shape and dtype, and on a random key"
    ) from None


def _stddev(parameter: _Parameter) -> float | None:
  """Returns the scale of a parameter's truncated normal numbers.

  Returns:
    Their standard deviation before the truncation at two of it; None if the
    parameter has other initial values.
  """
  init, shape = parameter.init, parameter.shape
  if isinstance(init, hk.initializers.TruncatedNormal):
    usual = (init.mean, init.lower, init.upper) == (0.0, -2.0, 2.0)
    return float(init.stddev) if usual else None
  if isinstance(init, hk.initializers.VarianceScaling):
    usual = (init.mode, init.distribution) == ("fan_in", "truncated_normal")
    if usual and init.fan_in_axes is None and len(shape) > 1:
      fan_in = math.prod(shape[:-1])
      return math.sqrt(init.scale / fan_in) / _TRUNCATED_STDDEV
  return None
