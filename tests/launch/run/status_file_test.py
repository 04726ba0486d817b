"""Tests of adaland.launch.run.status_file."""

import json
import os

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.config import preset_configs
from adaland.launch.run import rundir, status_file


def role(name, kind, memory=1.0, restarts=0, **numbers):
  """Returns a role with made-up numbers."""
  return status_file.RoleStatus(
    name, kind, 7, "here", memory, restarts, 0.5, numbers
  )


class StatusFileTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.run_dir = rundir.RunDir(
      os.path.join(self.create_tempdir().full_path, "run")
    )

  def begin(self):
    self.run_dir.begin(preset_configs.smoke()).close()

  def test_what_is_written_is_read(self):
    self.begin()
    counters = {"env_steps": 3, "seconds": 2.5}
    roles = [role("actor 0", "actor", steps_per_s=2.5)]
    status_file.write(
      self.run_dir, "ray", "running", counters, {"reward": 1.0}, roles
    )
    found = status_file.read(self.run_dir)
    self.assertEqual(found["pid"], os.getpid())
    self.assertEqual(found["counters"], counters)
    self.assertEqual(found["metrics"], {"reward": 1.0})
    self.assertEqual(
      found["roles"],
      {
        "actor 0": {
          "kind": "actor",
          "pid": 7,
          "host": "here",
          "memory_mb": 1.0,
          "restarts": 0,
          "heartbeat_age_s": 0.5,
          "steps_per_s": 2.5,
        }
      },
    )

  def test_a_run_that_was_killed_as_it_ended_is_said_to_have_ended(self):
    self.begin()
    status_file.end(self.run_dir, "ray", {"updates": 8.0})
    self.assertEqual(status_file.read(self.run_dir)["state"], "ended")
    last = {"updates": 7.0}, {"reward": 1.0}, [role("actor 0", "actor")]
    status_file.write(self.run_dir, "ray", "running", *last)
    status_file.end(self.run_dir, "ray", {"updates": 8.0})
    found = status_file.read(self.run_dir)
    self.assertEqual(found["state"], "ended")
    self.assertEqual(found["counters"], {"updates": 8.0})
    self.assertEqual((found["metrics"], found["roles"]), ({"reward": 1.0}, {}))
    status_file.write(self.run_dir, "ray", "ended", *last)
    before = status_file.read(self.run_dir)
    status_file.end(self.run_dir, "ray", {"updates": 8.0})
    self.assertEqual(status_file.read(self.run_dir), before)

  def test_a_run_that_starts_again_has_no_roles_yet(self):
    status_file.starting(self.run_dir, "local")
    self.begin()
    status_file.starting(self.run_dir, "local")
    self.assertFalse((self.run_dir.path / "status.json").exists())
    last = {"updates": 7.0}, {"reward": 1.0}, [role("actor 0", "actor")]
    status_file.write(self.run_dir, "ray", "ended", *last)
    status_file.starting(self.run_dir, "local")
    found = status_file.read(self.run_dir)
    self.assertEqual((found["launcher"], found["state"]), ("local", "starting"))
    self.assertEqual(found["counters"], {"updates": 7.0})
    self.assertEqual((found["metrics"], found["roles"]), ({"reward": 1.0}, {}))

  def test_numbers_by_kind(self):
    found = status_file.metrics(
      [
        role("actor 0", "actor", 100.0, 1, steps_per_s=10.0, params_lag=2.0),
        role("actor 1", "actor", 300.0, 2, steps_per_s=20.0, params_lag=4.0),
        role("replay", "replay", 50.0, server_pid=9.0),
      ]
    )
    self.assertEqual(
      found,
      {
        "actor/memory_mb": 300.0,
        "actor/restarts": 3.0,
        "actor/steps_per_s": 30.0,
        "actor/params_lag": 3.0,
        "replay/memory_mb": 50.0,
        "replay/restarts": 0.0,
      },
    )

  def test_where_there_is_nothing_to_read_one_line_says_so(self):
    with self.assertRaisesRegex(errors.UserError, "no such directory"):
      status_file.read(self.run_dir)
    self.begin()
    with self.assertRaisesRegex(errors.UserError, "nothing was trained"):
      status_file.read(self.run_dir)

  def test_a_run_that_starts_for_the_first_time_is_said_to_be_starting(self):
    with (
      self.run_dir.begin(preset_configs.smoke()),
      self.assertRaisesRegex(errors.UserError, "the run is starting; try ag"),
    ):
      status_file.read(self.run_dir)

  def test_a_broken_file_is_one_line(self):
    self.begin()
    whole = {"format": status_file.FORMAT, "counters": {}, "metrics": {}}
    for content, reason in (
      ("{", "status.json"),
      ("[]", "format"),
      (json.dumps({"format": "x"}), "format"),
      (json.dumps(whole), "has no 'roles'"),
      (json.dumps({**whole, "counters": 3, "roles": {}}), "no 'counters'"),
      (json.dumps({**whole, "metrics": None, "roles": {}}), "no 'metrics'"),
      (json.dumps({**whole, "roles": [], "time": 1.0}), "has no 'roles'"),
    ):
      (self.run_dir.path / "status.json").write_text(content)
      with self.assertRaisesRegex(errors.UserError, reason):
        status_file.read(self.run_dir)

  def test_memory_of_this_process(self):
    self.assertGreater(status_file.memory_mb(), 10.0)
    self.assertEqual(status_file.memory_mb(2**30), 0.0)


if __name__ == "__main__":
  absltest.main()
