"""Tests of curriculum_server: counts and keys over restarts."""

import dataclasses
import json
import os
import threading

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.curriculum import base, uniform
from adaland.launch import errors
from adaland.launch.config import preset_configs
from adaland.launch.roles import curriculum_server, role
from adaland.launch.run import rundir
from tests.launch import fakes
from tests.launch.roles.fakes import until


class _Curriculum(uniform.UniformCurriculum):
  """A curriculum that keeps the keys of records."""

  def __init__(self):
    super().__init__(lambda i: fakes.make_task(), 0)
    self.keys = []

  def report(self, record):
    self.keys.append(record.key)
    super().report(record)


class _StrictCurriculum(_Curriculum):
  """A curriculum that knows no request for no tasks."""

  def next_tasks(self, n):
    assert n > 0
    return super().next_tasks(n)


def _record(key, reward=1.0):
  rewards = np.array([reward], np.float32)
  return base.EpisodeRecord(key, True, rewards, 0.0, 0.0, 0.0, 10.0)


class CurriculumServerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    self.config = preset_configs.smoke()
    rundir.RunDir(self.folder).begin(self.config).close()
    self.made = []
    self.now = 100.0

  def setup(self, restarts_alone=True):
    return role.Setup(self.config, self.folder, restarts_alone=restarts_alone)

  def make(self, restarts_alone=True, curriculum=_Curriculum):
    def make_curriculum(config):
      del config
      self.made.append(curriculum())
      return self.made[-1]

    return curriculum_server.CurriculumServer(
      self.setup(restarts_alone), make_curriculum, lambda: self.now
    )

  def test_totals_are_counted_once(self):
    made = self.make()
    made.exchange("a", 10, 0, [_record(1), _record(2)], 0)
    made.exchange("a", 10, 0, [_record(1), _record(2)], 0)  # A duplicate.
    made.exchange("a", 25, 2, [_record(3)], 0)
    made.exchange("a", 10, 0, [_record(1), _record(2)], 0)  # A late one.
    made.exchange("a", 25, 3, [], 0)
    made.exchange("b", 5, 0, [], 0)
    stats = made.stats()
    self.assertEqual(stats["env_steps"], 30)
    self.assertEqual(stats["episodes"], 3)

  def test_the_curriculum_is_not_asked_for_no_tasks(self):
    made = self.make(curriculum=_StrictCurriculum)
    self.assertEqual(made.exchange("a", 10, 0, [], 0), [])
    self.assertLen(made.exchange("a", 10, 0, [], 2), 2)

  def test_a_restart_counts_what_it_had_not_saved(self):
    made = self.make()
    made.exchange("a", 10, 0, [_record(1)], 0)
    made.save()
    made.exchange("a", 20, 1, [_record(2), _record(3)], 0)
    again = self.make()
    again.exchange("a", 30, 3, [_record(4)], 0)
    stats = again.stats()
    self.assertEqual(stats["env_steps"], 30)
    self.assertEqual(stats["episodes"], 4)

  def test_a_restart_from_a_checkpoint_counts_no_living_actor_twice(self):
    made = self.make()
    made.exchange("a", 1000, 0, [], 0)
    made.save()
    made.exchange("a", 1100, 0, [], 0)
    run = rundir.RunDir(self.folder)
    checkpoint.save(run.checkpoints, 1, {"x": np.zeros(1)}, made.state())
    again = self.make()
    again.exchange("a", 1200, 0, [], 0)
    self.assertEqual(again.stats()["env_steps"], 1200)

  def test_actors_that_called_longest_ago_are_forgotten(self):
    made = self.make()
    with absltest.mock.patch.object(curriculum_server, "_MAX_ACTORS", 2):
      for actor, steps in (("a", 10), ("b", 10), ("a", 20), ("c", 5)):
        made.exchange(actor, steps, 0, [], 0)
    self.assertEqual(made.state()["taken"], {"a": [20, 0], "c": [5, 0]})

  def test_the_share_of_the_run_that_is_over(self):
    run = dataclasses.replace(self.config.run, max_steps=200)
    self.config = dataclasses.replace(self.config, run=run)
    made = self.make()
    self.assertEqual(made.progress(), 0.0)
    made.exchange("a", 50, 0, [], 0)
    self.assertEqual(made.progress(), 0.25)

  def test_it_saves_while_it_runs_and_at_the_end(self):
    made = self.make()

    def saved():
      state = curriculum_server.saved_state(self.setup())
      return state and state["played"]["env_steps"]

    with absltest.mock.patch.object(curriculum_server, "_SAVE_SECONDS", 0.01):
      thread = threading.Thread(target=made.run, daemon=True)
      thread.start()
      made.exchange("a", 10, 0, [], 0)
      until(lambda: saved() == 10)
    made.stop()
    thread.join(60)
    made = self.make()
    made.exchange("a", 15, 0, [], 0)
    made.stop()  # It ends before it would save for the first time.
    self.assertIsNone(made.run())
    self.assertEqual(saved(), 15)

  def test_keys_of_another_process_are_not_taken_for_own(self):
    made = self.make()
    (old,) = made.exchange("a", 0, 0, [], 1)
    made.save()
    again = self.make()
    (new,) = again.exchange("a", 0, 0, [], 1)
    again.exchange("a", 2, 0, [_record(old.key), _record(new.key)], 0)
    own = new.key & ((1 << 64) - 1)
    self.assertEqual(self.made[-1].keys, [-1, own])

  def test_the_clock_starts_with_the_first_step(self):
    made = self.make()
    made.exchange("a", 0, 0, [], 1)
    self.now = 110.0
    self.assertEqual(made.state()["seconds"], 0.0)
    made.exchange("a", 1, 0, [], 0)
    self.now = 113.5
    self.assertEqual(made.state()["seconds"], 3.5)
    made.save()
    again = self.make()
    self.now = 200.0
    self.assertEqual(again.state()["seconds"], 3.5)

  def test_one_that_is_never_restarted_alone_keeps_to_the_checkpoint(self):
    made = self.make()
    made.exchange("a", 50, 0, [], 0)
    made.save()
    self.assertEqual(self.make(False).state()["played"]["env_steps"], 0)
    # Otherwise it would later replace newer checkpoints.
    self.assertEqual(self.make().state()["played"]["env_steps"], 0)
    made = self.make(False)
    made.exchange("a", 10, 0, [], 0)
    made.save()
    self.assertEmpty(
      [name for name in os.listdir(self.folder) if "curriculum" in name]
    )
    run = rundir.RunDir(self.folder)
    checkpoint.save(run.checkpoints, 1, {"x": np.zeros(1)}, made.state())
    self.assertEqual(self.make(False).state()["played"]["env_steps"], 10)

  def test_of_file_and_checkpoint_the_one_that_is_further_counts(self):
    self.assertIsNone(curriculum_server.saved_state(self.setup()))
    made = self.make()
    made.exchange("a", 10, 0, [], 0)
    made.save()
    run = rundir.RunDir(self.folder)
    for step, steps in ((1, 5), (2, 50)):
      state = {"played": {"env_steps": steps}, "seconds": 1.0}
      checkpoint.save(run.checkpoints, step, {"x": np.zeros(1)}, state)
      newest = curriculum_server.saved_state(self.setup())
      assert newest is not None
      self.assertEqual(newest["played"]["env_steps"], max(10, steps))

  def test_a_broken_file_is_one_line(self):
    path = os.path.join(self.folder, "curriculum.json")
    for content in ("{", json.dumps({"format": "other"}), "[]"):
      with open(path, "w") as file:
        file.write(content)
      with self.assertRaisesRegex(errors.UserError, "curriculum.json"):
        curriculum_server.saved_state(self.setup())

  def test_a_full_disk_does_not_stop_it(self):
    made = self.make()
    made.exchange("a", 1, 0, [], 0)
    with (
      absltest.mock.patch.object(
        curriculum_server.output,
        "write_atomically",
        side_effect=OSError(28, "full", "x"),
      ),
      self.assertLogs(level="WARNING"),
    ):
      made.save()
    made.save()
    self.assertTrue(
      os.path.exists(os.path.join(self.folder, "curriculum.json"))
    )


if __name__ == "__main__":
  absltest.main()
