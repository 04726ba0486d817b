"""Tests of bench_run: sums by hand, a run that is watched for real."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import psutil
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench.lib import bench_run

_WRITER = """
import sys, time
sys.stdout.write("ready\\n"); sys.stdout.flush()
time.sleep(60)
"""
_DEAF = (
  "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _WRITER
)


def _sample(steps, seconds, time, updates, cpu, **more):
  row = {"env_steps": steps, "seconds": seconds, "time": time}
  return bench_run.Sample(row | {"updates": updates} | more, cpu)


class SteadyTest(absltest.TestCase):
  def test_by_hand(self):
    wait = "learner/wait_share"
    found = bench_run.steady(
      [
        # The first row's share is of the time before.
        _sample(1000, 9.0, 100.0, 10, 50.0, **{wait: 0.9}),
        _sample(1200, 11.0, 101.0, 14, 52.0, **{wait: 0.1}),
        _sample(2000, 13.0, 105.0, 40, 59.0, **{wait: 0.2}),
      ]
    )
    # Steps by the clock they were read with, 4 s; processors by that of the
    # rows, 9 s in 5 s; the shares over 1 s and 4 s.
    self.assertAlmostEqual(found.steps_per_s, 250.0)
    self.assertAlmostEqual(found.cores, 1.8)
    self.assertAlmostEqual(found.steps_per_cpu_s, 250.0 / 1.8)
    self.assertAlmostEqual(found.updates_per_s, 6.0)
    self.assertAlmostEqual(found.wait_share, (0.1 * 1 + 0.2 * 4) / 5)


class RunTest(absltest.TestCase):
  def start(self, source):
    process = subprocess.Popen(
      [sys.executable, "-S", "-c", source], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    self.addCleanup(process.stdout.close)
    self.addCleanup(process.wait)
    self.addCleanup(process.kill)
    process.stdout.readline()
    folder = self.create_tempdir().full_path
    return bench_run.Run(folder, process), process, pathlib.Path(folder)

  def test_rows_come_whole_and_once(self):
    run, _, folder = self.start(_WRITER)
    self.assertEqual(run.new_rows(), [])
    path = folder / "metrics.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a"')
    self.assertEqual(run.new_rows(), [{"a": 1}, {"a": 2}])
    self.assertEqual(run.new_rows(), [])
    with path.open("a") as file:
      file.write(": 3}\n")
    self.assertEqual(run.new_rows(), [{"a": 3}])

  def test_samples_begin_when_the_learner_learns(self):
    run, process, folder = self.start(_WRITER)
    rows = [
      {"updates": 0},
      {"updates": 2, "loss/total": 1.0},
      {"updates": 3},
      {"updates": 5, "loss/total": 1.0},
      {"updates": 5},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(lines)
    samples = run.samples()
    self.assertEqual([next(samples).row for _ in range(2)], rows[3:])
    process.kill()
    process.wait()
    with self.assertRaisesRegex(errors.RunError, "ended, status -9"):
      next(samples)

  def test_a_run_that_never_learns_is_given_up(self):
    run, _, _ = self.start(_WRITER)
    with (
      absltest.mock.patch.object(bench_run, "_START_SECONDS", 0.2),
      self.assertRaisesRegex(errors.RunError, "did not learn in 0.2 s"),
    ):
      next(run.samples())

  def test_ends_those_that_listen_and_those_that_do_not(self):
    for source, status in (
      (_WRITER, -signal.SIGTERM),
      (_DEAF, -signal.SIGKILL),
    ):
      _, process, _ = self.start(source)
      with absltest.mock.patch.object(bench_run, "_END_SECONDS", 0.5):
        bench_run._end(process)
      self.assertEqual(process.returncode, status)

  def test_a_run_dies_with_who_watches_it(self):
    script = (
      "from adaland.launch.bench.lib import bench_run\n"
      "with bench_run.training('smoke', 'local') as run:\n"
      "  print(run.pid, flush=True)\n"
      "  import time; time.sleep(600)\n"
    )
    parent = subprocess.Popen(
      [sys.executable, "-c", script],
      stdout=subprocess.PIPE,
      text=True,
      # The killed one leaves its folder there.
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
      # Where nobody waits for orphans, their names remain.
      while run.status() != psutil.STATUS_ZOMBIE:
        self.assertLess(time.monotonic(), deadline)
        time.sleep(0.05)


if __name__ == "__main__":
  absltest.main()
