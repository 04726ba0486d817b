"""Tests of adaland.curriculum.uniform."""

import json

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base, uniform
from tests.curriculum import examples


def _make(seed=0, **kwargs):
  return uniform.UniformCurriculum(examples.sample_task, seed, **kwargs)


class UniformCurriculumTest(absltest.TestCase):
  def test_draws_from_the_whole_pool_and_learns_from_all(self):
    assignments = _make().next_tasks(400)
    indices = np.array([int(a.task.name) for a in assignments], np.float64)
    self.assertLen(set(indices), 400)
    self.assertAlmostEqual(indices.mean() / base.POOL_SIZE, 0.5, delta=0.06)
    self.assertLess(indices.max(), base.POOL_SIZE)
    self.assertTrue(all(a.learn for a in assignments))

  def test_a_small_pool_is_drawn_evenly_and_keys_stay_unique(self):
    assignments = _make(num_tasks=3).next_tasks(900)
    counts = np.bincount([int(a.task.name) for a in assignments])
    self.assertLen(counts, 3)
    self.assertBetween(counts.min(), 240, 300)  # Four standard errors: 57.
    self.assertLen({a.key for a in assignments}, 900)

  def test_the_seed_decides(self):
    self.assertEqual(_make(1).next_tasks(3), _make(1).next_tasks(3))
    self.assertNotEqual(_make(1).next_tasks(3), _make(2).next_tasks(3))

  def test_guided_episodes_are_no_rewards_of_the_agent(self):
    made = _make()
    [assignment] = made.next_tasks(1)
    record = examples.record(assignment, 0.0, 5.0)
    made.report(record._replace(guided=True))
    self.assertEqual(made.metrics()["trial_reward_s"], 0.0)

  def test_the_reward_is_the_mean_of_the_trials(self):
    made = _make()
    [assignment] = made.next_tasks(1)
    record = examples.record(assignment, 0.0)
    made.report(record._replace(rewards=np.array([1.0, 0.0, 5.0])))
    self.assertAlmostEqual(made.metrics()["trial_reward_s"], 2.0)

  def test_records_of_others_assignments_are_ignored(self):
    made = _make()
    [assignment] = made.next_tasks(1)
    made.report(examples.record(assignment, 0.0, 5.0))
    before = made.metrics()
    for key in (base.UNKNOWN_KEY, 1, 99):
      other = assignment._replace(key=key)
      made.report(examples.record(other, 0.0, 1.0))
    self.assertEqual(made.metrics(), before)

  def test_a_restored_copy_goes_on_the_same(self):
    one = _make(1)
    for assignment in one.next_tasks(3):
      one.report(examples.record(assignment, 0.0, reward=2.0))
    state = json.loads(json.dumps(one.state_dict()))
    two = _make(9)
    two.load_state_dict(state)
    self.assertEqual(two.metrics(), one.metrics())
    self.assertEqual(two.metrics()["tasks_drawn"], 3)
    self.assertAlmostEqual(two.metrics()["trial_reward_s"], 2.0)
    self.assertEqual(two.next_tasks(3), one.next_tasks(3))

  def test_a_state_does_not_follow_the_curriculum(self):
    one = _make(1)
    state = one.state_dict()
    first = one.next_tasks(2)
    one.load_state_dict(state)
    self.assertEqual(one.next_tasks(2), first)

  def test_another_kind_s_state_is_refused(self):
    with self.assertRaisesRegex(ValueError, "'plr', this run has 'uniform'"):
      _make().load_state_dict({"kind": "plr"})


if __name__ == "__main__":
  absltest.main()
