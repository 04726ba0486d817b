"""Tests of stopwatch on a clock that the work itself advances."""

import types

import jax.numpy as jnp
from absl.testing import absltest

from adaland.launch.bench.lib import stopwatch


class _Thing:
  def __init__(self, clock):
    self.clock = clock

  def outer(self):
    self.clock.now += 1.0
    return self.inner() + 1

  def inner(self, fast=False):
    self.clock.now += 0.25 if fast else 2.0
    return jnp.zeros(2)

  def fails(self):
    self.clock.now += 4.0
    raise ValueError


class StopwatchTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.clock = types.SimpleNamespace(now=0.0)
    self.enter_context(
      absltest.mock.patch.object(
        stopwatch.time, "perf_counter", side_effect=lambda: self.clock.now
      )
    )
    self.thing = _Thing(self.clock)
    self.watch = stopwatch.Stopwatch()

  def _wait(self):
    self.clock.now += 0.5

  def test_adds_up_by_name(self):
    self.watch.watch(
      self.thing, "inner", lambda fast=False: "fast" if fast else "slow"
    )
    for fast in (True, False, True):
      self.assertEqual(self.thing.inner(fast=fast).shape, (2,))
    self.assertEqual(self.watch.seconds, {"fast": 0.5, "slow": 2.0})

  def test_waits_and_counts_an_inner_call_with_the_outer_one(self):
    self.watch.watch(self.thing, "outer", "outer", self._wait)
    self.watch.watch(self.thing, "inner", "inner", self._wait)
    self.thing.outer()
    self.assertEqual(self.watch.seconds, {"outer": 3.5})
    self.thing.inner()
    self.assertEqual(self.watch.seconds, {"outer": 3.5, "inner": 2.5})

  def test_a_call_that_raises_does_not_count(self):
    self.watch.watch(self.thing, "fails", "fails")
    with self.assertRaises(ValueError):
      self.thing.fails()
    self.assertEqual(self.watch.seconds, {})
    self.watch.watch(self.thing, "inner", "inner")
    self.thing.inner()  # Nothing counts as running.
    self.assertEqual(self.watch.seconds, {"inner": 2.0})

  def test_stop_restores_all_attributes(self):
    def function():
      return 1

    module = types.SimpleNamespace(function=function)
    self.watch.watch(module, "function", "function")
    self.watch.watch(self.thing, "inner", "inner")
    self.watch.watch(_Thing, "outer", "outer")
    self.watch.stop()
    self.assertIs(module.function, function)
    self.assertNotIn("inner", vars(self.thing))
    self.thing.outer()
    self.assertEqual(self.watch.seconds, {})


if __name__ == "__main__":
  absltest.main()
