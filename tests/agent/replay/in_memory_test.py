"""Tests specific to the in-memory store; see also contract_test."""

import dataclasses
import os
from concurrent import futures

import numpy as np
from absl.testing import absltest

from adaland.agent.replay import factory, in_memory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import EncodedWriter, UnrollSpec
from tests.agent.replay import examples


def _make(seed=0, length=5, **values):
  base = ReplayConfig(kind="memory", capacity=4, batch_size=2)
  config = dataclasses.replace(base, **values)
  spec = UnrollSpec.from_unroll(examples.unroll(length=length))
  return in_memory.InMemoryReplay(config, spec, seed)


def _numbers(replay, batches=1):
  drawn = [replay.sample(timeout=1).params_version for _ in range(batches)]
  return np.concatenate(drawn).tolist()


class InMemoryReplayTest(absltest.TestCase):
  def test_the_oldest_is_overwritten(self):
    replay = _make()
    for number in range(6):
      replay.insert(examples.unroll(number))
    self.assertEqual(replay.info().size, 4)
    self.assertEqual(set(_numbers(replay, 40)), {2, 3, 4, 5})

  def test_uniform_draws_are_uniform(self):
    replay = _make(batch_size=1000)
    for number in range(4):
      replay.insert(examples.unroll(number))
    counts = np.bincount(_numbers(replay), minlength=4)
    # Standard deviation of each count: sqrt(1000 * 0.25 * 0.75) = 13.7.
    np.testing.assert_allclose(counts, 250, atol=60)

  def test_what_is_stored_does_not_follow_the_caller_s_arrays(self):
    replay = _make(min_size=1)
    unroll = examples.unroll(1)
    replay.insert(unroll)
    unroll.reward[:] = 99
    batch = replay.sample(timeout=1)
    self.assertLess(np.abs(batch.reward).max(), 99)
    batch.reward[:] = 77
    self.assertLess(np.abs(replay.sample(timeout=1).reward).max(), 77)

  def test_encoded_unrolls_are_stored_and_checked(self):
    replay = _make(batch_size=1)
    sender = EncodedWriter(
      UnrollSpec.from_unroll(examples.unroll()), replay.insert_encoded
    )
    sender.insert(examples.unroll(8))
    sender.close()
    batch = replay.sample(timeout=1)
    np.testing.assert_array_equal(
      batch.behaviour_logits[0], examples.unroll(8).behaviour_logits
    )
    with self.assertRaisesRegex(ValueError, "Field .*entities"):
      sender.insert(examples.unroll(8, length=6))

  def test_a_restored_store_draws_the_same(self):
    path = self.create_tempdir().full_path
    replay = _make(seed=3)
    for number in range(7):
      replay.insert(examples.unroll(number))
    _numbers(replay, 3)
    replay.checkpoint(path)
    copy = _make(seed=4)
    copy.restore(path)
    replay.insert(examples.unroll(7))
    copy.insert(examples.unroll(7))
    self.assertEqual(_numbers(copy, 20), _numbers(replay, 20))

  def test_a_store_of_another_capacity_keeps_the_newest(self):
    path = self.create_tempdir().full_path
    replay = _make(capacity=5)
    for number in range(7):
      replay.insert(examples.unroll(number))
    replay.checkpoint(path)
    for capacity, expected in ((2, {5, 6}), (9, {2, 3, 4, 5, 6})):
      other = _make(capacity=capacity)
      other.restore(path)
      self.assertEqual(other.info().size, len(expected))
      self.assertEqual(set(_numbers(other, 60)), expected)

  def test_a_restored_store_waits_until_it_holds_enough(self):
    path = self.create_tempdir().full_path
    replay = _make(capacity=5)
    for number in range(7):
      replay.insert(examples.unroll(number))
    replay.checkpoint(path)
    # Seven have been inserted, but only five are stored.
    other = _make(capacity=9, min_size=6)
    other.restore(path)
    with self.assertRaises(TimeoutError):
      other.sample(timeout=0.01)
    other.insert(examples.unroll(7))
    self.assertLen(_numbers(other), 2)

  def test_a_restored_queue_goes_on_where_it_was(self):
    path = self.create_tempdir().full_path
    replay = _make(sampling="queue", insert_timeout=0.01)
    for number in range(6):
      if number == 4:  # Makes room for two more.
        self.assertEqual(_numbers(replay), [0, 1])
      replay.insert(examples.unroll(number))
    replay.checkpoint(path)
    # The smaller queue lost the two oldest, which count as sampled.
    for capacity, counts, drawn in (
      (4, (4, 6, 2), [2, 3, 4, 5]),
      (2, (2, 6, 4), [4, 5]),
    ):
      other = _make(sampling="queue", capacity=capacity, insert_timeout=0.01)
      other.restore(path)
      self.assertEqual(other.info(), counts)
      with self.assertRaises(TimeoutError):  # It is full.
        other.insert(examples.unroll(6))
      self.assertEqual(_numbers(other, len(drawn) // 2), drawn)
      for number in (6, 7):
        other.insert(examples.unroll(number))
      self.assertEqual(_numbers(other), [6, 7])

  def test_a_broken_checkpoint_is_refused_and_set_aside(self):
    path = os.path.join(self.create_tempdir().full_path, "replay")
    replay = _make()
    replay.insert(examples.unroll(1))
    replay.checkpoint(path)
    file = os.path.join(path, "replay.npz")
    with open(file, "r+b") as broken:
      broken.truncate(os.path.getsize(file) // 2)
    with self.assertRaisesRegex(ValueError, "replay.npz is broken"):
      _make().restore(path)
    config = ReplayConfig(kind="memory", capacity=4, batch_size=2)
    spec = UnrollSpec.from_unroll(examples.unroll())
    with self.assertLogs(level="WARNING") as logs:
      empty = factory.make_replay(config, spec, checkpoint_dir=path)
    self.assertIn("Replay starts empty", logs.output[0])
    self.assertEqual(empty.info().size, 0)
    self.assertTrue(os.path.exists(path + ".broken-1"))

  def test_other_fields_are_refused_by_name(self):
    path = self.create_tempdir().full_path
    replay = _make(length=6)
    replay.insert(examples.unroll(1, length=6))
    replay.checkpoint(path)
    with self.assertRaisesRegex(ValueError, "observation.* is .* in the check"):
      _make().restore(path)

  def test_a_failed_checkpoint_leaves_the_last_one(self):
    path = self.create_tempdir().full_path
    replay = _make()
    replay.insert(examples.unroll(1))
    replay.checkpoint(path)
    replay.insert(examples.unroll(2))
    with (
      absltest.mock.patch.object(os, "replace", side_effect=OSError("full")),
      self.assertRaises(OSError),
    ):
      replay.checkpoint(path)
    self.assertEqual(os.listdir(path), ["replay.npz"])
    copy = _make()
    copy.restore(path)
    self.assertEqual(copy.info().size, 1)

  def test_remains_of_a_killed_writer_are_removed(self):
    path = self.create_tempdir("a[b]").full_path
    with open(os.path.join(path, "replay.npz.4711.tmp"), "wb") as file:
      file.write(b"half")
    replay = _make()
    replay.insert(examples.unroll(1))
    replay.checkpoint(path)
    self.assertEqual(os.listdir(path), ["replay.npz"])

  def test_closing_wakes_those_who_wait(self):
    empty = _make()
    full = _make(sampling="queue", capacity=2, insert_timeout=60.0)
    for number in range(2):
      full.insert(examples.unroll(number))
    for replay, wait in (
      (empty, lambda: empty.sample(timeout=60.0)),
      (full, lambda: full.insert(examples.unroll())),
    ):
      with futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(wait)
        with self.assertRaises(TimeoutError):
          waiting.result(timeout=0.05)
        replay.close()
        with self.assertRaisesRegex(RuntimeError, "closed"):
          waiting.result(timeout=30.0)
      # Nor does anyone wait from now on.
      with self.assertRaisesRegex(RuntimeError, "closed"):
        wait()


if __name__ == "__main__":
  absltest.main()
