"""Tests a run that learns in two processes, which die and form a new group.

The same run begins and ends with a single learner, under the local launcher.
"""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch.bench.lib import live_run
from adaland.launch.evaluation import trained_agent
from tests.launch.runtimes import slow_land

_LEARNERS = ("learner", "learner 1")
_SETTINGS = (
  *slow_land.SETTINGS,
  "cluster.num_learners=2",
  "cluster.eval_minutes=0",
  "run.max_steps=0",
  "run.max_minutes=60",
  "run.log_seconds=0.5",
  "run.checkpoint_minutes=0.05",
  "run.eval_tasks=0",
)
_SECONDS = 400.0


# It starts one run with Ray, and two without.
@pytest.mark.faults
@pytest.mark.long(seconds=100)
class LearnersTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    if factory.resolve_kind("auto") != "reverb":
      self.skipTest(
        "several learners need Reverb, whose wheels are for Python 3.11"
      )
    folder = os.path.join(self.create_tempdir().full_path, "run")
    self.training = live_run.LiveRun(folder, _SETTINGS)
    self.addCleanup(self.training.crash)

  def alone(self, max_steps: float) -> int:
    """Runs one learner up to a number of steps; returns its updates."""
    settings = [*_SETTINGS, f"run.max_steps={int(max_steps)}"]
    subprocess.run(
      [
        *(sys.executable, "-m", "adaland.launch.train", "--preset=smoke"),
        *(f"--workdir={self.training.path}", "--set", *settings),
      ],
      timeout=_SECONDS,
      check=True,
    )
    return checkpoint.steps(self.training.path / "checkpoints")[-1]

  def at_work(self, since: live_run.Seen | None = None) -> live_run.Seen:
    """Waits until both learners have made some updates."""
    least = since.counters["updates"] if since else 0
    seen, _ = self.training.wait(
      "both at work",
      lambda s: (
        all(s.pids.get(name) for name in _LEARNERS)
        and s.counters["updates"] > least + 3
        and s.roles["learner"].get("updates_per_s", 0) > 0
      ),
      _SECONDS,
    )
    return seen

  def kill(self, name: str) -> None:
    """Kills one learner; checks that both, and no other role, are replaced."""
    before = self.at_work()
    start = time.monotonic()
    os.kill(before.pids[name], signal.SIGKILL)
    _, seconds = self.training.wait(
      "others in both places",
      lambda s: all(
        s.pids[each] not in (0, before.pids[each]) for each in _LEARNERS
      ),
      _SECONDS,
    )
    after = self.at_work(before)
    print(
      f"{name}: others were seen after {seconds:.1f} s, both at work after "
      f"{time.monotonic() - start:.1f} s"
    )
    for each in set(before.pids) - set(_LEARNERS):
      self.assertEqual(after.pids[each], before.pids[each], each)
    for counter in (*live_run.COUNTERS, "updates"):
      self.assertGreater(after.counters[counter], before.counters[counter])

  def test_a_run_of_two_learners(self):
    updates = self.alone(200)
    self.training.start()
    seen = self.at_work()
    self.assertIn(f"resuming from update {updates}", self.training.said)
    self.assertEqual(seen.roles["learner"]["processes"], 2)
    self.assertEqual(seen.roles["learner"]["devices"], 2)
    self.kill("learner 1")
    # Told to stop after the leading learner is gone, it still ends.
    os.kill(self.at_work().pids["learner"], signal.SIGKILL)
    self.assertEqual(self.training.stop(_SECONDS), 0)
    self.training.await_gone(_SECONDS)
    rows = self.training.rows()
    for counter in live_run.COUNTERS:
      self.assertTrue(np.all(np.diff([row[counter] for row in rows]) >= 0))
    # Only the last row lacks what the learner lost when it was killed.
    counts = [row["updates"] for row in rows]
    self.assertTrue(np.all(np.diff(counts[:-1]) >= 0))
    losses = [row["loss/total"] for row in rows if "loss/total" in row]
    self.assertNotEmpty(losses)
    self.assertNotIn(None, losses)
    updates = checkpoint.steps(self.training.path / "checkpoints")[-1]
    self.assertEqual(counts[-1], updates)
    agent = trained_agent.load(str(self.training.path), own_parts=True)
    self.assertEqual(agent.training.updates, updates)
    self.assertGreater(self.alone(rows[-1]["env_steps"] + 200), updates)


if __name__ == "__main__":
  absltest.main()
