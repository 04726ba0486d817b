"""A suite of the properties of every replay."""

import dataclasses
import importlib.util
import threading
import time
import unittest

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.replay import factory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples

# Longest wait, on a busy machine, for something that takes a moment.
_SECONDS = 60.0


def _count(work, most):
  """Calls `work` until it times out; returns the number of successes."""
  for done in range(most):
    try:
      work()
    except TimeoutError:
      return done
  return most


class _ContractTests(absltest.TestCase):
  """The suite; a subclass names the kind of store it runs on.

  Attributes:
    kind: The kind.
    soon: Seconds after which an event that has not happened is not going to
      happen, however busy the machine.
  """

  kind: str
  soon: float

  def make(self, checkpoint_dir=None, **values):
    base = ReplayConfig(
      kind=self.kind, capacity=10, batch_size=2, insert_timeout=_SECONDS
    )
    config = dataclasses.replace(base, **values)
    spec = UnrollSpec.from_unroll(examples.unroll())
    replay = factory.make_replay(config, spec, checkpoint_dir)
    self.addCleanup(replay.close)
    return replay

  def writer(self, replay):
    writer = replay.writer()
    self.addCleanup(writer.close)
    return writer

  def sampler(self, replay):
    sampler = replay.sampler()
    self.addCleanup(sampler.close)
    return sampler

  def wait_for_size(self, replay, size):
    deadline = time.monotonic() + _SECONDS
    while replay.info().size != size and time.monotonic() < deadline:
      time.sleep(0.01)
    self.assertEqual(replay.info().size, size)

  def test_what_goes_in_comes_out_bit_for_bit(self):
    replay = self.make(sampling="queue")
    writer, sampler = self.writer(replay), self.sampler(replay)
    for number in range(2):
      writer.insert(examples.unroll(number))
    batch = sampler.sample(timeout=_SECONDS)
    for number in range(2):
      row = jax.tree_util.tree_map(lambda x, i=number: x[i], batch)
      expected = examples.unroll(number)
      jax.tree_util.tree_map(np.testing.assert_array_equal, row, expected)
      for got, sent in zip(
        jax.tree_util.tree_leaves(batch),
        jax.tree_util.tree_leaves(expected),
        strict=True,
      ):
        self.assertEqual(got.dtype, sent.dtype)

  def test_the_caller_may_reuse_its_arrays(self):
    replay = self.make(sampling="queue")
    writer, sampler = self.writer(replay), self.sampler(replay)
    unroll = examples.unroll(0)
    for value in range(4):
      unroll.reward[:] = value
      writer.insert(unroll)
    for value in (0, 2):
      rewards = sampler.sample(timeout=_SECONDS).reward[:, 0].tolist()
      self.assertEqual(rewards, [value, value + 1])

  def test_a_queue_gives_everything_once_and_in_order(self):
    replay = self.make(sampling="queue")
    writer, sampler = self.writer(replay), self.sampler(replay)

    def write():
      for number in range(40):
        writer.insert(examples.unroll(number))

    thread = threading.Thread(target=write)
    thread.start()
    drawn = [
      n
      for _ in range(20)
      for n in sampler.sample(_SECONDS).params_version.tolist()
    ]
    thread.join()
    self.assertEqual(drawn, list(range(40)))
    with self.assertRaises(TimeoutError):
      sampler.sample(timeout=0.1)

  def test_a_full_queue_lets_nothing_in_for_a_bounded_time(self):
    replay = self.make(sampling="queue", capacity=3, insert_timeout=self.soon)
    writer = self.writer(replay)
    inserted = _count(lambda: writer.insert(examples.unroll()), 20)
    # One more may be in flight.
    self.assertIn(inserted, (3, 4))
    self.wait_for_size(replay, 3)
    start = time.monotonic()
    with self.assertRaisesRegex(TimeoutError, f"{self.soon:g} s"):
      writer.insert(examples.unroll())
    self.assertBetween(time.monotonic() - start, 0.8 * self.soon, _SECONDS)

  def test_an_empty_store_gives_nothing_for_a_bounded_time(self):
    sampler = self.sampler(self.make(min_size=3))
    start = time.monotonic()
    with self.assertRaisesRegex(TimeoutError, "0.2 s"):
      sampler.sample(timeout=0.2)
    self.assertBetween(time.monotonic() - start, 0.15, _SECONDS)

  def test_nothing_is_drawn_below_the_least_size(self):
    replay = self.make(min_size=3)
    writer, sampler = self.writer(replay), self.sampler(replay)
    for number in range(2):
      writer.insert(examples.unroll(number))
    self.wait_for_size(replay, 2)
    with self.assertRaises(TimeoutError):
      sampler.sample(timeout=0.2)
    writer.insert(examples.unroll(2))
    sampler.sample(timeout=_SECONDS)

  def test_the_ratio_of_samples_to_inserts_is_kept(self):
    # Allowed: 2 * inserts - samples in [2 * 3 - 4, 2 * 3 + 4] = [2, 10].
    replay = self.make(
      capacity=100,
      min_size=3,
      samples_per_insert=2.0,
      error_buffer=4.0,
      insert_timeout=self.soon,
    )
    writer, sampler = self.writer(replay), self.sampler(replay)
    inserts = samples = 0
    for _ in range(3):
      inserts += _count(lambda: writer.insert(examples.unroll()), 100)
      samples += 2 * _count(lambda: sampler.sample(timeout=self.soon), 100)
    # At the end, everything that may be drawn was drawn; an item in flight, a
    # partial batch and prefetched batches make the counts slightly uncertain.
    self.assertGreaterEqual(2 * inserts - samples, 2)
    self.assertLessEqual(2 * inserts - samples, 2 + 2 + 2)
    self.assertGreater(inserts, 8)
    with self.assertRaises(TimeoutError):
      sampler.sample(timeout=0.1)

  def test_only_the_newest_are_kept(self):
    replay = self.make(capacity=4)
    writer = self.writer(replay)
    for number in range(7):
      writer.insert(examples.unroll(number))
    # A full store has its size before the last one arrives.
    writer.close()
    self.wait_for_size(replay, 4)
    sampler = self.sampler(replay)
    drawn = {
      n
      for _ in range(60)
      for n in sampler.sample(_SECONDS).params_version.tolist()
    }
    self.assertEqual(drawn, {3, 4, 5, 6})

  def test_another_unroll_is_refused_by_field_and_the_writer_goes_on(self):
    replay = self.make(sampling="queue")
    writer, sampler = self.writer(replay), self.sampler(replay)
    wrong = examples.unroll()._replace(reward=np.zeros(5, np.float64))
    with self.assertRaisesRegex(ValueError, "Field reward is float64"):
      writer.insert(wrong)
    for number in range(2):
      writer.insert(examples.unroll(number))
    self.assertEqual(sampler.sample(_SECONDS).params_version.tolist(), [0, 1])

  def test_a_checkpoint_brings_the_content_back(self):
    path = self.create_tempdir().full_path
    replay = self.make(path, capacity=4)
    writer = self.writer(replay)
    for number in range(6):
      writer.insert(examples.unroll(number))
    writer.close()
    replay.checkpoint(path)
    replay.checkpoint(path)
    replay.close()
    other = self.make(path, capacity=4)
    self.assertEqual(other.info().size, 4)
    sampler = self.sampler(other)
    drawn = [sampler.sample(_SECONDS) for _ in range(30)]
    numbers = {n for batch in drawn for n in batch.params_version.tolist()}
    self.assertEqual(numbers, {2, 3, 4, 5})
    number = int(drawn[0].params_version[0])
    np.testing.assert_array_equal(
      drawn[0].observation["entities"][0],
      examples.unroll(number).observation["entities"],
    )

  def test_a_missing_checkpoint_is_an_empty_store(self):
    path = self.create_tempdir().full_path
    replay = self.make(path, sampling="queue")
    self.assertEqual(replay.info(), (0, 0, 0))
    self.writer(replay).insert(examples.unroll())
    self.wait_for_size(replay, 1)

  def test_closing_is_prompt(self):
    replay = self.make()
    writer, sampler = replay.writer(), replay.sampler()
    writer.insert(examples.unroll())
    start = time.monotonic()
    with self.assertNoLogs(level="WARNING"):  # No unroll was dropped.
      writer.close()
    sampler.close()
    replay.close()
    self.assertLess(time.monotonic() - start, _SECONDS)


class InMemoryTest(_ContractTests):
  kind = "memory"
  soon = 0.1


@unittest.skipUnless(
  importlib.util.find_spec("reverb"),
  "Reverb is not installed: ITS HALF OF THE CONTRACT IS NOT TESTED.",
)
class ReverbTest(_ContractTests):
  kind = "reverb"
  soon = 1.0


# The suite itself has no store to run on.
del _ContractTests


if __name__ == "__main__":
  absltest.main()
