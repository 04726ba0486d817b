"""Tests of launch.bench_soak: slopes by hand, and a short run for real."""

import math
import os
import subprocess
import sys

import numpy as np
from absl.testing import absltest

from launch import bench_run, bench_soak, errors, presets, processes, trend
from launch.roles import status_file


def _sample(seconds, own, shared=5.0, pid=7):
  return bench_soak.Sample(seconds, pid, processes.Memory(own, shared))


class TrendsTest(absltest.TestCase):
  def test_slopes_are_an_hour_s_and_leave_the_warm_up_out(self):
    # From 100 s on 1 MB in 36 s, which is 100 MB in an hour.
    learner = [_sample(36.0 * i, 50.0 + i, 5.0 - i / 10) for i in range(3, 6)]
    found = bench_soak.trends(
      {
        "learner": [_sample(0.0, 900.0), *learner],
        "actor_0": [_sample(36.0 * i, 30.0) for i in range(6)],
      },
      100.0,
    )
    expected = {
      "soak_growing_roles_count": 1,
      "soak_learner_memory_mb": 54.0,
      "soak_learner_slope_mb_per_hour": 100.0,
      "soak_learner_slope_stderr_mb_per_hour": 0.0,
      "soak_learner_shared_memory_mb": 4.6,
      "soak_learner_shared_slope_mb_per_hour": -10.0,
      "soak_actor_0_memory_mb": 30.0,
      "soak_actor_0_slope_mb_per_hour": 0.0,
      "soak_actor_0_slope_stderr_mb_per_hour": 0.0,
      "soak_actor_0_shared_memory_mb": 5.0,
      "soak_actor_0_shared_slope_mb_per_hour": 0.0,
    }
    self.assertCountEqual(found, expected)
    for name, value in expected.items():
      self.assertAlmostEqual(found[name], value, places=6, msg=name)

  def test_a_role_that_was_started_again_tells_nothing(self):
    series = {"learner": [_sample(i, 50.0, pid=7 + i // 3) for i in range(5)]}
    with self.assertRaisesRegex(errors.RunError, "learner was started again"):
      bench_soak.trends(series, 0.0)
    with self.assertRaisesRegex(errors.RunError, "only 2 looks at learner"):
      bench_soak.trends(series, 3.0)

  def test_flat_is_slow_or_within_what_is_known(self):
    for slope, stderr, flat in (
      (9.0, 0.1, True),
      (11.0, 0.1, False),
      (11.0, 6.0, True),
      (-50.0, 0.1, True),
      (1e6, math.inf, True),
    ):
      found = bench_soak.is_flat(trend.Trend(slope, stderr, 100.0))
      self.assertEqual(found, flat, msg=(slope, stderr))


class LookTest(absltest.TestCase):
  def test_roles_by_name_and_the_rest_together(self):
    command = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    children = [subprocess.Popen(command) for _ in range(4)]
    for child in children:
      self.addCleanup(child.wait)
      self.addCleanup(child.kill)
    driver = absltest.mock.Mock(pid=os.getpid())
    run = bench_run.Run(self.create_tempdir().full_path, driver)
    run.directory.write_config(presets.smoke())
    pids = [child.pid for child in children]
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()

    def role(name, pid, **numbers):
      return status_file.RoleStatus(name, name, pid, "", 0.0, 0, 0.0, numbers)

    status_file.write(
      run.directory,
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
    found = bench_soak.look(run)
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


class RealRunTest(absltest.TestCase):
  """One run for both of those that watch one."""

  def test_its_speed_and_its_memory(self):
    with (
      absltest.mock.patch.object(bench_run, "_SETTLE_SECONDS", 0.0),
      absltest.mock.patch.object(bench_soak, "_EVERY_SECONDS", 0.2),
      bench_run.training("smoke", "local", ["run.log_seconds=0.5"]) as run,
    ):
      steady = bench_run.watch(run, 1.0)
      series, steps_per_s = bench_soak.watch(run, 2.0)
      pid = run.pid
    self.assertEqual(processes.tree(pid), [])
    self.assertGreater(steady.steps_per_s, 0.0)
    self.assertGreater(steady.updates_per_s, 0.0)
    self.assertBetween(steady.cores, 0.01, 1.2 * (os.cpu_count() or 1))
    self.assertAlmostEqual(
      steady.steps_per_cpu_s * steady.cores, steady.steps_per_s
    )
    self.assertBetween(steady.wait_share, 0.0, 1.0)
    self.assertGreater(steps_per_s, 0.0)
    found = bench_soak.trends(series, 0.0)
    for role in ("learner", "actor_0"):
      # An interpreter with JAX in it.
      self.assertBetween(found[f"soak_{role}_memory_mb"], 50.0, 5000.0)
      self.assertTrue(np.isfinite(found[f"soak_{role}_slope_mb_per_hour"]))


if __name__ == "__main__":
  absltest.main()
