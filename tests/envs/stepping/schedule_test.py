"""Tests of adaland.envs.stepping.schedule."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs.game import clocks
from adaland.envs.stepping import schedule, task_rows
from adaland.envs.tasks.task import ObjectSpec, PlayerSpec, Task
from tests.envs import fixtures

_SECONDS = 2.0  # Of a trial, which has 15 steps.
_STEPS = 15


def _one_and_three() -> list[Task]:
  """Returns tasks of one trial and of three."""
  return [fixtures.busy_task(trials, _SECONDS) for trials in (1, 3)]


def _make(tasks, config=fixtures.CONFIG, seed=(4, 7)) -> schedule.Schedule:
  """Makes a schedule in which environment i plays task i again and again."""
  return schedule.Schedule(len(tasks), config, lambda i: tasks[i], seed)


def _after(made: schedule.Schedule, steps: int):
  """Takes steps; returns what the last one returned."""
  for _ in range(steps - 1):
    made.step()
  return made.step()


def _of_two_players(task: Task) -> Task:
  [player] = task.players
  return dataclasses.replace(
    task, players=(player, PlayerSpec(player.goal, (-2.0, 0.0))), hiding=()
  )


class ScheduleTest(absltest.TestCase):
  def assert_plans_are_equal(self, one, other):
    for a, b in zip(one[:-1], other[:-1], strict=True):
      np.testing.assert_array_equal(a, b)
    self.assertEqual([x.task for x in one.tasks], [x.task for x in other.tasks])

  def test_trials_and_episodes_start_when_their_time_comes(self):
    made = _make(_one_and_three())
    plans = [made.reset()]
    ends = []
    for _ in range(46):
      plan, *end = made.step()
      plans.append(plan)
      ends.append(end)

    def when(flags):
      return [np.flatnonzero(of_one).tolist() for of_one in np.transpose(flags)]

    # The step after an episode's last one starts the next episode.
    self.assertEqual(
      when([plan.episode for plan in plans]), [[0, 16, 32], [0, 46]]
    )
    self.assertEqual(when([plan.next_trial for plan in plans]), [[], [15, 30]])
    trial_last, last = np.swapaxes(ends, 0, 1)
    self.assertEqual(when(trial_last), [[14, 30], [14, 29, 44]])
    self.assertEqual(when(last), [[14, 30], [44]])
    self.assertEqual(made.episodes.tolist(), [3, 2])
    self.assertEqual(made.clock.now.step.tolist(), [14, 0])
    for plan in plans:
      self.assertLen(plan.tasks, plan.episode.sum())
      np.testing.assert_array_equal(
        plan.env_ids, np.flatnonzero(plan.episode | plan.next_trial)
      )

  def test_what_ended_is_the_caller_s(self):
    made = _make(_one_and_three())
    made.reset()
    _, trial_last, last = _after(made, _STEPS)
    np.testing.assert_array_equal(last, [True, False])
    last[:], trial_last[:] = False, False
    plan, _, _ = made.step()
    np.testing.assert_array_equal(plan.episode, [True, False])

  def test_after_a_reset_no_episode_starts_again(self):
    made = _make(_one_and_three())
    made.reset()
    _, _, last = _after(made, _STEPS)
    np.testing.assert_array_equal(last, [True, False])
    made.reset()
    plan, _, _ = made.step()
    self.assertFalse(plan.episode.any())
    self.assertEqual(made.episodes.tolist(), [2, 2])

  def test_yaws_follow_from_seed_episode_task_and_trial(self):
    tasks = _one_and_three()
    made = _make(tasks)
    keys = [clocks.task_key(task) for task in tasks]

    def yaws(*starts):
      return [
        clocks.start_yaw(seed, episode, keys[i], trial, 1)
        for i, seed, episode, trial in starts
      ]

    np.testing.assert_array_equal(
      made.reset().yaw, yaws((0, 4, 0, 0), (1, 7, 0, 0))
    )
    plan, _, _ = _after(made, _STEPS)
    np.testing.assert_array_equal(plan.yaw, yaws((1, 7, 0, 1)))
    plan, _, _ = made.step()
    np.testing.assert_array_equal(plan.yaw, yaws((0, 4, 1, 0)))
    # A new seed counts from zero, also in the middle of an episode.
    made.seed([None, 5])
    self.assertEqual(made.seeds, (4, 5))
    self.assertEqual(made.episodes.tolist(), [2, 0])
    plan, _, _ = _after(made, 14)
    np.testing.assert_array_equal(plan.yaw, yaws((1, 5, 0, 2)))

  def test_a_refused_task_changes_nothing(self):
    tasks = _one_and_three()
    made = _make(tasks)
    made.reset()
    _after(made, _STEPS)
    fine = tasks[0]
    tasks[0] = dataclasses.replace(
      fine, objects=(ObjectSpec(fixtures.CUBE, 7),)
    )
    before = made.clock.now, made.ended.copy(), made.tasks.copy()
    for _ in range(2):
      with self.assertRaisesRegex(ValueError, "number of objects in the task"):
        made.step()
    np.testing.assert_array_equal(made.clock.now, before[0])
    np.testing.assert_array_equal(made.ended, before[1])
    self.assertEqual(made.tasks, before[2])
    self.assertEqual(made.episodes.tolist(), [1, 1])
    tasks[0] = fine
    plan, _, _ = made.step()
    np.testing.assert_array_equal(plan.episode, [True, False])

  def test_tasks_may_be_prepared(self):
    tasks = _one_and_three()
    prepared = [task_rows.prepare(task, fixtures.CONFIG) for task in tasks]
    made = _make(prepared)
    plan = made.reset()
    for given, wanted in zip(plan.tasks, prepared, strict=True):
      self.assertIs(given, wanted)
    self.assertEqual(made.tasks, tasks)
    self.assert_plans_are_equal(plan, _make(tasks).reset())

  def test_players_that_a_task_lacks_are_absent(self):
    config = dataclasses.replace(fixtures.CONFIG, num_players=2)
    alone = fixtures.busy_task(1, _SECONDS)
    tasks = [alone, _of_two_players(alone)]
    made = _make(tasks, config)
    made.reset()
    np.testing.assert_array_equal(made.present, [[True, False], [True, True]])
    tasks.reverse()
    _after(made, _STEPS + 1)
    np.testing.assert_array_equal(made.present, [[True, True], [True, False]])
    self.assertEqual(made.tasks, tasks)

  def test_a_loaded_schedule_goes_on_as_the_saved_one(self):
    config = dataclasses.replace(fixtures.CONFIG, num_players=2)
    tasks = _one_and_three()
    tasks[1] = _of_two_players(tasks[1])
    saved, loaded = _make(tasks, config), _make(tasks, config, 0)
    saved.reset()
    for _ in range(_STEPS):
      saved.step()
    loaded.load(
      [task_rows.prepare(task, config) for task in saved.tasks],
      saved.seeds,
      saved.episodes,
      saved.ended,
      clocks.Clock(*(x.copy() for x in saved.clock.now)),
    )
    self.assertEqual(loaded.tasks, tasks)
    np.testing.assert_array_equal(loaded.present, saved.present)
    for _ in range(50):
      wanted, found = saved.step(), loaded.step()
      self.assert_plans_are_equal(found[0], wanted[0])
      np.testing.assert_array_equal(found[1:], wanted[1:])
    np.testing.assert_array_equal(loaded.episodes, saved.episodes)


if __name__ == "__main__":
  absltest.main()
