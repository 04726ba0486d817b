"""Tests of curriculum_server: counts and keys over restarts."""

import json
import os

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.curriculum import base, uniform
from adaland.launch import errors
from adaland.launch.config import presets
from adaland.launch.roles import curriculum_server
from adaland.launch.roles import role as process
from adaland.launch.run import rundir
from tests.launch import fakes


class _Curriculum(uniform.UniformCurriculum):
  """Remembers the records it was given."""

  def __init__(self):
    super().__init__(lambda i: fakes.make_task(), 0)
    self.keys = []

  def report(self, record):
    self.keys.append(record.key)
    super().report(record)


def _record(key, reward=1.0):
  rewards = np.array([reward], np.float32)
  return base.EpisodeRecord(key, True, rewards, 0.0, 0.0, 0.0)


class DeskRoleTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    self.config = presets.smoke()
    rundir.RunDir(self.folder).begin(self.config).close()
    self.made = []

    def make(config):
      del config
      self.made.append(_Curriculum())
      return self.made[-1]

    self.enter_context(
      absltest.mock.patch.object(curriculum_server.builder, "curriculum", make)
    )

  def make(self):
    return curriculum_server.DeskRole(
      process.Setup(self.config, self.folder, False)
    )

  def test_totals_are_counted_once(self):
    role = self.make()
    role.exchange("a", 10, 0, [_record(1), _record(2)], 0)
    role.exchange("a", 10, 0, [_record(1), _record(2)], 0)  # It came again.
    role.exchange("a", 25, 2, [_record(3)], 0)
    role.exchange("b", 5, 0, [], 0)
    stats = role.stats()
    self.assertEqual(stats["env_steps"], 30)
    self.assertEqual(stats["episodes"], 3)

  def test_a_restart_counts_what_it_had_not_saved(self):
    role = self.make()
    role.exchange("a", 10, 0, [_record(1)], 0)
    role._save()
    role.exchange("a", 20, 1, [_record(2), _record(3)], 0)
    again = self.make()
    again.exchange("a", 30, 3, [_record(4)], 0)
    stats = again.stats()
    self.assertEqual(stats["env_steps"], 30)
    self.assertEqual(stats["episodes"], 4)

  def test_keys_of_another_process_are_not_taken_for_own(self):
    role = self.make()
    (old,) = role.exchange("a", 0, 0, [], 1)
    role._save()
    again = self.make()
    (new,) = again.exchange("a", 0, 0, [], 1)
    again.exchange("a", 2, 0, [_record(old.key), _record(new.key)], 0)
    own = new.key & ((1 << 64) - 1)
    self.assertEqual(self.made[-1].keys, [-1, own])

  def test_the_clock_starts_with_the_first_step(self):
    with absltest.mock.patch.object(
      curriculum_server.time, "monotonic"
    ) as clock:
      clock.return_value = 100.0
      role = self.make()
      role.exchange("a", 0, 0, [], 1)
      clock.return_value = 110.0
      self.assertEqual(role.state()["seconds"], 0.0)
      role.exchange("a", 1, 0, [], 0)
      clock.return_value = 113.5
      self.assertEqual(role.state()["seconds"], 3.5)
      role._save()
      again = self.make()
      clock.return_value = 200.0
      self.assertEqual(again.state()["seconds"], 3.5)

  def test_of_file_and_checkpoint_the_one_that_is_further_counts(self):
    self.assertIsNone(curriculum_server.newest_state(self.folder))
    role = self.make()
    role.exchange("a", 10, 0, [], 0)
    role._save()
    run = rundir.RunDir(self.folder)
    for step, steps in ((1, 5), (2, 50)):
      state = {"desk": {"env_steps": steps}, "seconds": 1.0}
      checkpoint.save(run.checkpoints, step, {"x": np.zeros(1)}, state)
      newest = curriculum_server.newest_state(self.folder)
      assert newest is not None
      self.assertEqual(newest["desk"]["env_steps"], max(10, steps))

  def test_a_broken_file_is_one_line(self):
    path = os.path.join(self.folder, "desk.json")
    for content in ("{", json.dumps({"format": "other"}), "[]"):
      with open(path, "w") as file:
        file.write(content)
      with self.assertRaisesRegex(errors.UserError, "desk.json"):
        curriculum_server.newest_state(self.folder)

  def test_a_full_disk_does_not_stop_it(self):
    role = self.make()
    role.exchange("a", 1, 0, [], 0)
    with (
      absltest.mock.patch.object(
        curriculum_server.cli,
        "write_atomically",
        side_effect=OSError(28, "full", "x"),
      ),
      self.assertLogs(level="WARNING"),
    ):
      role._save()
    role._save()
    self.assertTrue(os.path.exists(os.path.join(self.folder, "desk.json")))


if __name__ == "__main__":
  absltest.main()
