"""Checks of a memory's methods, and of the shapes and dtypes of its arrays.

Nothing is computed: JAX traces the memory.
"""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base

_METHODS = ("initial_state", "step", "unroll")
_BATCH = 3
_LENGTH = 6


def check_methods(
  memory: base.MemoryFactory, config: NetworkConfig, name: str
) -> None:
  """Raises ValueError unless a memory has its three methods.

  Args:
    memory: Makes the memory.
    config: The network's config.
    name: The memory's name, for the error.
  """
  found: list[str] = []

  def look() -> None:
    made = memory(config)
    found.extend(m for m in _METHODS if callable(getattr(made, m, None)))

  hk.transform(look).init(None)
  for method in _METHODS:
    if method not in found:
      raise ValueError(
        f"memory {name} has no method {method!r}; it must have "
        f"{', '.join(_METHODS)}"
      )


def check_shapes(
  memory: base.MemoryFactory,
  config: NetworkConfig,
  name: str,
  takes_empty: bool,
) -> None:
  """Raises ValueError if a shape or dtype breaks the contract.

  Args:
    memory: Makes the memory.
    config: The network's config.
    name: The memory's name, for the error.
    takes_empty: True if `unroll` also takes an empty state.
  """
  start = jax.eval_shape(lambda: base.initial_state(memory, config, _BATCH))
  if not isinstance(start, dict):
    raise ValueError(
      f"memory {name}: initial_state returned {_text(start)}; it must "
      "be a dictionary of arrays"
    )
  _check_first_axis(memory, config, start, name)
  x = jax.ShapeDtypeStruct(
    (_BATCH, _LENGTH, config.d_model), jnp.dtype(config.compute_dtype)
  )
  first = jax.ShapeDtypeStruct((_BATCH, _LENGTH), jnp.uint8)
  one_x = jax.ShapeDtypeStruct((_BATCH, config.d_model), x.dtype)
  one_first = jax.ShapeDtypeStruct((_BATCH,), jnp.uint8)
  cases: list[tuple[str, str, Any]] = [
    ("step", "step", (one_x, one_first, start)),
    ("unroll", "unroll", (x, first, start)),
  ]
  if takes_empty:
    cases.append(("unroll", "unroll from an empty state", (x, first, {})))
  for method, called, inputs in cases:
    output, state = _shapes(memory, config, method, *inputs)
    _check_same_arrays(start, state, f"memory {name}: after {called},")
    wanted = inputs[0].shape
    if getattr(output, "shape", None) != wanted:
      raise ValueError(
        f"memory {name}: the output of {called} is {_text(output)}; its shape "
        f"must be {list(wanted)}"
      )


def _check_first_axis(
  memory: base.MemoryFactory,
  config: NetworkConfig,
  start: types.MemoryState,
  name: str,
) -> None:
  more = jax.eval_shape(lambda: base.initial_state(memory, config, _BATCH + 1))
  flat, _ = jax.tree_util.tree_flatten_with_path(start)
  for (path, one), other in zip(flat, jax.tree.leaves(more), strict=True):
    if one.shape[:1] != (_BATCH,) or other.shape != (
      _BATCH + 1,
      *one.shape[1:],
    ):
      raise ValueError(
        f"memory {name}: {array_name(path)} of initial_state is {_text(one)} "
        f"for {_BATCH} rows and {_text(other)} for {_BATCH + 1}; its first "
        "axis, and no other, must be the rows"
      )


def _shapes(
  memory: base.MemoryFactory,
  config: NetworkConfig,
  method: str,
  *inputs: Any,
) -> Any:
  transformed = hk.transform(
    lambda *args: getattr(memory(config), method)(*args)
  )

  def call(*inputs):
    rng = jax.random.PRNGKey(0)
    params = _cast(transformed.init(rng, *inputs), config.compute_dtype)
    return transformed.apply(params, rng, *inputs)

  return jax.eval_shape(call, *inputs)


def _cast(params: types.Params, dtype: str) -> types.Params:
  return jax.tree_util.tree_map(lambda x: x.astype(dtype), params)


def _check_same_arrays(old: Any, new: Any, where: str) -> None:
  before = dict(jax.tree_util.tree_flatten_with_path(old)[0])
  after = dict(jax.tree_util.tree_flatten_with_path(new)[0])
  for path in [*before, *after]:
    have, want = after.get(path), before.get(path)
    if (
      have is None
      or want is None
      or (have.shape, have.dtype) != (want.shape, want.dtype)
    ):
      raise ValueError(
        f"{where} {array_name(path)} is {_text(have)}; initial_state returned "
        f"{_text(want)}, and shapes and dtypes must stay the same"
      )


def array_name(path: Any) -> str:
  """Returns the name of a state's array: state['layer_0']['keys']."""
  return f"state{jax.tree_util.keystr(path)}"


def _text(x: Any) -> str:
  if x is None:
    return "missing"
  if not hasattr(x, "shape"):
    return type(x).__name__
  return f"{np.dtype(x.dtype).name}{list(x.shape)}"
