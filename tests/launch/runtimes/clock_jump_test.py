"""Tests a run whose clock is set an hour ahead and then two hours back.

`faults_test` does the same with a run on Ray, and resumes it.
"""

import os
import shutil
import tempfile
import time

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch.bench.lib import live_run
from tests import fake_clock
from tests.launch.runtimes import clock_jumps, slow_land

_SETTINGS = (
  *slow_land.SETTINGS,
  "run.max_steps=0",
  "run.max_minutes=60",
  "run.log_seconds=0.5",
  "run.checkpoint_minutes=0.05",
  "run.eval_tasks=0",
  "cluster.eval_minutes=0",
)
_SECONDS = 400.0


@pytest.mark.faults
@pytest.mark.long(seconds=60)
class ClockJumpTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    if fake_clock.missing():
      self.skipTest(f"A CLOCK'S JUMP IS NOT TESTED: {fake_clock.missing()}")
    # Not in the test's own folder, whose name is too long for Ray.
    self.folder = tempfile.mkdtemp(prefix="adaland-clock-")
    self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
    self.clock = fake_clock.FakeClock(self.folder)

  def test_a_run_does_not_mind(self):
    run = live_run.LiveRun(
      f"{self.folder}/run",
      _SETTINGS,
      command=(*live_run.COMMAND[:-1], "--launcher=local"),
      env=self.clock.env,
    )
    self.addCleanup(run.crash)
    start = time.monotonic()
    run.start()
    for offset in (0, clock_jumps.AHEAD, clock_jumps.BACK):
      seen = clock_jumps.jump(run, self.clock, offset, _SECONDS)
      self.assertEqual(set(seen.restarts.values()), {0})
    self.assertEqual(run.stop(_SECONDS), 0, run.said)
    lasted = time.monotonic() - start
    rows = run.rows()
    clock_jumps.check_rows(rows)
    for name in (*live_run.COUNTERS, "updates"):
      values = [row[name] for row in rows]
      self.assertTrue(np.all(np.diff(values) >= 0), name)
    self.assertBetween(rows[-1]["seconds"], 1.0, lasted)
    losses = [row["loss/total"] for row in rows if "loss/total" in row]
    self.assertNotEmpty(losses)
    self.assertNotIn(None, losses)
    # The newest checkpoint is the last one, though not by the clock.
    updates = int(rows[-1]["updates"])
    self.assertGreaterEqual(updates, seen.counters["updates"])
    before, last = checkpoint.steps(run.path / "checkpoints")
    self.assertEqual(last, updates)
    if factory.resolve_kind("auto") == "reverb":
      [store] = (run.path / "replay").iterdir()
      [name] = os.listdir(store)
      written = (store / name / "DONE").stat().st_mtime
      earlier = (run.path / "checkpoints" / str(before)).stat().st_mtime
      self.assertGreater(written, earlier)


if __name__ == "__main__":
  absltest.main()
