"""Tests a run whose clock is set an hour ahead and then two hours back."""

import json
import os
import shutil
import tempfile
import time

import numpy as np
import pytest
from absl.testing import absltest, parameterized

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch.bench.lib import live_run
from tests import fake_clock

_SETTINGS = (
  "replay.samples_per_insert=null",
  "run.max_steps=0",
  "run.max_minutes=60",
  "run.log_seconds=0.5",
  "run.checkpoint_minutes=0.05",
  "run.eval_tasks=0",
  "cluster.eval_minutes=0",
)
_AHEAD, _BACK = 3600, -3600
_SECONDS = 200.0
# Seconds between a status and the reading of it.
_OLD_SECONDS = 60.0


@pytest.mark.long
@pytest.mark.once
class ClockJumpTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    if fake_clock.missing():
      self.skipTest(f"A CLOCK'S JUMP IS NOT TESTED: {fake_clock.missing()}")
    # Not under the test's own folder, whose name is too long for Ray.
    self.folder = tempfile.mkdtemp(prefix="adaland-clock-")
    self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
    self.clock = fake_clock.FakeClock(self.folder)

  def go_on(self, run: live_run.LiveRun) -> live_run.Seen:
    """Waits until all roles work by the present clock and write checkpoints."""
    folder = run.path / "checkpoints"
    saved = (checkpoint.steps(folder) or [0])[-1]
    first: list[live_run.Seen] = []

    def works(seen):
      if abs(seen.time - time.time() - self.clock.offset) > _OLD_SECONDS:
        return False
      first.append(seen)
      return (
        seen.counters["env_steps"] > first[0].counters["env_steps"] + 200
        and seen.counters["updates"] > first[0].counters["updates"] + 3
        and checkpoint.steps(folder)[-1:] > [saved]
      )

    seen, _ = run.wait(f"work at {self.clock.offset:+d} s", works, _SECONDS)
    for name, role in seen.roles.items():
      self.assertBetween(role["heartbeat_age_s"], 0.0, _OLD_SECONDS, name)
      self.assertEqual(role["restarts"], 0, name)
    return seen

  @parameterized.named_parameters(("local", "local"), ("ray", "ray"))
  @pytest.mark.xdist_group("clock")
  def test_a_run_does_not_mind(self, launcher):
    run = live_run.LiveRun(
      f"{self.folder}/run",
      _SETTINGS,
      command=(*live_run.COMMAND[:-1], f"--launcher={launcher}"),
      env=self.clock.env,
    )
    self.addCleanup(run.crash)
    start = time.monotonic()
    run.start()
    for offset in (0, _AHEAD, _BACK):
      self.clock.set(offset)
      seen = self.go_on(run)
    self.assertEqual(run.stop(), 0, run.said)
    lasted = time.monotonic() - start
    rows = run.rows()
    # It did see the clock jump, both ways.
    jumps = np.diff([row["time"] for row in rows])
    self.assertBetween(max(jumps), _AHEAD - _OLD_SECONDS, _AHEAD + _OLD_SECONDS)
    self.assertLess(min(jumps), _BACK - _AHEAD + _OLD_SECONDS)
    for name in (*live_run.COUNTERS, "updates"):
      values = [row[name] for row in rows]
      self.assertTrue(np.all(np.diff(values) >= 0), name)
    self.assertBetween(rows[-1]["seconds"], 1.0, lasted)
    losses = [row["loss/total"] for row in rows if "loss/total" in row]
    self.assertNotEmpty(losses)
    self.assertNotIn(None, losses)
    # The newest is the last one, though it is not by the clock.
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
    run.start()
    again = self.go_on(run)
    self.assertIn(f"resuming from update {updates}", run.said)
    for name in (*live_run.COUNTERS, "updates"):
      self.assertGreaterEqual(again.counters[name], rows[-1][name])
    status = json.loads((run.path / "status.json").read_text())
    self.assertEqual(status["state"], "running")


if __name__ == "__main__":
  absltest.main()
