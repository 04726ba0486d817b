"""Tests of scale_request and of the commands scale and status."""

import contextlib
import io
import json
import math
import os
import threading
import time

from absl.testing import absltest

from adaland.launch import errors, scale, status
from adaland.launch.config import experiment, json_codec, preset_configs
from adaland.launch.run import rundir, scale_request, status_file
from tests.launch.run import status_file_test


def _call(main, *argv):
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = main(list(argv))
  return code, out.getvalue(), err.getvalue()


class ScalingTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    self.run_dir = rundir.RunDir(self.folder)
    self.config = preset_configs.smoke()

  def begin(self):
    lock = self.run_dir.begin(self.config)
    self.addCleanup(lock.close)
    return lock

  def write_status(self, num_actors, state="running"):
    roles = [
      status_file_test.role(f"actor {i}", "actor", steps_per_s=5.0)
      for i in range(num_actors)
    ]
    counters = {"env_steps": 1200, "episodes": 3, "updates": 2, "seconds": 65}
    status_file.write(
      self.run_dir, "ray", state, counters, {"params_lag": 1.5}, roles
    )

  def test_what_is_asked_for_is_taken_once_and_kept(self):
    self.begin()
    self.assertIsNone(scale_request.take(self.run_dir, self.config))
    scale_request.request(self.run_dir, 5)
    scaled = scale_request.take(self.run_dir, self.config)
    assert scaled is not None
    self.assertEqual(scaled.actor.num_actors, 5)
    self.assertIsNone(scale_request.take(self.run_dir, scaled))
    kept = json_codec.from_json(
      experiment.ExperimentConfig, self.run_dir.read_config()
    )
    self.assertEqual(kept, scaled)

  def test_what_an_earlier_start_was_asked_for_is_forgotten(self):
    self.begin()
    scale_request.request(self.run_dir, 5)
    scale_request.forget(self.run_dir)
    scale_request.forget(self.run_dir)
    self.assertIsNone(scale_request.take(self.run_dir, self.config))

  def test_bad_files_change_nothing(self):
    self.begin()
    path = self.run_dir.path / "scale.json"
    good = {"format": scale_request.FORMAT}
    for content in (
      "{",
      "[]",
      "[" * 99_999,
      json.dumps({"num_actors": 2}),
      json.dumps({"format": "adaland.scale/0", "num_actors": 2}),
      json.dumps({**good, "num_actors": math.inf}),
      json.dumps({**good, "num_actors": 0}),
      json.dumps({**good, "num_actors": "many"}),
      json.dumps(good),
    ):
      path.write_text(content)
      with self.assertLogs(level="WARNING"):
        self.assertIsNone(scale_request.take(self.run_dir, self.config))
      self.assertFalse(path.exists())

  def test_a_file_that_can_t_be_read_is_a_warning(self):
    self.begin()
    (self.run_dir.path / "scale.json").mkdir()
    with self.assertLogs(level="WARNING") as logs:
      self.assertIsNone(scale_request.take(self.run_dir, self.config))
    self.assertIn("scale.json", logs.output[0])

  def test_too_many_are_refused(self):
    self.begin()
    with self.assertRaisesRegex(errors.UserError, "num_actors is 5000"):
      scale_request.request(self.run_dir, 5000)
    self.assertIsNone(scale_request.take(self.run_dir, self.config))

  def test_scale_waits_until_it_is_done(self):
    self.begin()
    self.write_status(2)

    def obey():
      while (scaled := scale_request.take(self.run_dir, self.config)) is None:
        time.sleep(0.01)
      self.write_status(scaled.actor.num_actors)

    thread = threading.Thread(target=obey)
    thread.start()
    code, out, err = _call(scale.main, self.folder, "--num_actors=3")
    thread.join()
    self.assertEqual((code, err), (0, ""))
    self.assertIn("2 -> 3 actors", out)

  def test_actors_of_an_earlier_start_do_not_count(self):
    self.begin()
    self.write_status(4, "ended")
    status_file.starting(self.run_dir, "local")
    code, _, err = _call(scale.main, self.folder, "--num_actors=4", "--wait=1")
    self.assertEqual(code, 1)
    self.assertIn("did not comply within 1 s", err)
    scaled = scale_request.take(self.run_dir, self.config)
    assert scaled is not None
    self.assertEqual(scaled.actor.num_actors, 4)

  def test_scale_says_what_is_wrong(self):
    code, _, err = _call(scale.main, self.folder, "--num_actors=3")
    self.assertEqual(code, 2)
    self.assertIn("no such directory", err)
    self.begin().close()
    code, _, err = _call(scale.main, self.folder, "--num_actors=3")
    self.assertEqual(code, 2)
    self.assertIn("no training is running", err)
    self.begin()
    self.write_status(2)
    for number in ("0", "x", "5000"):
      code, _, err = _call(scale.main, self.folder, f"--num_actors={number}")
      self.assertEqual(code, 2)
      self.assertEqual(err.count("\n"), 1)
    code, _, err = _call(scale.main, self.folder, "--num_actors=3", "--wait=1")
    self.assertEqual(code, 1)
    self.assertIn("did not comply within 1 s", err)

  def test_a_run_in_one_process_can_t_be_scaled(self):
    self.begin()
    counters = {"env_steps": 0, "episodes": 0, "updates": 0, "seconds": 0}
    status_file.write(self.run_dir, "device", "running", counters, {}, [])
    code, out, err = _call(scale.main, self.folder, "--num_actors=3")
    self.assertEqual((code, out), (2, ""))
    self.assertRegex(err, "--launcher=device, which has one actor")
    self.assertEqual(err.count("\n"), 1)
    self.assertIsNone(scale_request.take(self.run_dir, self.config))

  def test_status_is_a_page_with_a_line_for_each_role(self):
    lock = self.begin()
    self.write_status(2)
    code, out, err = _call(status.main, self.folder)
    self.assertEqual((code, err), (0, ""))
    lines = out.splitlines()
    self.assertIn("ray launcher, running;", lines[0])
    self.assertEqual(
      lines[1], "1.2k env steps, 3 episodes, 2 updates, 1m05s of training"
    )
    self.assertEqual(lines[2], "params_lag 1.5")
    self.assertEqual(
      lines[4].split(),
      ["role", "host", "pid", "MiB", "restarts", "heartbeat", "numbers"],
    )
    self.assertEqual(
      lines[5].split(),
      ["actor", "0", "here", "7", "1", "0", "0s", "steps_per_s", "5"],
    )
    self.assertLen(lines, 7)
    lock.close()
    self.assertIn("not running", _call(status.main, self.folder)[1])

  def test_status_of_a_run_that_has_diverged(self):
    self.begin()
    counters = {"env_steps": 1200, "episodes": 3, "updates": 2, "seconds": 65}
    row = {"reward/episode": math.nan, "params_lag": 1.5}
    actor = status_file_test.role("actor 0", "actor", lag=math.inf, steps=5.0)
    status_file.write(self.run_dir, "ray", "running", counters, row, [actor])
    code, out, err = _call(status.main, self.folder)
    self.assertEqual((code, err), (0, ""))
    lines = out.splitlines()
    self.assertEqual(lines[2], "params_lag 1.5")
    self.assertEndsWith(lines[5], " steps 5")
    code, out, _ = _call(status.main, self.folder, "--json=-")
    self.assertEqual(code, 0)
    found = json.loads(out, parse_constant=self.fail)
    self.assertIsNone(found["metrics"]["reward/episode"])
    self.assertIsNone(found["roles"]["actor 0"]["lag"])
    # It may be started again.
    status_file.starting(self.run_dir, "ray")
    found = status_file.read(self.run_dir)
    self.assertIsNone(found["metrics"]["reward/episode"])

  def test_status_as_json(self):
    self.begin()
    self.write_status(1)
    code, out, _ = _call(status.main, self.folder, "--json=-")
    self.assertEqual(code, 0)
    self.assertEqual(json.loads(out), status_file.read(self.run_dir))


if __name__ == "__main__":
  absltest.main()
