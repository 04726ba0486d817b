"""Tests of adaland.launch.run.metrics_row on a stopped clock."""

from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.launch.config import experiment
from adaland.launch.run import metrics_row


class Recorder:
  """A stand-in for the live line, the metrics and the curriculum."""

  def __init__(self):
    self.lines = []
    self.rows = []
    self.rewards = []

  def update(self, text, force=False):
    self.lines.append((text, force))

  def write(self, step, values):
    self.rows.append((step, dict(values)))

  def trial_rewards(self):
    return self.rewards

  def episode_reward(self):
    return 1.25

  def curriculum_metrics(self):
    return {"tasks_drawn": 5.0}


class StatusTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.now = 100.0
    self.recorder: Any = Recorder()

  def make(self, **values):
    run = experiment.RunConfig(log_seconds=10.0, **values)
    return metrics_row.Status(
      run, self.recorder, self.recorder, lambda: self.now
    )

  def show(self, made, at, steps, updates, force=False, roles=None):
    self.now = 100.0 + at
    counters = {"env_steps": steps, "updates": updates, "seconds": at}
    made.show(counters, self.recorder, force, roles)

  def test_nothing_before_its_time(self):
    made = self.make()
    self.show(made, 9.9, 100, 1)
    self.assertEmpty(self.recorder.rows)
    self.show(made, 9.9, 100, 1, force=True)
    self.assertLen(self.recorder.rows, 1)

  def test_a_mean_is_over_the_updates_that_have_the_metric(self):
    made = self.make()
    made.add({"loss/total": 1.0}, 10, 2.0)
    made.add({"loss/total": 4.0, "value": 2.0}, 10, 5.0, updates=2)
    self.show(made, 10, 100, 3)
    [(_, row)] = self.recorder.rows
    self.assertEqual((row["loss/total"], row["value"]), (3.0, 2.0))
    self.assertEqual(row["params_lag"], 4.0)

  def test_numbers_of_roles_are_in_the_row_which_is_kept(self):
    made = self.make()
    self.show(made, 10, 100, 0, roles={"actor/restarts": 2.0})
    [(_, row)] = self.recorder.rows
    self.assertEqual(row["actor/restarts"], 2.0)
    self.assertEqual(made.row, row)

  def test_rows_are_a_fixed_time_apart(self):
    made = self.make()
    for at in (11, 20, 21, 25, 31):
      self.show(made, at, 0, 0, force=at == 25)
    seconds = [row["seconds"] for _, row in self.recorder.rows]
    self.assertEqual(seconds, [11, 21, 25])

  def test_a_row_has_rates_means_and_rewards(self):
    made = self.make()
    self.show(made, 10, 1000, 0)
    self.recorder.rewards = [0.5, 1.5]
    made.add({"loss/total": np.float32(1.0)}, 300, 2.0)
    made.add({"loss/total": np.float32(2.0)}, 100, 5.0)
    self.show(made, 20, 1200, 2)
    (first_step, first), (step, row) = self.recorder.rows
    self.assertEqual((first_step, step), (1000, 1200))
    self.assertNotIn("loss/total", first)
    self.assertEqual(
      row,
      {
        "env_steps": 1200.0,
        "updates": 2.0,
        "seconds": 20.0,
        "env_steps_per_s": 20.0,
        "updates_per_s": 0.2,
        "learner_steps_per_s": 40.0,
        "samples_per_insert": 2.0,
        "reward/trial_1": 0.5,
        "reward/trial_2": 1.5,
        "reward/episode": 1.25,
        "params_lag": 3.5,
        "loss/total": 1.5,
        "tasks_drawn": 5.0,
      },
    )
    self.assertEqual(
      self.recorder.lines[-1][0],
      "20s | 1.2k steps (20/s) | 2 updates (40 steps/s) | replayed 2.0x"
      " | reward 1.25 (by trial 0.50 1.50) | 59m40s left",
    )

  def test_values_count_for_one_row_only(self):
    made = self.make()
    made.add({"loss/total": 1.0}, 1, 0.0)
    self.show(made, 10, 0, 1)
    self.show(made, 20, 0, 1)
    self.assertNotIn("loss/total", self.recorder.rows[1][1])
    self.assertNotIn("params_lag", self.recorder.rows[1][1])

  def test_the_first_reward_is_worth_a_line_at_once(self):
    made = self.make()
    for at in (10, 20):
      self.show(made, at, at, 0)
    self.recorder.rewards = [1.0]
    for at in (30, 40):
      self.show(made, at, at, 0)
    forced = [force for _, force in self.recorder.lines]
    self.assertEqual(forced[2:], [True, False])

  def test_time_left_until_the_first_bound(self):
    made = self.make(max_minutes=1.0, max_steps=1000)
    self.show(made, 10, 100, 0)  # No rate yet: 50 of 60 s are left.
    self.show(made, 20, 500, 0)  # 40 steps/s: 500 steps in 12.5 s.
    self.show(made, 40, 520, 0)  # 1 step/s: the minute ends in 20 s.
    lefts = [text.split(" | ")[-1] for text, _ in self.recorder.lines]
    self.assertEqual(lefts, ["50s left", "12s left", "20s left"])

  def test_steps_may_be_the_only_bound(self):
    made = self.make(max_minutes=0.0, max_steps=1000)
    self.show(made, 10, 100, 0)  # No rate yet.
    self.show(made, 20, 500, 0)
    lefts = [text.split(" | ")[-1] for text, _ in self.recorder.lines]
    self.assertEqual(lefts, ["reward 0.00", "12s left"])

  def test_a_run_without_bounds_says_nothing_of_its_end(self):
    made = self.make(max_minutes=0.0)
    self.show(made, 10, 100, 0)
    self.assertNotIn("left", self.recorder.lines[0][0])


if __name__ == "__main__":
  absltest.main()
