"""Tests of adaland.launch.evaluation.rollout on a land without physics."""

import base64

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.launch import errors
from adaland.launch.evaluation import demo, recording, rollout
from tests.launch import fakes

_MAKE_LAND = land.maker(land.LandConfig())


class RolloutTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.lands = []

    def make(*args):
      self.lands.append(fakes.FakeLand(*args))
      return self.lands[-1]

    self.enter_context(
      absltest.mock.patch.object(rollout.land, "Land", side_effect=make)
    )

  def play(self, tasks, **more):
    return rollout.play(_MAKE_LAND, tasks, lambda _: fakes.Constant(1), **more)

  def test_rewards_by_trial_in_the_order_of_the_tasks(self):
    tasks = [
      fakes.make_task("1", trials=1),
      fakes.make_task("2", trials=3),
      fakes.make_task("3", trials=2, seconds=4.0),
    ]
    rewards = self.play(tasks, seed=7)
    self.assertEqual(self.lands[0].seed, 7)
    self.assertEqual([x.dtype for x in rewards], [np.float32] * 3)
    np.testing.assert_array_equal(rewards[0], [15])
    np.testing.assert_array_equal(rewards[1], [30, 45, 60])
    np.testing.assert_array_equal(rewards[2], [90, 120])

  def test_more_tasks_than_environments(self):
    tasks = [fakes.make_task(str(i), trials=1 + i % 3) for i in range(10)]
    progress = []
    with absltest.mock.patch.object(rollout, "MAX_ENVS", 4):
      rewards = self.play(tasks, on_progress=progress.append)
    self.assertEqual(self.lands[0].num_envs, 4)
    for i, got in enumerate(rewards):
      expected = [15.0 * (i + k) for k in range(1 + i % 3)]
      np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(progress, np.arange(1, 11) / 10)

  def test_long_episodes_start_first(self):
    # 2 environments, 30 + 15 and 15 + 15 + 15 steps, and one step that loads
    # each new episode: 47; in the order given they would take 62.
    tasks = [fakes.make_task(trials=k) for k in (1, 1, 1, 1, 2)]
    with absltest.mock.patch.object(rollout, "MAX_ENVS", 2):
      self.play(tasks)
    self.assertLen(self.lands[0].actions, 47)

  def test_kept_episodes_have_their_actions_and_where_they_were_played(self):
    # The longest first: environment 0 has jobs 2 and 3, the other 0, 1 and 4,
    # whose first action is the 48th: 30 and 15 steps, and two that load.
    trials = (2, 1, 3, 1, 1)
    tasks = [fakes.make_task(str(i), trials=k) for i, k in enumerate(trials)]
    recorder = recording.Recorder([0, 4])

    class Counting:
      calls = 0

      def act(self, step):
        self.calls += 1
        return np.array(
          [[row, 0, self.calls % 5, 0, 0, 0] for row in range(len(step.first))]
        )

    with absltest.mock.patch.object(rollout, "MAX_ENVS", 2):
      rollout.play(
        _MAKE_LAND,
        tasks,
        lambda _: Counting(),
        7,
        recorder=recorder,
      )
    for entry, number, episode, calls, rewards in zip(
      recorder.entries("me"),
      (0, 4),
      (0, 2),
      (range(1, 31), range(48, 63)),
      ([0, 15], [60]),
      strict=True,
    ):
      kept = demo.decode(base64.b64decode(entry.pop("demo")))
      self.assertEqual((kept.task, kept.seed), (tasks[number], 8))
      np.testing.assert_array_equal(kept.actions[:, 0], 1)
      np.testing.assert_array_equal(kept.actions[:, 2], np.array(calls) % 5)
      np.testing.assert_array_equal(kept.rewards, rewards)
      self.assertEqual(
        entry,
        {
          "task": number,
          "name": str(number),
          "policy": "me",
          "rewards": rewards,
          "episode": episode,
        },
      )

  def test_kept_episodes_are_in_the_order_of_the_tasks(self):
    # Task 1 begins and ends first.
    tasks = [fakes.make_task("0", trials=1), fakes.make_task("1", trials=2)]
    recorder = recording.Recorder([0, 1])
    with absltest.mock.patch.object(rollout, "MAX_ENVS", 1):
      self.play(tasks, recorder=recorder)
    self.assertEqual([each["task"] for each in recorder.entries("me")], [0, 1])

  def test_rewards_that_are_not_finite_are_refused(self):
    for name in ("nan", "-inf"):
      tasks = [fakes.make_task("1"), fakes.make_task(name)]
      message = (
        f"task '{name}': the environment's reward in trial 1 is {name}, "
        "allowed: a finite number"
      )
      with (
        self.subTest(name),
        self.assertRaisesRegex(errors.UserError, message),
      ):
        self.play(tasks)

  def test_no_tasks(self):
    self.assertEqual(self.play([]), [])
    self.assertEmpty(self.lands)


if __name__ == "__main__":
  absltest.main()
