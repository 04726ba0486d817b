"""Tests of soak: slopes by hand, and a short run."""

import os
import subprocess
import sys

import numpy as np
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench import soak
from adaland.launch.bench.lib import run_speed, trend
from adaland.launch.config import preset_configs
from adaland.launch.run import process_tree, rundir, status_file
from tests.launch.runtimes import slow_land

_SETTINGS = (
  *slow_land.SETTINGS,
  "run.log_seconds=0.5",
  "learner.algorithm=vtrace",  # Compiled in less time than the default.
)


def _sample(seconds, own, shared=5.0, pid=7):
  return soak.Sample(seconds, pid, process_tree.Memory(own, shared))


class TrendsTest(absltest.TestCase):
  def test_slopes_are_of_the_least_of_each_block_after_the_warm_up(self):
    # A sample every 5 s, so three in each block. The minimum of a block is
    # 50 MB and rises by 1 MB per block, 4 blocks a minute: 240 MB an hour.
    learner = [
      _sample(5.0 * i, 50.0 + i // 3 + (80.0 if i % 3 != 1 else 0.0), 50.0 - i)
      for i in range(3, 12)
    ]
    found = soak.trends(
      {
        "learner": [_sample(0.0, 900.0), *learner],
        "actor_0": [_sample(15.0 * i, 30.0) for i in range(6)],
      },
      10.0,
    )
    expected = {
      "soak_roles_count": 2,
      "soak_flat_roles_count": 1,
      "soak_growing_roles_count": 1,
      "soak_learner_memory_mb": 52.0,
      "soak_learner_peak_mb": 133.0,
      "soak_learner_slope_mb_per_hour": 240.0,
      "soak_learner_slope_stderr_mb_per_hour": 0.0,
      # 50 - i is smallest at the end of a block: 45, 42, 39.
      "soak_learner_shared_memory_mb": 42.0,
      "soak_learner_shared_slope_mb_per_hour": -3 * 240.0,
      "soak_actor_0_memory_mb": 30.0,
      "soak_actor_0_peak_mb": 30.0,
      "soak_actor_0_slope_mb_per_hour": 0.0,
      "soak_actor_0_slope_stderr_mb_per_hour": 0.0,
      "soak_actor_0_shared_memory_mb": 5.0,
      "soak_actor_0_shared_slope_mb_per_hour": 0.0,
    }
    self.assertCountEqual(found, expected)
    for name, value in expected.items():
      self.assertAlmostEqual(found[name], value, places=6, msg=name)

  def test_a_role_that_was_restarted_is_refused(self):
    series = {
      "curriculum": [_sample(15 * i, 50.0, pid=7 + i // 3) for i in range(5)]
    }
    with self.assertRaisesRegex(errors.RunError, "curriculum was restarted"):
      soak.trends(series, 0.0)
    with self.assertRaisesRegex(
      errors.RunError, "curriculum was measured for too short"
    ):
      soak.trends(series, 45.0)

  def test_an_uncertain_slope_is_neither_flat_nor_growing(self):
    for slope, stderr, flat, growing in (
      (19.0, 0.1, 1, 0),
      (21.0, 0.1, 0, 1),
      (-50.0, 0.1, 1, 0),
      (5.0, 10.0, 0, 0),
      (60.0, 25.0, 0, 0),
    ):
      with absltest.mock.patch.object(
        trend, "fit", return_value=trend.Trend(slope, stderr, 100.0)
      ):
        found = soak.trends(
          {"curriculum": [_sample(15 * i, 50.0) for i in range(3)]}, 0.0
        )
      self.assertEqual(
        (found["soak_flat_roles_count"], found["soak_growing_roles_count"]),
        (flat, growing),
        msg=(slope, stderr),
      )


class LookTest(absltest.TestCase):
  def test_roles_are_listed_by_name_and_other_processes_together(self):
    command = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    children = [subprocess.Popen(command) for _ in range(4)]
    for child in children:
      self.addCleanup(child.wait)
      self.addCleanup(child.kill)
    directory = rundir.RunDir(self.create_tempdir().full_path)
    directory.write_config(preset_configs.smoke())
    pids = [child.pid for child in children]
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()

    def role(name, pid, **numbers):
      return status_file.RoleStatus(name, name, pid, "", 0.0, 0, 0.0, numbers)

    status_file.write(
      directory,
      "ray",
      "running",
      {},
      {},
      [
        role("replay", pids[0], server_pid=pids[1]),
        role("actor 3", pids[2]),
        role("evaluator", ended.pid),
      ],
    )
    found = soak.look(directory, os.getpid())
    self.assertEqual(
      {name: pid for name, (pid, _) in found.items()},
      {
        "driver": os.getpid(),
        "replay": pids[0],
        "replay_server": pids[1],
        "actor_3": pids[2],
        "others": 0,
      },
    )
    for _, held in found.values():
      self.assertGreater(held.own, 0.1)

  def test_a_glance_leaves_out_ended_and_many_processes(self):
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    pids = {"driver": os.getpid(), "others": 0, "evaluator": ended.pid}
    [(name, held)] = soak.glance(pids)
    self.assertEqual(name, "driver")
    self.assertGreater(held.own, 0.1)


class RealRunTest(absltest.TestCase):
  """Tests of run_speed and soak on the same run."""

  def test_speed_and_memory_of_a_run(self):
    with (
      absltest.mock.patch.object(run_speed, "_SETTLE_SECONDS", 0.0),
      absltest.mock.patch.object(soak, "_EVERY_SECONDS", 0.2),
      absltest.mock.patch.object(soak, "_BLOCK_SECONDS", 0.4),
      run_speed.training("smoke", "local", _SETTINGS) as run,
    ):
      # On a busy machine, some seconds pass without an update.
      for _ in range(60):
        steady = run_speed.watch(run, 1.0)
        if steady.steps_per_s > 0 and steady.updates_per_s > 0:
          break
      series, steps_per_s = soak.watch(run, 3.0)
      found = soak.trends(series, 0.0)
      pid = run.pid
    self.assertEqual(process_tree.tree(pid), [])
    self.assertGreater(steady.steps_per_s, 0.0)
    self.assertGreater(steady.updates_per_s, 0.0)
    self.assertBetween(steady.cores, 0.01, 1.2 * (os.cpu_count() or 1))
    self.assertAlmostEqual(
      steady.steps_per_cpu_s * steady.cores, steady.steps_per_s
    )
    self.assertBetween(steady.wait_share, 0.0, 1.0)
    self.assertGreater(steps_per_s, 0.0)
    # Sampled every 0.2 s, and four times as often in between.
    self.assertGreater(len(series["learner"]), 15)
    # A very short last block would miss the minimum that 15 s would show.
    self.assertLess(max(sample.seconds for sample in series["learner"]), 3.0)
    for role in ("learner", "actor_0"):
      # An interpreter with JAX in it.
      self.assertBetween(found[f"soak_{role}_memory_mb"], 50.0, 5000.0)
      self.assertTrue(np.isfinite(found[f"soak_{role}_slope_mb_per_hour"]))


if __name__ == "__main__":
  absltest.main()
