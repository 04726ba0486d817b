"""Tests of adaland.launch.runtimes.status_rows on a stopped clock."""

import json
import os
from typing import Any

from absl.testing import absltest

from adaland.launch.config import overrides, preset_configs
from adaland.launch.run import metrics, rundir, status_file
from adaland.launch.runtimes import status_rows, supervision
from tests.launch.runtimes import fakes

_COUNTERS = {"env_steps": 100, "episodes": 3, "updates": 4, "seconds": 5.0}


class RowsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.now = 100.0
    config = overrides.apply(preset_configs.smoke(), ["run.log_seconds=10"])
    self.run_dir = rundir.RunDir(
      os.path.join(self.create_tempdir().full_path, "run")
    )
    self.run_dir.begin(config).close()
    line: Any = absltest.mock.Mock()
    writer = metrics.MetricsWriter(str(self.run_dir.path), 0)
    self.addCleanup(writer.close)
    self.rows = status_rows.Rows(
      config, self.run_dir, line, writer, "fake", lambda: self.now
    )
    self.roles = {
      name: supervision.RoleHandle(name)
      for name in ("learner", "replay", "curriculum", "actor 0", "actor 1")
    }

  def answer(self, name, **stats):
    role = self.roles[name]
    role.stats = fakes.COMMON | stats
    role.last_heartbeat = self.now

  def learner(self, count, total, values=0, **more):
    """Answers with updates, the sum of their losses, updates with value 2."""
    self.answer(
      "learner",
      updates=count,
      count=count,
      learned=10 * count,
      lag_sum=2.0 * count,
      sums={"loss/total": total, "value": 2.0 * values},
      counts={"loss/total": count, "value": values},
      waited=0.5 * count,
      running=2.0 * count,
      devices=4,
      processes=2,
      **more,
    )

  def show(self, at, state="running"):
    self.now = 100.0 + at
    self.rows.show(_COUNTERS, self.roles, state)

  def written(self):
    path = self.run_dir.path / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]

  def test_means_over_the_updates_since_the_last_row(self):
    self.learner(4, 8.0)
    self.show(10)
    self.now = 115.0
    self.learner(6, 20.0)
    self.show(20)
    self.now = 125.0
    self.learner(1, 7.0, incarnation="b")  # Started again: it counts from 0.
    self.show(30)
    self.show(40)
    found = [row.get("loss/total") for row in self.written()]
    self.assertEqual(found, [2.0, 6.0, 7.0, None])
    self.assertEqual(self.written()[1]["params_lag"], 2.0)

  def test_a_mean_is_over_the_updates_that_have_the_metric(self):
    self.learner(4, 8.0)
    self.show(10)
    self.now = 115.0
    self.learner(14, 18.0, values=5)
    self.show(20)
    found = [(row["loss/total"], row.get("value")) for row in self.written()]
    self.assertEqual(found, [(2.0, None), (1.0, 2.0)])

  def test_rates_are_from_answer_to_answer(self):
    self.roles["learner 1"] = supervision.RoleHandle("learner 1")
    for name in self.roles:
      self.answer(name)
    self.learner(4, 8.0)
    self.answer("actor 0", steps=100, version=1)
    self.answer("actor 1", steps=50)
    self.answer(
      "replay", size=5, inserts=10, samples=20, server_pid=77, server_restarts=3
    )
    self.show(2)
    self.now = 106.0
    self.learner(8, 8.0)
    self.answer("learner 1", updates=8)
    self.answer("actor 0", steps=160, version=6)
    self.answer("actor 1", steps=200, incarnation="b")
    self.answer(
      "replay", size=6, inserts=16, samples=56, server_pid=77, server_restarts=3
    )
    self.show(10)
    (row,) = self.written()
    self.assertEqual(row["actor/steps_per_s"], 10.0)  # 1 is another process.
    self.assertEqual(row["actor/params_lag"], 2.0)
    self.assertEqual(row["replay/inserts_per_s"], 1.0)
    self.assertEqual(row["replay/samples_per_s"], 6.0)
    self.assertEqual(row["replay/samples_per_insert"], 3.5)
    self.assertEqual(row["replay/replay_size"], 6.0)
    self.assertAlmostEqual(row["learner/wait_share"], 0.25)
    # For all learners together, as the first one reports.
    self.assertAlmostEqual(row["learner/updates_per_s"], 4 / 6)
    self.assertEqual(row["learner/devices"], 4.0)
    self.assertEqual(row["learner/processes"], 2.0)
    status = status_file.read(self.run_dir)
    self.assertEqual(status["roles"]["replay"]["server_pid"], 77)
    self.assertEqual(status["roles"]["actor 0"]["heartbeat_age_s"], 4.0)
    self.assertEqual(status["launcher"], "fake")

  def test_rates_of_a_row_are_since_the_row_before(self):
    for at, steps in ((0, 10), (10, 10), (18, 80), (20, 82)):
      self.now = 100.0 + at
      self.answer("actor 0", steps=steps)
      self.show(at)
    found = [row["actor/steps_per_s"] for row in self.written()]
    self.assertEqual(found, [0.0, 7.2])
    # The status file was last written at 18.
    status = status_file.read(self.run_dir)["roles"]["actor 0"]
    self.assertEqual(status["steps_per_s"], 1.0)

  def test_a_server_that_falls_back_has_no_negative_rates(self):
    found = []
    for at, inserts in ((10, 1000), (20, 40), (25, 60), (35, 80)):
      self.now = 100.0 + at
      self.answer(
        "replay",
        size=5,
        inserts=inserts,
        samples=4 * inserts,
        server_pid=77,
        server_restarts=int(at > 10),
      )
      self.show(at, "ended")
      row = self.written()[-1]
      found.append((row["replay/inserts_per_s"], row["replay/samples_per_s"]))
    self.assertEqual(found, [(0.0, 0.0), (0.0, 0.0), (4.0, 16.0), (2.0, 8.0)])

  def test_the_status_is_newer_than_the_rows(self):
    self.show(1)
    self.assertEmpty(self.written())
    self.assertEqual(status_file.read(self.run_dir)["state"], "running")
    self.show(2, "ended")
    self.assertLen(self.written(), 1)
    status = status_file.read(self.run_dir)
    self.assertEqual(status["state"], "ended")
    self.assertEqual(status["counters"], _COUNTERS)
    self.assertEqual(status["metrics"]["env_steps"], 100)

  def test_numbers_of_the_curriculum_and_the_evaluator(self):
    self.answer(
      "curriculum",
      trial_rewards=[1.0, 3.0],
      episode_reward=2.5,
      curriculum={"x": 5.0},
    )
    self.roles["evaluator"] = supervision.RoleHandle("evaluator")
    self.answer("evaluator", evaluations=2, version=3, rewards={1: 0.5, 2: 1.5})
    self.show(10)
    (row,) = self.written()
    self.assertEqual(row["reward/episode"], 2.5)
    self.assertEqual(row["x"], 5.0)
    self.assertEqual(row["evaluator/reward_2_trials"], 1.5)
    self.assertEqual(row["evaluator/version"], 3.0)


if __name__ == "__main__":
  absltest.main()
