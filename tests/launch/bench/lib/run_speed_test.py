"""Tests of run_speed: sums by hand, and stand-ins for launch.train."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench.lib import live_run, run_speed

_SLEEPS = """
import pathlib, sys, time
pathlib.Path(sys.argv[1].split("=")[1]).mkdir()
print("ready", flush=True)
time.sleep(600)
"""
_IGNORES_SIGNALS = (
  "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _SLEEPS
)


def _sample(steps, seconds, time, updates, cpu, **more):
  row = {"env_steps": steps, "seconds": seconds, "time": time}
  return run_speed.Sample(row | {"updates": updates} | more, cpu)


class BetweenTest(absltest.TestCase):
  def test_by_hand(self):
    wait = "learner/wait_share"
    found = run_speed.between(
      [
        # The first row's share covers the time before.
        _sample(1000, 9.0, 100.0, 10, 50.0, **{wait: 0.9}),
        _sample(1200, 11.0, 101.0, 14, 52.0, **{wait: 0.1}),
        _sample(2000, 13.0, 105.0, 40, 59.0, **{wait: 0.2}),
      ]
    )
    # Steps by the clock with which they were read, 4 s; processors by the
    # clock of the rows, 9 s in 5 s; shares over 1 s and 4 s.
    self.assertAlmostEqual(found.steps_per_s, 250.0)
    self.assertAlmostEqual(found.cores, 1.8)
    self.assertAlmostEqual(found.steps_per_cpu_s, 250.0 / 1.8)
    self.assertAlmostEqual(found.updates_per_s, 6.0)
    self.assertAlmostEqual(found.wait_share, (0.1 * 1 + 0.2 * 4) / 5)


class SamplesTest(absltest.TestCase):
  def start(self, source):
    run = live_run.LiveRun(
      os.path.join(self.create_tempdir().full_path, "run"),
      (),
      command=(sys.executable, "-S", "-c", source),
    )
    run.start()
    self.addCleanup(run.crash)
    deadline = time.monotonic() + 30.0
    while not run.said.endswith("ready\n"):
      self.assertLess(time.monotonic(), deadline)
      run.check()
      time.sleep(0.01)
    return run

  def test_samples_begin_when_the_learner_learns(self):
    run = self.start(_SLEEPS)
    rows = [
      {"updates": 0},
      {"updates": 2, "loss/total": 1.0},
      {"updates": 3},
      {"updates": 5, "loss/total": 1.0},
      {"updates": 5},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (run.path / "metrics.jsonl").write_text(lines)
    samples = run_speed.samples(run)
    self.assertEqual([next(samples).row for _ in range(2)], rows[3:])
    run.kill()
    with self.assertRaisesRegex(errors.RunError, "ended with status -9"):
      next(samples)

  def test_a_run_that_never_learns_is_given_up(self):
    run = self.start(_SLEEPS)
    with (
      absltest.mock.patch.object(run_speed, "_START_SECONDS", 0.2),
      self.assertRaisesRegex(errors.RunError, "did not learn in 0.2 s"),
    ):
      next(run_speed.samples(run))

  def test_ends_runs_that_obey_signals_and_runs_that_do_not(self):
    for source, seconds, status in (
      (_SLEEPS, 60.0, -signal.SIGTERM),
      (_IGNORES_SIGNALS, 0.5, -signal.SIGKILL),
    ):
      run = self.start(source)
      with absltest.mock.patch.object(run_speed, "_END_SECONDS", seconds):
        run_speed.end(run)
      self.assertTrue(run.ended())
      self.assertEqual(run.end(), status)


class TrainingTest(absltest.TestCase):
  def test_a_run_dies_with_the_process_that_measures_it(self):
    script = (
      "from adaland.launch.bench.lib import run_speed\n"
      "with run_speed.training('smoke', 'local') as run:\n"
      "  print(run.pid, flush=True)\n"
      "  import time; time.sleep(600)\n"
    )
    parent = subprocess.Popen(
      [sys.executable, "-c", script],
      stdout=subprocess.PIPE,
      text=True,
      # The killed process leaves its folder behind.
      env={**os.environ, "TMPDIR": self.create_tempdir().full_path},
    )
    assert parent.stdout is not None
    run = psutil.Process(int(parent.stdout.readline()))
    parent.stdout.close()
    self.assertTrue(run.is_running())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20.0
    with contextlib.suppress(psutil.NoSuchProcess):
      # Where no process reaps orphans, they remain as zombies.
      while run.status() != psutil.STATUS_ZOMBIE:
        self.assertLess(time.monotonic(), deadline)
        time.sleep(0.05)


if __name__ == "__main__":
  absltest.main()
