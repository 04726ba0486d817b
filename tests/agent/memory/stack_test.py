"""Tests of stack, with a mixer that records its inputs."""

import dataclasses
import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, stack

_CONFIG = NetworkConfig(
  d_model=4,
  num_layers=3,
  feed_forward_size=4,
  num_heads=1,
  key_size=2,
  token_shift=False,
)
_SHIFTING = dataclasses.replace(_CONFIG, token_shift=True)

_gelu = jax.jit(jax.nn.gelu)


class Spy(hk.Module):
  """A mixer that adds nothing and records the ages, newest last."""

  seen: list = []  # noqa: RUF012 (shared on purpose: modules come and go)

  def __init__(self, config, name):
    del config
    super().__init__(name=name)

  @staticmethod
  def initial_state(config, batch_size):
    del config
    return {"ages": jnp.full([batch_size, 1], -1)}

  def step(self, x, age, state):
    ages = jnp.concatenate([state["ages"], age[:, None]], axis=1)
    return jnp.zeros_like(x), {"ages": ages}

  def unroll(self, x, age, state):
    self.seen.append(state)
    start = self.initial_state(None, x.shape[0]) if state is None else state
    ages = jnp.concatenate([start["ages"], age], axis=1)
    return jnp.zeros_like(x), {"ages": ages}


class Forgetful(Spy):
  """A mixer without state."""

  @staticmethod
  def initial_state(config, batch_size):
    return {}

  def step(self, x, age, state):
    return jnp.zeros_like(x), {}


def _apply(method, *args, mixer=Spy, config=_CONFIG):
  """Calls a method of a stack; only scales and the shift are not zero."""

  def call(*args):
    with hk.custom_creator(
      lambda next_, shape, dtype, init, context: (
        jnp.ones(shape, dtype)
        if context.full_name.endswith(("scale", "shift/w"))
        else jnp.zeros(shape, dtype)
      )
    ):
      return getattr(stack.MixerStack(config, mixer), method)(*args)

  transformed = hk.transform(call)

  @jax.jit
  def init_and_apply(*args):
    return transformed.apply(transformed.init(None, *args), None, *args)

  return jax.tree.map(np.asarray, init_and_apply(*args))


class Tripling(Forgetful):
  """A mixer that adds three times its input."""

  def step(self, x, age, state):
    return 3 * x, {}


@functools.partial(jax.jit, static_argnums=(0, 1))
def _initial_state(batch_size, mixer=Spy):
  factory = functools.partial(stack.MixerStack, mixer=mixer)
  return base.initial_state(factory, _CONFIG, batch_size)


