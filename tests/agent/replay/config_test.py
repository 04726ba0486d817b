"""Tests of adaland.agent.replay.config."""

import dataclasses
import math

from absl.testing import absltest, parameterized

from adaland.agent.replay.config import ReplayConfig


class ReplayConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"kind": "redis"}, "replay.kind is 'redis', allowed: auto"),
    (
      {"sampling": "prioritized"},
      "replay.sampling is 'prioritized', allowed: uniform, queue",
    ),
    ({"capacity": 0}, "replay.capacity is 0, allowed: 1 to 1000000000"),
    ({"capacity": 1_000_000_001}, "replay.capacity is 1000000001, allowed: "),
    ({"batch_size": 0}, "replay.batch_size is 0, allowed: 1 to 100000"),
    ({"min_size": 0}, r"allowed: 1 to capacity \(1000\)"),
    ({"min_size": 1001}, r"allowed: 1 to capacity \(1000\)"),
    ({"batch_size": 0}, "replay.batch_size is 0"),
    ({"insert_timeout": math.nan}, "replay.insert_timeout is nan"),
    ({"insert_timeout": math.inf}, "replay.insert_timeout is inf"),
    ({"insert_timeout": 0.0}, "replay.insert_timeout is 0.0"),
    ({"port": -1}, "allowed: 0 to 65535"),
    ({"port": 65536}, "allowed: 0 to 65535"),
    ({"samples_per_insert": 0.0}, "a finite number above 0, or None"),
    ({"samples_per_insert": math.inf}, "a finite number above 0, or None"),
    ({"error_buffer": 5.0}, "None where samples_per_insert is None"),
    ({"samples_per_insert": 2.0, "error_buffer": 8.0}, "at least 32"),
    ({"samples_per_insert": 40.0, "error_buffer": 36.0}, "at least 40"),
    ({"sampling": "queue", "capacity": 8}, r"at least batch_size \(32\)"),
    ({"sampling": "queue", "samples_per_insert": 2.0}, "None or 1 for a queue"),
    (
      {"sampling": "queue", "samples_per_insert": 1.0, "error_buffer": 64.0},
      "None for a queue",
    ),
  )
  def test_bad_values_are_named(self, values, message):
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(ReplayConfig(), **values)

  def test_limits_of_a_ratio(self):
    limits = ReplayConfig(
      min_size=10, batch_size=4, samples_per_insert=2.0, error_buffer=5.0
    ).rate_limits()
    # 2 * 10 +- 5.
    self.assertEqual(limits, (2.0, 10, 15.0, 25.0))
    self.assertTrue(limits.can_insert(inserts=9, samples=0))
    self.assertTrue(limits.can_insert(inserts=11, samples=0))  # 24 <= 25
    self.assertFalse(limits.can_insert(inserts=12, samples=0))  # 26 > 25
    self.assertTrue(limits.can_insert(inserts=12, samples=1))
    self.assertFalse(limits.can_sample(9, 0, size=9, n=1))
    self.assertTrue(limits.can_sample(10, 0, size=10, n=5))  # 15 >= 15
    self.assertFalse(limits.can_sample(10, 0, size=10, n=6))

  def test_the_ends_of_the_ranges_are_allowed(self):
    config = ReplayConfig(
      capacity=1,
      min_size=1,
      batch_size=1,
      samples_per_insert=2.0,
      error_buffer=2.0,
      insert_timeout=0.001,
      port=65535,
    )
    self.assertEqual(config.rate_limits(), (2.0, 1, 0.0, 4.0))
    # Most unrolls are never drawn.
    config = ReplayConfig(batch_size=4, samples_per_insert=0.25)
    self.assertEqual(config.rate_limits(), (0.25, 1, -5.75, 6.25))
    queue = ReplayConfig(
      sampling="queue", capacity=4, batch_size=4, samples_per_insert=1.0
    )
    self.assertEqual(queue.rate_limits(), (1.0, 1, 0.0, 4.0))

  def test_a_buffer_is_a_batch_and_a_half_or_two_inserts(self):
    for ratio, limits in (
      (2.0, (2.0, 10, 14.0, 26.0)),  # 2 * 10 +- 1.5 * 4.
      (8.0, (8.0, 10, 64.0, 96.0)),  # 8 * 10 +- 2 * 8.
    ):
      config = ReplayConfig(min_size=10, batch_size=4, samples_per_insert=ratio)
      self.assertEqual(config.rate_limits(), limits)

  def test_limits_of_a_queue(self):
    limits = ReplayConfig(
      sampling="queue", capacity=3, batch_size=2, min_size=3
    ).rate_limits()
    self.assertTrue(limits.can_insert(inserts=2, samples=0))
    self.assertFalse(limits.can_insert(inserts=3, samples=0))
    self.assertFalse(limits.can_sample(1, 0, size=1, n=2))
    self.assertTrue(limits.can_sample(2, 0, size=2, n=2))

  def test_without_a_ratio_nobody_waits(self):
    limits = ReplayConfig(min_size=2).rate_limits()
    self.assertTrue(limits.can_insert(inserts=10**9, samples=0))
    self.assertTrue(limits.can_sample(2, 10**9, size=2, n=32))
    self.assertFalse(limits.can_sample(1, 0, size=1, n=1))

  def test_the_hash_follows_what_a_table_depends_on(self):
    base = ReplayConfig()
    self.assertEqual(base.store_hash(), ReplayConfig(port=5).store_hash())
    for other in (
      ReplayConfig(capacity=99),
      ReplayConfig(sampling="queue"),
      ReplayConfig(min_size=3),
    ):
      self.assertNotEqual(base.store_hash(), other.store_hash())

  @parameterized.parameters(
    ({}, "56f9d1a24d69"),
    ({"sampling": "queue"}, "c270f41e2cc6"),
    ({"samples_per_insert": 4.0, "min_size": 10}, "39003dbd6284"),
  )
  def test_the_hash_is_that_of_earlier_checkpoints(self, settings, expected):
    """A checkpoint is found again by the name that contains it."""
    self.assertEqual(ReplayConfig(**settings).store_hash(), expected)


if __name__ == "__main__":
  absltest.main()
