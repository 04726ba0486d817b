"""Tests of live_run, with a stand-in for launch.train."""

import json
import os
import signal
import sys
import time

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench.lib import live_run

# Writes a status, and starts a process that does not die with it.
_TRAIN = """
import json, os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[1].split("=")[1])
folder.mkdir(exist_ok=True)
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
replay = {"kind": "replay", "pid": os.getpid(), "restarts": 2,
          "server_pid": float(child.pid)}
status = {"time": time.time() + 1, "counters": {"updates": 5},
          "roles": {"replay": replay}}
(folder / "status.json").write_text(json.dumps(status))
(folder / "metrics.jsonl").write_text('{"updates": 4}\\n{"upd')
print(" ".join(sys.argv[2:]), flush=True)
signal.signal(signal.SIGTERM, lambda *_: (child.kill(), sys.exit(3)))
time.sleep(600)
"""


class LiveRunTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.run_ = live_run.LiveRun(
      os.path.join(self.create_tempdir().full_path, "run"),
      ["a.b=1", "c.d=2"],
      command=(sys.executable, "-c", _TRAIN),
      env={"JAX_PLATFORMS": "cpu"},
    )
    self.addCleanup(self.run_.crash)

  def start(self):
    self.run_.start()
    seen, _ = self.run_.wait("a status", lambda s: True, 30.0)
    return seen

  def test_status_metrics_and_output_are_read(self):
    self.assertEqual(self.run_.rows(), [])
    seen = self.start()
    self.assertEqual(seen.counters, {"updates": 5})
    self.assertEqual(set(seen.pids), {"replay", "server"})
    self.assertEqual(seen.restarts, {"replay": 2})
    self.assertCountEqual(self.run_.processes(), seen.pids.values())
    self.assertEqual(self.run_.rows(), [{"updates": 4}])
    self.assertEqual(self.run_.new_rows(), [{"updates": 4}])
    self.assertEqual(self.run_.new_rows(), [])
    with (self.run_.path / "metrics.jsonl").open("a") as file:
      file.write('ates": 6}\n')
    self.assertEqual(self.run_.new_rows(), [{"updates": 6}])
    while not self.run_.said.endswith("\n"):
      self.run_.seen()
    self.assertEqual(
      self.run_.said, "--preset=smoke --json=- --set a.b=1 c.d=2\n"
    )

  def test_a_status_of_before_the_start_is_not_seen(self):
    self.run_.path.mkdir()
    old = {"time": time.time() - 9.0, "counters": {}, "roles": {}}
    (self.run_.path / "status.json").write_text(json.dumps(old))
    self.assertEqual(self.start().counters, {"updates": 5})

  def test_a_run_that_starts_has_no_state_yet(self):
    self.start()
    path = self.run_.path / "status.json"
    status = json.loads(path.read_text()) | {"state": "starting"}
    path.write_text(json.dumps(status))
    self.assertIsNone(self.run_.seen())

  def test_a_signal_ends_the_run(self):
    self.start()
    self.assertFalse(self.run_.ended())
    self.assertEqual(self.run_.stop(), 3)
    self.assertTrue(self.run_.ended())
    self.run_.await_gone()

  def test_a_killed_command_leaves_its_children(self):
    seen = self.start()
    self.run_.kill()
    self.assertEqual(self.run_.end(), -signal.SIGKILL)
    self.assertEqual(self.run_.processes(), [seen.pids["server"]])
    with self.assertRaisesRegex(errors.RunError, "still there: .*sleep"):
      self.run_.await_gone(0.1)
    with self.assertRaisesRegex(errors.RunError, "for more; the run ended"):
      self.run_.wait("more", lambda s: False)
    with self.assertRaisesRegex(errors.RunError, "ended with status -9"):
      self.run_.new_rows()

  def test_a_crash_kills_all(self):
    self.start()
    self.run_.crash()
    self.assertEqual(self.run_.processes(), [])
    self.assertTrue(self.run_.ended())

  def test_waits_have_time_limits(self):
    self.start()
    with self.assertRaisesRegex(errors.RunError, "waited 0 s for more; it was"):
      self.run_.wait("more", lambda s: False, 0.1)
    with self.assertRaisesRegex(errors.RunError, "did not end in 0.1 s"):
      self.run_.end(0.1)


if __name__ == "__main__":
  absltest.main()
