"""Tests of timing on a clock that the work itself advances."""

import time

from absl.testing import absltest

from adaland.launch.bench.lib import timing


class RatesTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.now = 0.0
    self.calls = []
    self.enter_context(
      absltest.mock.patch.object(
        timing.time, "perf_counter", side_effect=lambda: self.now
      )
    )

  def work(self, name, seconds):
    def call():
      self.calls.append(name)
      self.now += seconds() if callable(seconds) else seconds

    return call

  def test_calls_a_second(self):
    rates = timing.rates(
      [self.work("a", 1 / 64), self.work("b", 1 / 8)], seconds=2.0
    )
    self.assertEqual(rates, [64.0, 8.0])
    # Warmed up once, then 8 turns of 16 and of 2 calls.
    self.assertEqual(self.calls[:2], ["a", "b"])
    self.assertEqual(self.calls.count("a"), 1 + 8 * 16)
    self.assertEqual(self.calls.count("b"), 1 + 8 * 2)
    self.assertEqual(self.calls[2:20], ["a"] * 16 + ["b"] * 2)

  def test_one_slow_moment_does_not_count(self):
    durations = iter([9.0, 2.0, 30.0, 2.0])
    rates = timing.rates([self.work("a", lambda: next(durations))], seconds=0.1)
    self.assertEqual(rates, [0.5])

  def test_slow_work_is_called_once_a_turn(self):
    timing.rates([self.work("a", 100.0)], seconds=0.01)
    self.assertLen(self.calls, 1 + 3)


class SpeedsTest(absltest.TestCase):
  def test_sleep_takes_time_but_no_processor(self):
    (speed,) = timing.speeds([lambda: time.sleep(0.05)], 0.1)
    self.assertLess(speed.per_second, 20.0)
    self.assertGreater(speed.per_cpu_second, 3 * speed.per_second)


if __name__ == "__main__":
  absltest.main()
