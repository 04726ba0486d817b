"""Tests of adaland.launch.run.snapshots, killed at any moment."""

import os
import pathlib

import numpy as np
from absl.testing import absltest

from adaland.curriculum import coplayers
from adaland.launch import errors
from adaland.launch.run import snapshots

_FIRST = coplayers.FIRST_SNAPSHOT


def _params(value):
  return {"layer": {"w": np.full(2, value, np.float32)}}


class SnapshotPoolTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def make(self, pool_size=2):
    config = coplayers.CoplayersConfig(pool_size=pool_size, snapshot_updates=10)
    return snapshots.SnapshotPool(config, self.folder, _params(0))

  def files(self):
    found = (self.folder / snapshots.FOLDER).iterdir()
    return sorted(path.name for path in found)

  def test_a_snapshot_is_due_every_so_many_updates(self):
    pool = self.make()
    taken = [u for u in (0, 9, 10, 11, 19, 25, 26, 58) if self.offer(pool, u)]
    self.assertEqual(taken, [10, 25, 58])
    # Numbers are those of the interval, so a resumed run repeats them.
    self.assertEqual(pool.numbers, [_FIRST + 1, _FIRST + 4])
    np.testing.assert_array_equal(pool.get(_FIRST + 4)["layer"]["w"], [58, 58])

  def offer(self, pool, updates):
    return pool.offer(updates, _params(updates))

  def test_a_pool_of_size_zero_keeps_none(self):
    pool = self.make(pool_size=0)
    self.assertFalse(self.offer(pool, 10))
    self.assertEqual(pool.numbers, [])

  def test_a_killed_run_resumes_with_the_checkpoint_s_pool(self):
    pool = self.make()
    for updates in (10, 20, 30):
      self.offer(pool, updates)
    saved = pool.state_dict()
    pool.tidy()
    self.offer(pool, 40)  # Then it is killed, before the next checkpoint.
    again = self.make()
    again.load_state_dict(saved)
    self.assertEqual(again.numbers, [_FIRST + 1, _FIRST + 2])
    for number, value in zip(again.numbers, (20, 30), strict=True):
      found = again.get(number)["layer"]["w"]
      np.testing.assert_array_equal(found, [value] * 2)
    self.assertFalse(again.is_due(39))
    again.offer(40, _params(41))
    np.testing.assert_array_equal(again.get(_FIRST + 3)["layer"]["w"], [41, 41])

  def test_a_kill_while_writing_leaves_the_pool_whole(self):
    pool = self.make()
    self.offer(pool, 10)
    saved = pool.state_dict()
    with (
      absltest.mock.patch.object(os, "replace", side_effect=OSError("no")),
      self.assertRaisesRegex(OSError, "no"),
    ):
      self.offer(pool, 20)
    again = self.make()
    again.load_state_dict(saved)
    self.assertEqual(again.numbers, [_FIRST])
    self.assertTrue(self.offer(again, 20))

  def test_files_stay_while_a_checkpoint_may_need_them(self):
    pool = self.make()
    for updates in (10, 20, 30):
      self.offer(pool, updates)
    pool.tidy(playing={_FIRST})
    names = [f"{k}.safetensors" for k in range(5)]
    self.assertEqual(self.files(), names[:3])
    for updates in (40, 50):
      self.offer(pool, updates)
    pool.tidy()
    self.assertEqual(self.files(), names[:5])  # The previous checkpoint.
    pool.tidy()
    self.assertEqual(self.files(), names[3:5])

  def test_a_resumed_run_s_checkpoint_keeps_its_files_once_more(self):
    pool = self.make()
    for updates in (10, 20):
      self.offer(pool, updates)
    again = self.make()
    again.load_state_dict(pool.state_dict())
    for updates in (30, 40):
      self.offer(again, updates)
    again.tidy()
    self.assertEqual(self.files(), [f"{k}.safetensors" for k in range(4)])
    again.tidy()
    self.assertEqual(self.files(), ["2.safetensors", "3.safetensors"])

  def test_a_missing_or_broken_file_is_named_in_one_line(self):
    pool = self.make()
    self.offer(pool, 10)
    saved, path = pool.state_dict(), self.folder / "coplayers/0.safetensors"
    path.write_bytes(b"x")
    with self.assertRaisesRegex(errors.UserError, "0.safetensors: is no file"):
      self.make().load_state_dict(saved)
    path.unlink()
    with self.assertRaisesRegex(errors.UserError, "0.safetensors"):
      self.make().load_state_dict(saved)


if __name__ == "__main__":
  absltest.main()
