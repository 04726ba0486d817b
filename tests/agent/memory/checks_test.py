"""Tests of adaland.agent.memory.checks: good memories, and each fault."""

import dataclasses
import functools

import jax.numpy as jnp
from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, checks, gru, registry, stack
from tests.agent.memory import examples


def _config(**changes):
  return NetworkConfig(
    d_model=8,
    num_layers=1,
    num_heads=2,
    key_size=4,
    position_size=8,
    feed_forward_size=8,
    memory_length=5,
    local_length=3,
    store_size=2,
    store_every=2,
    **changes,
  )


class IgnoresFirst(examples.EMA):
  def step(self, x, first, state):
    return super().step(x, jnp.zeros_like(first), state)


class UnrollIgnoresFirst(examples.EMA):
  def unroll(self, x, first, state):
    return super().unroll(x, first.at[:, 1:].set(0), state)


class UnrollForgetsToReturnState(examples.EMA):
  def unroll(self, x, first, state):
    output, _ = super().unroll(x, first, state)
    return output, state


class MixesRows(examples.EMA):
  def step(self, x, first, state):
    output, state = super().step(x, first, state)
    return output + jnp.mean(x, axis=0, keepdims=True), state


class Grows(examples.EMA):
  def step(self, x, first, state):
    output, _ = super().step(x, first, state)
    return output, {"mean": jnp.concatenate([state["mean"], x], axis=1)}


class ChangesDtype(examples.EMA):
  def step(self, x, first, state):
    output, state = super().step(x, first, state)
    return output, {"mean": state["mean"].astype(jnp.float16)}


class LosesAnArray(examples.EMA):
  def step(self, x, first, state):
    output, _ = super().step(x, first, state)
    return output, {}


class AlwaysFloat32(examples.EMA):
  def initial_state(self, batch_size):
    return {"mean": jnp.zeros((batch_size, self._config.d_model))}


class NarrowOutput(examples.EMA):
  def step(self, x, first, state):
    output, state = super().step(x, first, state)
    return output[:, :5], state


class StateWithoutRows(examples.EMA):
  def initial_state(self, batch_size):
    return {"mean": jnp.zeros(self._config.d_model)}


class StateIsAnArray(examples.EMA):
  def initial_state(self, batch_size):
    return super().initial_state(batch_size)["mean"]


class WrongFromNone(gru.GRUMixer):
  def unroll(self, x, age, state):
    return super().unroll(2 * x if state is None else x, age, state)


class NoStateFromNone(gru.GRUMixer):
  def unroll(self, x, age, state):
    output, after = super().unroll(x, age, state)
    return output, {} if state is None else after


class CheckTest(parameterized.TestCase):
  # A ring, a recurrence and no state; the contract suite has all memories.
  @parameterized.parameters("skip", "griffin", "none")
  def test_our_memories_pass(self, memory):
    config = dataclasses.replace(_config(), memory=memory, num_layers=2)
    checks.check_memory(registry.make_memory, config)

  @parameterized.named_parameters(
    ("a class", examples.EMA),
    ("a partial", functools.partial(examples.EMA, decay=0.5)),
    ("a function", lambda config: examples.EMA(config, decay=0.5)),
    ("a mixer", functools.partial(stack.MixerStack, mixer=gru.GRUMixer)),
  )
  def test_users_memory_passes(self, memory):
    checks.check_memory(memory, _config())
    checks.check_memory(memory, _config(compute_dtype="bfloat16"))

  @parameterized.named_parameters(
    (
      "unroll differs from step",
      UnrollIgnoresFirst,
      r"UnrollIgnoresFirst: the output of unroll differs from .*step, by "
      r"0\.\d+ at row [12], step \d; at most 0\.0001",
    ),
    (
      "state after unroll",
      UnrollForgetsToReturnState,
      r"after unroll, state\['mean'\] \(by up to \d.*\) differs .* by \d",
    ),
    (
      "never reset",
      IgnoresFirst,
      r"the output of step depends on the state before .* by \d",
    ),
    (
      "rows mixed",
      MixesRows,
      r"the output of step changes with another row's input, by \d",
    ),
    (
      "growing state",
      Grows,
      r"after step, state\['mean'\] is float32\[3, 16\]; initial_state "
      r"returned float32\[3, 8\]",
    ),
    (
      "state of another dtype",
      ChangesDtype,
      r"after step, state\['mean'\] is float16\[3, 8\]; .* float32\[3, 8\]",
    ),
    (
      "state without an array",
      LosesAnArray,
      r"after step, state\['mean'\] is missing; .* float32\[3, 8\]",
    ),
    (
      "narrow output",
      NarrowOutput,
      r"output of step is float32\[3, 5\]; its shape must be \[3, 8\]",
    ),
    (
      "state without rows",
      StateWithoutRows,
      r"state\['mean'\] of initial_state is float32\[8\] for 3 rows and "
      r"float32\[8\] for 4",
    ),
    (
      "state that is no dictionary",
      StateIsAnArray,
      r"initial_state returned float32\[3, 8\]; it must be a dictionary",
    ),
    (
      "no unroll",
      examples.WithoutUnroll,
      r"WithoutUnroll has no method 'unroll'",
    ),
    (
      "mixer wrong without a state",
      functools.partial(stack.MixerStack, mixer=WrongFromNone),
      r"output of unroll from an empty state differs from .*step, by \d",
    ),
    (
      "mixer returns no state without one",
      functools.partial(stack.MixerStack, mixer=NoStateFromNone),
      r"after unroll from an empty state, state\['layer_0'\]\['hidden'\] is m",
    ),
  )
  def test_names_the_array_and_the_difference(self, memory, message):
    with self.assertRaisesRegex(ValueError, message) as caught:
      checks.check_memory(memory, _config())
    self.assertNotIn("\n", str(caught.exception))

  def test_dtypes_are_those_of_the_configs_arithmetic(self):
    checks.check_memory(AlwaysFloat32, _config())
    with self.assertRaisesRegex(
      ValueError, r"state\['mean'\] is bfloat16\[3, 8\].*float32\[3, 8\]"
    ):
      checks.check_memory(Promotes, _config(compute_dtype="bfloat16"))


class Promotes(AlwaysFloat32):
  def step(self, x, first, state):
    output, state = super().step(x, first, state)
    return output.astype(x.dtype), {"mean": state["mean"].astype(x.dtype)}


class InitialStateTest(absltest.TestCase):
  def test_no_buffer_is_there_twice(self):
    class Twins(examples.EMA):
      def initial_state(self, batch_size):
        zeros = jnp.zeros([batch_size])
        return {"a": zeros, "b": zeros}

    state = base.initial_state(Twins, _config(), 2)
    self.assertNotEqual(
      state["a"].unsafe_buffer_pointer(), state["b"].unsafe_buffer_pointer()
    )


if __name__ == "__main__":
  absltest.main()