class MixerStackTest(absltest.TestCase):
  def test_initial_state(self):
    state = _initial_state(2)
    self.assertEqual(set(state), {"age", "layer_0", "layer_1", "layer_2"})
    np.testing.assert_array_equal(state["age"], [0, 0])
    self.assertEqual(state["age"].dtype, jnp.int32)
    self.assertEqual(set(_initial_state(2, Forgetful)), {"age"})

  def test_steps_count_ages_and_hand_each_layer_its_own_state(self):
    state = _initial_state(2)
    state["layer_1"] = {"ages": np.full([2, 1], -9, np.int32)}
    x = np.ones([2, 4], np.float32)
    for first in ([0, 1], [0, 0], [0, 1]):
      _, state = _apply("step", x, np.array(first, np.int32), state)
    np.testing.assert_array_equal(state["age"], [3, 1])
    for layer, start in ((0, -1), (1, -9), (2, -1)):
      np.testing.assert_array_equal(
        state[f"layer_{layer}"]["ages"], [[start, 0, 1, 2], [start, 0, 1, 0]]
      )

  def test_unroll_counts_on(self):
    state = _initial_state(2)
    state["age"] = np.array([5, 7], np.int32)
    first = np.array([[0, 0, 1], [1, 0, 0]], np.int32)
    x = np.ones([2, 3, 4], np.float32)
    _, state = _apply("unroll", x, first, state)
    np.testing.assert_array_equal(state["age"], [1, 3])
    np.testing.assert_array_equal(
      state["layer_2"]["ages"], [[-1, 5, 6, 0], [-1, 0, 1, 2]]
    )

  def test_an_empty_state_tells_mixers_that_there_is_no_past(self):
    Spy.seen.clear()
    x, first = np.ones([1, 2, 4], np.float32), np.zeros([1, 2], np.float32)
    _, state = _apply("unroll", x, first, {})
    self.assertNotEmpty(Spy.seen)
    self.assertEqual(set(Spy.seen), {None})
    np.testing.assert_array_equal(state["layer_0"]["ages"], [[-1, 0, 1]])

  def test_layers_that_remember_nothing_leave_no_state(self):
    start = _initial_state(1, Forgetful)
    x, first = np.ones([1, 4], np.float32), np.zeros([1], np.float32)
    _, state = _apply("step", x, first, start, mixer=Forgetful)
    self.assertEqual(set(state), {"age"})

  def test_without_additions_the_output_is_the_normalised_input(self):
    x = np.array([[1.0, 2.0, 3.0, 6.0]], np.float32)
    state = _initial_state(1)
    y, _ = _apply("step", x, np.zeros([1], np.float32), state)
    # Mean 3, variance (4 + 1 + 0 + 9) / 4.
    np.testing.assert_allclose(y, (x - 3) / np.sqrt(3.5), atol=1e-4)

  def test_token_shift_adds_the_step_before_within_an_episode(self):
    x = np.zeros([2, 3, 4], np.float32)
    x[:, :, 0] = [[1, 2, 5], [3, 4, 7]]
    first = np.array([[0, 0, 1], [1, 0, 0]], np.int32)
    before = np.zeros([2, 4], np.float32)
    before[:, 1] = [10, 20]
    state = {
      "age": np.array([6, 6], np.int32),
      "previous": before,
      **{
        f"layer_{i}": {"ages": np.zeros([2, 1], np.float32)} for i in range(3)
      },
    }
    # A matrix of ones: each output gets the sum of the previous step.
    added = np.array([[10, 1, 0], [0, 3, 4]])
    shifted = x + added[:, :, None]
    mean = shifted.mean(axis=-1, keepdims=True)
    expected = (shifted - mean) / shifted.std(axis=-1, keepdims=True)
    unrolled, last = _apply("unroll", x, first, state, config=_SHIFTING)
    np.testing.assert_allclose(unrolled, expected, atol=1e-4)
    np.testing.assert_array_equal(last["previous"], x[:, -1])
    for t in range(3):
      y, state = _apply("step", x[:, t], first[:, t], state, config=_SHIFTING)
      np.testing.assert_allclose(y, expected[:, t], atol=1e-4)
      np.testing.assert_array_equal(state["previous"], x[:, t])

  def test_without_a_memory_there_is_no_token_shift(self):
    start = _initial_state(1, Forgetful)
    x, first = np.ones([1, 4], np.float32), np.zeros([1], np.float32)
    _, state = _apply(
      "step", x, first, start, mixer=Forgetful, config=_SHIFTING
    )
    self.assertEqual(set(state), {"age"})

  def test_a_layer_by_its_formula(self):
    config = dataclasses.replace(_CONFIG, num_layers=1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4))

    def layer_norm(x, p):
      x = x - x.mean(axis=-1, keepdims=True)
      x = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-5)
      return x * p["scale"] + p["offset"]

    def rms_norm(x, p):
      x = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-5)
      return x * p["scale"]

    for style, norm in (
      (stack.Style(), layer_norm),
      (stack.Style(layers.RMSNorm, norms_outputs=True), rms_norm),
    ):
      transformed = hk.without_apply_rng(
        hk.transform(
          lambda x, style=style: stack.MixerStack(
            config, Tripling, style=style
          ).step(x, jnp.zeros([3]), {"age": jnp.zeros([3], jnp.int32)})[0]
        )
      )
      init = jax.jit(transformed.init)
      made = init(jax.random.PRNGKey(0), x.astype(np.float32))
      params = jax.tree.map(
        lambda p: rng.normal(size=p.shape).astype(np.float32), made
      )
      p = {k.removeprefix("memory/~/"): v for k, v in params.items()}

      def added(x, name, p=p, norm=norm, style=style):
        """Returns what is added to the stream."""
        if style.norms_outputs:
          return norm(x, p[f"{name}_output_norm_0"])
        return x

      y = x + added(3 * norm(x, p["mixer_norm_0"]), "mixer")
      hidden = norm(y, p["feed_forward_norm_0"])
      gate, value = np.split(hidden @ p["feed_forward_0/in"]["w"], 2, axis=-1)
      hidden = np.asarray(_gelu(gate)) * value
      hidden = hidden @ p["feed_forward_0/out"]["w"]
      y = norm(y + added(hidden, "feed_forward"), p["final_norm"])
      actual = jax.jit(transformed.apply)(params, x.astype(np.float32))
      np.testing.assert_allclose(actual, y, rtol=1e-3, atol=1e-3)
    # The outputs' norms start at the root of the residual scale.
    for part in ("mixer", "feed_forward"):
      scale = made[f"memory/~/{part}_output_norm_0"]["scale"]
      np.testing.assert_allclose(scale, np.sqrt(0.5), rtol=1e-6)

  def test_residual_scale_counts_two_additions_a_layer(self):
    self.assertEqual(base.residual_scale(_CONFIG), 1 / 6)


if __name__ == "__main__":
  absltest.main()
