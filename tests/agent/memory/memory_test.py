"""A suite of properties that hold for every memory."""

import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from adaland.agent import initialization
from adaland.agent.config import MEMORIES, NetworkConfig
from adaland.agent.memory import base, registry, stack

_BATCH = 3
_LENGTH = 23
# Longer than the window, so that rings wrap around.
_WINDOW = 7
# A step whose context reaches back to the first one in every memory.
_REACH = 7
# Transformer-XL with attention sinks has a state of its own.
_SINKS = "transformer_xl with sinks"
_MEMORIES = tuple((name, name) for name in (*MEMORIES, _SINKS))


def _config(memory: str) -> NetworkConfig:
  return NetworkConfig(
    memory=memory.split()[0],
    attention_sinks=2 if memory == _SINKS else 0,
    d_model=12,
    num_layers=2,
    num_heads=2,
    key_size=5,
    position_size=12,
    feed_forward_size=16,
    memory_length=_WINDOW,
    store_size=3,
    store_every=2,
    local_length=3,
    skip_every=3,
  )


@functools.cache
def _functions(memory: str):
  """Returns a memory's functions and what they start from.

  Returns:
    Random parameters, biases included, the state before any step, and jitted
    step and unroll.
  """
  config = _config(memory)

  def build():
    core = registry.make_memory(config)

    def init(x, first, state):
      return core.unroll(x, first, state)

    return init, (core.step, core.unroll)

  transformed = hk.multi_transform(build)

  @jax.jit
  def initial():
    x, first = _inputs()
    state = base.initial_state(registry.make_memory, config, _BATCH)
    params = initialization.initial_params(
      transformed.init, jax.random.PRNGKey(0), x, first, state
    )
    return params, state

  params, state = initial()
  leaves, tree = jax.tree_util.tree_flatten(params)
  rng = np.random.default_rng(1)
  leaves = [
    np.asarray(leaf) + 0.3 * rng.normal(size=leaf.shape).astype(np.float32)
    for leaf in leaves
  ]
  params = jax.tree_util.tree_unflatten(tree, leaves)
  step, unroll = transformed.apply
  return (
    params,
    state,
    jax.jit(lambda p, x, f, s: step(p, None, x, f, s)),
    jax.jit(lambda p, x, f, s: unroll(p, None, x, f, s)),
  )


def _start(memory: str):
  """Returns the state before any step."""
  return _functions(memory)[1]


def _inputs(seed: int = 0):
  """Returns random inputs; rows start episodes at different times, or never."""
  rng = np.random.default_rng(seed)
  x = rng.normal(size=(_BATCH, _LENGTH, 12)).astype(np.float32)
  first = np.zeros((_BATCH, _LENGTH), np.uint8)
  first[1, [0, 4, 5, 20]] = 1
  first[2, 11] = 1
  return x, first


def _stepped(memory, x, first, state):
  params, _, step, _ = _functions(memory)
  outputs = []
  for t in range(x.shape[1]):
    y, state = step(params, x[:, t], first[:, t], state)
    outputs.append(y)
  return np.stack(outputs, axis=1), state


def _lived_in(memory: str):
  """Returns a state of rows that have seen some steps."""
  x, first = _inputs(seed=5)
  return _stepped(memory, x, first, _start(memory))[1]


