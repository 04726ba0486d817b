"""A start-up check that a memory keeps the contract of `base.Memory`.

A memory whose `step` and `unroll` differ raises no error, but is trained on
outputs that acting never produces. So a run rejects such a memory before it
starts.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax
import numpy as np

from adaland.agent import initialization, types
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, shape_checks, stack

_TOLERANCE = 1e-4
_BATCH = 3
_LENGTH = 6
# Scale of the noise added to parameters; zeros in them would hide differences.
_NOISE = 0.1


class _Functions(NamedTuple):
  """A memory's jitted functions.

  Attributes:
    step: x [B, D], first [B], state -> output, state.
    unroll: x [B, T, D], first [B, T], state -> output, state.
  """

  step: Callable[..., tuple[np.ndarray, types.MemoryState]]
  unroll: Callable[..., tuple[np.ndarray, types.MemoryState]]


def check_memory(memory: base.MemoryFactory, config: NetworkConfig) -> None:
  """Runs a memory on a small batch and raises if it breaks the contract.

  Takes a second or two. Numbers are compared in float32, whatever the config's
  compute dtype; shapes and dtypes are checked with the config unchanged.

  Args:
    memory: Makes the memory.
    config: The network's config.

  Raises:
    ValueError: If a method is missing, if shapes or dtypes of the state differ
      between steps, if `step` repeated differs from `unroll`, if rows depend
      on one another, or if `first` does not clear the state. The message is one
      line, and names the array and the difference.
  """
  name = _name(memory)
  shape_checks.check_methods(memory, config, name)
  # Training unrolls a stack from an empty state where unrolls are whole
  # episodes.
  is_stack = _is_stack(memory, config)
  shape_checks.check_shapes(memory, config, name, is_stack)
  # By default, matrix products on an accelerator have low precision.
  with jax.default_matmul_precision("highest"):
    config = dataclasses.replace(config, compute_dtype="float32")
    functions = _functions(memory, config)
    start = base.initial_state(memory, config, _BATCH)
    lived_in = _stepped(functions, *_inputs(config, seed=1), start)[1]
    for state in (start, lived_in):
      _check_steps_equal_unroll(functions, config, state, name)
    if is_stack:
      _check_steps_equal_unroll(functions, config, start, name, from_empty=True)
    _check_rows(functions, config, lived_in, name)
    _check_reset(functions, config, start, lived_in, name)


def _name(memory: Any) -> str:
  while isinstance(memory, functools.partial):
    memory = memory.func
  return getattr(memory, "__name__", type(memory).__name__)


def _is_stack(memory: base.MemoryFactory, config: NetworkConfig) -> bool:
  """Returns True if a memory is a stack, which may get an empty state."""
  made: list[base.Memory] = []
  hk.transform(lambda: made.append(memory(config))).init(jax.random.PRNGKey(0))
  return isinstance(made[0], stack.MixerStack)


def _functions(memory: base.MemoryFactory, config: NetworkConfig) -> _Functions:
  """Returns the memory's functions, with noise added to its parameters."""

  def build():
    made = memory(config)
    return made.unroll, (made.step, made.unroll)

  transformed = hk.multi_transform(build)
  start = base.initial_state(memory, config, _BATCH)
  x, first = _inputs(config, seed=0)
  params = initialization.initial_params(
    transformed.init, jax.random.PRNGKey(0), x, first, start
  )
  leaves, tree = jax.tree_util.tree_flatten(params)
  rng = np.random.default_rng(0)
  leaves = [
    np.asarray(leaf) + _NOISE * rng.normal(size=leaf.shape).astype(leaf.dtype)
    for leaf in leaves
  ]
  params = jax.tree_util.tree_unflatten(tree, leaves)
  step, unroll = (
    functools.partial(jax.jit(f), params, None) for f in transformed.apply
  )
  return _Functions(step, unroll)


