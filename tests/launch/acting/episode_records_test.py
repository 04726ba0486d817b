"""Tests of adaland.launch.acting.episode_records."""

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.launch.acting import episode_records
from tests.launch import fakes

_REWARDS = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 5.0]])
# Sums over 4 steps, and over none.
_ERRORS = np.array([[8.0, 4.0, 2.0, 4.0], [0.0, 0.0, 0.0, 0.0]])


class EpisodeRecordsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.reported: list[base.EpisodeRecord] = []
    self.records = episode_records.EpisodeRecords(self.reported.append)

  def add(self, time, row, key):
    task = fakes.make_task(trials=2)
    assignment = base.Assignment(key, task, key == 5)
    self.records.add(time, row, assignment, _REWARDS, _ERRORS, key == 6)

  def test_errors_are_means_and_rewards_are_by_trial(self):
    self.add(0, 0, 5)
    self.add(0, 1, 6)
    self.records.report_due(episode_records.DELAY)
    one, two = self.reported
    self.assertEqual((one.key, one.learn, one.guided), (5, True, False))
    self.assertEqual((two.key, two.learn, two.guided), (6, False, True))
    self.assertEqual(one.rewards.tolist(), [1.0, 2.0])
    self.assertEqual(two.rewards.tolist(), [3.0, 4.0])
    errors = (one.td_error, one.value_error, one.policy_error)
    self.assertEqual(errors, (2.0, 1.0, 0.5))
    self.assertEqual(two.td_error, 0.0)

  def test_a_record_is_reported_when_due_and_once(self):
    self.add(3, 0, 5)
    self.add(4, 1, 6)
    for time in range(4, 20):
      self.records.report_due(time)
      due = sum(end + episode_records.DELAY <= time for end in (3, 4))
      self.assertLen(self.reported, due)

  def test_restored_records_are_reported_alike(self):
    self.add(3, 1, 5)
    self.add(4, 0, 6)
    state = self.records.state_dict()
    self.records.report_due(99)
    restored: list[base.EpisodeRecord] = []
    again = episode_records.EpisodeRecords(restored.append)
    again.load_state_dict(state)
    again.report_due(99)
    self.assertLen(restored, 2)
    for mine, wanted in zip(restored, self.reported, strict=True):
      np.testing.assert_array_equal(mine.rewards, wanted.rewards)
      self.assertEqual(mine[:2] + mine[3:], wanted[:2] + wanted[3:])


if __name__ == "__main__":
  absltest.main()