class MemoryTest(parameterized.TestCase):
  @parameterized.named_parameters(*_MEMORIES)
  @pytest.mark.optimized
  def test_steps_equal_unroll(self, memory):
    params, _, _, unroll = _functions(memory)
    x, first = _inputs()
    for state in (_start(memory), _lived_in(memory)):
      stepped, stepped_state = _stepped(memory, x, first, state)
      unrolled, unrolled_state = unroll(params, x, first, state)
      np.testing.assert_allclose(stepped, unrolled, atol=1e-4)
      # Parts of a state that are never read may differ, so step from both.
      more, _ = _inputs(seed=2)
      never = np.zeros_like(first)
      expected, _ = _stepped(memory, more, never, stepped_state)
      actual, _ = _stepped(memory, more, never, unrolled_state)
      np.testing.assert_allclose(expected, actual, atol=1e-4)

  @parameterized.named_parameters(*_MEMORIES)
  def test_empty_state_starts_every_row(self, memory):
    params, _, _, unroll = _functions(memory)
    x, first = _inputs()
    first[:, 0] = 1
    expected, expected_state = unroll(params, x, first, _lived_in(memory))
    actual, actual_state = unroll(params, x, first, {})
    np.testing.assert_allclose(expected, actual, atol=1e-4)
    first[:, 0] = 0
    actual, _ = unroll(params, x, first, {})
    np.testing.assert_allclose(expected, actual, atol=1e-4)
    never = np.zeros_like(first)
    expected, _ = _stepped(memory, x, never, expected_state)
    actual, _ = _stepped(memory, x, never, actual_state)
    np.testing.assert_allclose(expected, actual, atol=1e-4)

  @parameterized.named_parameters(*_MEMORIES)
  def test_split_unroll_equals_whole(self, memory):
    params, _, _, unroll = _functions(memory)
    x, first = _inputs()
    state = _lived_in(memory)
    whole, _ = unroll(params, x, first, state)
    # Shorter than the window, then longer, and the other way round.
    for split in (3, _LENGTH - 3):
      a, middle = unroll(params, x[:, :split], first[:, :split], state)
      b, _ = unroll(params, x[:, split:], first[:, split:], middle)
      joined = np.concatenate([a, b], axis=1)
      np.testing.assert_allclose(whole, joined, atol=1e-4)

  @parameterized.named_parameters(*_MEMORIES)
  def test_reset_equals_fresh_and_touches_no_other_row(self, memory):
    x, never = _inputs()
    never = np.zeros_like(never)
    reset = never.copy()
    reset[1, 0] = 1
    old = _lived_in(memory)
    fresh = _start(memory)
    with_reset, _ = _stepped(memory, x, reset, old)
    without, _ = _stepped(memory, x, never, old)
    restarted, _ = _stepped(memory, x, never, fresh)
    np.testing.assert_array_equal(with_reset[1], restarted[1])
    np.testing.assert_array_equal(with_reset[[0, 2]], without[[0, 2]])
    if memory != "none":
      self.assertGreater(np.abs(with_reset[1] - without[1]).max(), 1e-3)

  @parameterized.named_parameters(*_MEMORIES)
  def test_state_rows_can_be_picked(self, memory):
    params, _, step, _ = _functions(memory)
    state = _lived_in(memory)
    x, first = _inputs()
    rows = np.array([2, 2, 0])
    for leaf in jax.tree_util.tree_leaves(state):
      self.assertEqual(leaf.shape[0], _BATCH)
    picked = jax.tree_util.tree_map(lambda leaf: np.asarray(leaf)[rows], state)
    never = np.zeros_like(first[:, 0])
    expected, _ = step(params, x[:, 0], never, state)
    actual, _ = step(params, x[rows, 0], never, picked)
    np.testing.assert_allclose(actual, np.asarray(expected)[rows], atol=1e-5)

  def test_memories_have_comparable_parameters(self):
    sizes = {}
    for memory in MEMORIES:
      leaves = jax.tree_util.tree_leaves(_functions(memory)[0])
      sizes[memory] = sum(leaf.size for leaf in leaves)
    for memory, size in sizes.items():
      self.assertBetween(
        size / sizes["transformer_xl"], 0.75, 1.25, f"{memory} {sizes}"
      )

  @parameterized.named_parameters(*_MEMORIES)
  def test_gradient_reaches_the_contexts_start_but_not_the_state(self, memory):
    params, _, _, unroll = _functions(memory)
    x, first = _inputs()
    first[:] = 0
    first[1, 5] = 1
    state = _lived_in(memory)
    layers_state = {k: v for k, v in state.items() if k != "age"}

    def last(x, layers_state):
      y, _ = unroll(params, x, first, {**layers_state, "age": state["age"]})
      # A plain sum of normalised numbers has no gradient.
      return jnp.sum(jnp.square(y[:, _REACH]) * jnp.arange(12)[None])

    gradients = jax.jit(jax.grad(last, argnums=(0, 1)))
    gradient, into_state = gradients(x, layers_state)
    for leaf in jax.tree_util.tree_leaves(into_state):
      np.testing.assert_array_equal(leaf, 0)
    gradient = np.abs(gradient).max(axis=-1)
    # Nothing comes from an earlier episode or from future steps.
    np.testing.assert_array_equal(gradient[1, :5], 0)
    np.testing.assert_array_equal(gradient[:, _REACH + 1 :], 0)
    if memory == "none":
      np.testing.assert_array_equal(gradient[:, :_REACH], 0)
    else:
      self.assertGreater(gradient[[0, 2], 0].min(), 1e-5)
      self.assertGreater(gradient[1, 5], 1e-5)

  @parameterized.named_parameters(*(m for m in _MEMORIES if m[0] != "none"))
  def test_output_depends_on_the_past(self, memory):
    x, first = _inputs()
    first[:] = 0
    state = _start(memory)
    changed = x.copy()
    changed[:, 5] *= -1
    a, _ = _stepped(memory, x, first, state)
    b, _ = _stepped(memory, changed, first, state)
    np.testing.assert_array_equal(a[:, :5], b[:, :5])
    self.assertGreater(np.abs(a[:, 6] - b[:, 6]).max(), 1e-3)


class AgesTest(absltest.TestCase):
  def test_counts_from_the_episode_start(self):
    first = np.array([[0, 0, 1, 0, 0], [1, 0, 0, 1, 1]], np.uint8)
    start = np.array([4, 9], np.int32)
    np.testing.assert_array_equal(
      jax.jit(stack.ages)(first, start), [[4, 5, 0, 1, 2], [0, 1, 2, 0, 0]]
    )


if __name__ == "__main__":
  absltest.main()