def _inputs(config: NetworkConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns random inputs, and `first` with rows that reset late or never."""
  rng = np.random.default_rng(seed)
  x = rng.normal(size=(_BATCH, _LENGTH, config.d_model)).astype(np.float32)
  first = np.zeros((_BATCH, _LENGTH), np.uint8)
  first[1, 2] = 1
  first[2, [1, 4]] = 1
  return x, first


def _stepped(
  functions: _Functions,
  x: np.ndarray,
  first: np.ndarray,
  state: types.MemoryState,
) -> tuple[np.ndarray, types.MemoryState]:
  outputs = []
  for t in range(x.shape[1]):
    output, state = functions.step(x[:, t], first[:, t], state)
    outputs.append(output)
  return np.stack(outputs, axis=1), state


def _check_steps_equal_unroll(
  functions: _Functions,
  config: NetworkConfig,
  state: types.MemoryState,
  name: str,
  from_empty: bool = False,
) -> None:
  """Compares repeated `step` and `unroll`.

  Args:
    functions: The memory's functions.
    config: The network's config.
    state: The state before the first step.
    name: The memory's name, for the error.
    from_empty: True to unroll from an empty state instead of `state`, which
      must then be the initial state.
  """
  unroll = "unroll from an empty state" if from_empty else "unroll"
  x, first = _inputs(config, seed=2)
  stepped, stepped_state = _stepped(functions, x, first, state)
  unrolled, unrolled_state = functions.unroll(
    x, first, {} if from_empty else state
  )
  _check_close(
    stepped,
    unrolled,
    f"memory {name}: the output of {unroll} differs from that of repeated step",
  )
  # Parts of the state that are never read may differ, so take further steps
  # from both states.
  more, _ = _inputs(config, seed=3)
  never = np.zeros_like(first)
  after_steps, _ = _stepped(functions, more, never, stepped_state)
  after_unroll, _ = _stepped(functions, more, never, unrolled_state)
  culprit = _most_different(stepped_state, unrolled_state)
  _check_close(
    after_steps,
    after_unroll,
    f"memory {name}: after {unroll}, {culprit} differs from that of repeated "
    "step, and so do the outputs that follow",
  )


def _check_rows(
  functions: _Functions,
  config: NetworkConfig,
  state: types.MemoryState,
  name: str,
) -> None:
  x, first = _inputs(config, seed=4)
  changed, changed_first = x.copy(), first.copy()
  changed[0] *= -1
  changed_first[0, 3] = 1
  for method, run in (
    ("step", functools.partial(_stepped, functions)),
    ("unroll", functions.unroll),
  ):
    before, _ = run(x, first, state)
    after, _ = run(changed, changed_first, state)
    _check_close(
      np.asarray(before)[1:],
      np.asarray(after)[1:],
      f"memory {name}: the output of {method} changes with another row's input",
      first_row=1,
    )


def _check_reset(
  functions: _Functions,
  config: NetworkConfig,
  start: types.MemoryState,
  lived_in: types.MemoryState,
  name: str,
) -> None:
  x, first = _inputs(config, seed=5)
  first[:, 0] = 1
  for method, run in (
    ("step", functools.partial(_stepped, functions)),
    ("unroll", functions.unroll),
  ):
    fresh, _ = run(x, first, start)
    old, _ = run(x, first, lived_in)
    _check_close(
      fresh,
      old,
      f"memory {name}: the output of {method} depends on the state before an "
      "episode's first step",
    )


def _check_close(a: Any, b: Any, what: str, first_row: int = 0) -> None:
  difference = np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64))
  bound = _TOLERANCE * (1 + np.abs(np.asarray(b, np.float64)))
  excess = np.where(np.isfinite(difference), difference - bound, np.inf)
  if (excess <= 0).all():
    return
  row, t, _ = np.unravel_index(np.argmax(excess), excess.shape)
  worst = difference.reshape(-1)[np.argmax(excess)]
  raise ValueError(
    f"{what}, by {worst:.3g} at row {row + first_row}, step {t}; at most "
    f"{_TOLERANCE:g} is allowed"
  )


def _most_different(a: types.MemoryState, b: types.MemoryState) -> str:
  flat, _ = jax.tree_util.tree_flatten_with_path(a)
  worst, name = -1.0, "the state"
  for (path, x), y in zip(flat, jax.tree.leaves(b), strict=True):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    difference = np.abs(x - y).max(initial=0.0)
    if not difference <= worst:
      worst, name = (
        difference,
        f"{shape_checks.array_name(path)} (by up to {difference:.3g})",
      )
  return name
