"""Tests of single.reports with a static learner and curriculum."""

import json
import os
import types
from typing import Any

from absl.testing import absltest

from adaland.launch.config import overrides, preset_configs
from adaland.launch.run import metrics, rundir
from adaland.launch.runtimes.single import learner_thread, reports

_COUNTERS = {"env_steps": 100, "episodes": 3, "updates": 4, "seconds": 5.0}


def _update(total):
  steps: Any = 10
  lag: Any = 2.0
  return learner_thread.Update({"loss/total": total}, steps, lag)


class Curriculum:
  """A curriculum whose decisions are counted."""

  def __init__(self):
    self.logged = 0

  def log_decisions(self):
    self.logged += 1

  def trial_rewards(self):
    return [0.5, 1.0]

  def episode_reward(self):
    return 1.5

  def curriculum_metrics(self):
    return {"tasks_drawn": 5.0}


class ReportsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    config = overrides.apply(preset_configs.smoke(), ["run.log_seconds=1000"])
    self.path = os.path.join(self.create_tempdir().full_path, "run")
    run = rundir.RunDir(self.path)
    run.begin(config).close()
    writer = metrics.MetricsWriter(self.path, 0)
    self.addCleanup(writer.close)
    schedule = types.SimpleNamespace(inserts=4, samples=12, size=3)
    self.updates = [_update(2.0), _update(4.0)]
    learner: Any = types.SimpleNamespace(
      schedule=schedule, updates=4, take_updates=lambda: self.updates
    )
    self.curriculum = Curriculum()
    curriculum: Any = self.curriculum
    line: Any = absltest.mock.Mock()
    self.made = reports.Reports(
      config.run, run, line, writer, learner, curriculum
    )

  def status(self):
    with open(os.path.join(self.path, "status.json")) as file:
      return json.load(file)

  def test_a_row_has_the_means_of_the_updates(self):
    self.assertFalse(self.made.due())
    self.made.show("ended", _COUNTERS)
    with open(os.path.join(self.path, "metrics.jsonl")) as file:
      [row] = [json.loads(line) for line in file]
    self.assertEqual(row["loss/total"], 3.0)
    self.assertEqual(row["params_lag"], 2.0)
    self.assertEqual(row["tasks_drawn"], 5.0)
    self.assertEqual(self.curriculum.logged, 1)

  def test_this_process_is_the_one_role(self):
    self.made.write_status("running", _COUNTERS)
    status = self.status()
    self.assertEqual(status["state"], "running")
    self.assertEqual(status["launcher"], reports.LAUNCHER)
    self.assertEqual(list(status["roles"]), ["learner"])
    role = status["roles"]["learner"]
    self.assertEqual(role["pid"], os.getpid())
    self.assertEqual(role["replay_size"], 3)
    self.assertEqual(role["samples_per_insert"], 3.0)


if __name__ == "__main__":
  absltest.main()
