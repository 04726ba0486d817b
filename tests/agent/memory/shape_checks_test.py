"""Tests of adaland.agent.memory.shape_checks; checks_test has more faults."""

from typing import Any

import jax.numpy as jnp
from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import shape_checks
from tests.agent.memory import examples

_CONFIG = NetworkConfig(d_model=8)


class AttributeForUnroll(examples.WithoutUnroll):
  unroll = None


class UnrollGrows(examples.EMA):
  def unroll(self, x, first, state):
    output, state = super().unroll(x, first, state)
    return output, {"mean": jnp.concatenate([state["mean"]] * 2, axis=1)}


class GainsAnArray(examples.EMA):
  def step(self, x, first, state):
    output, state = super().step(x, first, state)
    return output, {**state, "more": x[:, 0]}


class UnrollReturnsTheLastStep(examples.EMA):
  def unroll(self, x, first, state):
    output, state = super().unroll(x, first, state)
    return output[:, -1], state


class FourRows(examples.EMA):
  def initial_state(self, batch_size):
    return {"mean": jnp.zeros((4, 8))}


class WideForMoreRows(examples.EMA):
  def initial_state(self, batch_size):
    return {"mean": jnp.zeros((batch_size, batch_size + 5))}


class MethodsTest(absltest.TestCase):
  def test_a_method_can_be_called(self):
    shape_checks.check_methods(examples.EMA, _CONFIG, "ema")
    memory: Any = AttributeForUnroll
    with self.assertRaisesRegex(
      ValueError, "^memory m has no method 'unroll'; it must have initial_state"
    ):
      shape_checks.check_methods(memory, _CONFIG, "m")


class ShapesTest(parameterized.TestCase):
  @parameterized.parameters(
    (
      UnrollGrows,
      r"after unroll, state\['mean'\] is float32\[3, 16\]; initial_state "
      r"returned float32\[3, 8\]",
    ),
    (
      UnrollReturnsTheLastStep,
      r"output of unroll is float32\[3, 8\]; its shape must be \[3, 6, 8\]",
    ),
    (
      GainsAnArray,
      r"after step, state\['more'\] is float32\[3\]; initial_state returned "
      r"missing",
    ),
    (FourRows, r"is float32\[4, 8\] for 3 rows and float32\[4, 8\] for 4"),
    (
      WideForMoreRows,
      r"is float32\[3, 8\] for 3 rows and float32\[4, 9\] for 4; its first",
    ),
  )
  def test_refuses(self, memory, message):
    with self.assertRaisesRegex(ValueError, message):
      shape_checks.check_shapes(memory, _CONFIG, "m", takes_empty=False)

  def test_accepts_what_keeps_the_contract(self):
    shape_checks.check_shapes(examples.EMA, _CONFIG, "m", takes_empty=False)


if __name__ == "__main__":
  absltest.main()
