"""Tests of adaland.envs.adaptors.gymnasium_vector."""

import dataclasses
from typing import Any

import gymnasium
import numpy as np
from absl.testing import absltest
from gymnasium import spaces
from gymnasium.utils import env_checker

from adaland.envs import constants
from adaland.envs.adaptors import gymnasium_vector
from adaland.envs.sampling import task_sets
from tests.envs import fixtures


def _make(trials=2, num_tasks=1, **arguments):
  task = fixtures.busy_task(trials=trials)
  tasks = [dataclasses.replace(task, name=str(i)) for i in range(num_tasks)]
  return gymnasium_vector.LandVectorEnv(
    fixtures.NUM_ENVS,
    task_sets.TaskList(tuple(tasks)),
    fixtures.CONFIG,
    **arguments,
  )


class LandVectorEnvTest(absltest.TestCase):
  def test_spaces_pass_gymnasiums_checks(self):
    env = _make()
    self.assertIsInstance(env, gymnasium.vector.VectorEnv)
    env_checker.check_action_space(env.single_action_space)
    assert isinstance(env.single_observation_space, spaces.Dict)
    for space in env.single_observation_space.values():
      env_checker.check_observation_space(space)
    self.assertEqual(
      env.metadata["autoreset_mode"],
      gymnasium.vector.AutoresetMode.NEXT_STEP,
    )
    self.assertEqual(
      env.single_action_space, spaces.MultiDiscrete([*constants.ACTION_SIZES])
    )

  def test_what_comes_is_in_the_spaces(self):
    env = _make()
    env.action_space.seed(0)
    observation, _ = env.reset(seed=3)
    for _ in range(35):
      self.assertTrue(env.observation_space.contains(observation))
      actions = env.action_space.sample()
      observation, reward, terminated, truncated, info = env.step(actions)
      for array, dtype in (
        (reward, np.float64),
        (terminated, bool),
        (truncated, bool),
        (info["trial_last"], bool),
      ):
        self.assertEqual((array.shape, array.dtype), ((2,), dtype))

  def test_pays_while_the_goal_holds(self):
    env = gymnasium_vector.LandVectorEnv(
      fixtures.NUM_ENVS,
      task_sets.TaskList((fixtures.crowded_task(),)),
      fixtures.CONFIG,
    )
    env.reset(seed=0)
    _, reward, _, _, info = env.step(fixtures.noop())
    np.testing.assert_allclose(reward, constants.STEP_SECONDS, rtol=1e-6)
    self.assertEqual(info["dropped_spawns"].tolist(), [3, 3])

  def test_next_step_autoreset(self):
    env = _make(trials=1)
    env.reset(seed=3)
    ends = [env.step(fixtures.noop())[2][0] for _ in range(32)]
    self.assertEqual(list(np.flatnonzero(ends)), [14, 30])

  def test_equal_seeds_give_equal_episodes(self):
    env = _make()
    rollouts = []
    seeds: list[Any] = [5, np.int64(5), [None, 6]]
    for seed in seeds:
      rng = np.random.default_rng(0)
      env.reset(seed=seed)
      steps = [env.step(fixtures.random_actions(rng)) for _ in range(10)]
      rollouts.append([step[0]["terrain"] for step in steps])
    np.testing.assert_array_equal(rollouts[0], rollouts[1])
    rolled = np.asarray(rollouts)
    # A new episode of the old seed, and the first one of a seed again.
    self.assertFalse(np.array_equal(rolled[0, :, 0], rolled[2, :, 0]))
    np.testing.assert_array_equal(rolled[0, :, 1], rolled[2, :, 1])

  def test_observations_are_not_reused(self):
    env = _make()
    before, _ = env.reset()
    copies = {name: value.copy() for name, value in before.items()}
    for _ in range(20):
      env.step(fixtures.noop())
    for name, value in before.items():
      np.testing.assert_array_equal(value, copies[name])

  def test_observations_are_writable(self):
    env = _make()
    for observation in (env.reset()[0], env.step(fixtures.noop())[0]):
      for name, value in observation.items():
        self.assertTrue(value.flags.writeable, name)

  def test_seeds_choose_the_tasks(self):
    env = _make(num_tasks=100)

    def tasks(seed):
      env.reset(seed=seed)
      first = env.tasks
      env.reset()
      return [[task.name for task in drawn] for drawn in (first, env.tasks)]

    first = tasks(5)
    self.assertLen({*first[0], *first[1]}, 4)
    self.assertEqual(tasks(5), first)
    # Environment 1 had seed 6.
    self.assertEqual([row[0] for row in tasks([6, 9])], [r[1] for r in first])

  def test_np_random_has_the_seed(self):
    env = _make()
    env.reset(seed=7)
    self.assertEqual(env.np_random_seed, 7)

  def test_a_picture_before_reset_is_refused(self):
    env = _make(render_mode="rgb_array")
    with self.assertRaisesRegex(ValueError, "called before reset"):
      env.render()

  def test_without_a_seed_each_batch_plays_tasks_of_its_own(self):
    def played(**arguments):
      env = _make(num_tasks=10_000, **arguments)
      names = []
      for _ in range(2):
        env.reset()
        names += [task.name for task in env.tasks]
      return names

    self.assertNotEqual(played(), played())
    self.assertEqual(played(seed=3), played(seed=3))

  def test_renders_each_player_s_view(self):
    env = _make(num_tasks=10, render_mode="rgb_array")
    env.reset(seed=1)
    frames = env.render() or ()
    self.assertLen(frames, fixtures.NUM_ENVS)
    for frame in frames:
      self.assertEqual((frame.shape, frame.dtype), ((240, 320, 3), np.uint8))
    self.assertFalse(np.array_equal(frames[0], frames[1]))
    self.assertIsNone(_make().render())

  def test_refuses_arguments(self):
    with self.assertRaisesRegex(
      ValueError, "render_mode is 'x', allowed: None"
    ):
      _make(render_mode="x")

  def test_refuses_options(self):
    with self.assertRaisesRegex(ValueError, "options"):
      _make().reset(options={"colour": "red"})


if __name__ == "__main__":
  absltest.main()
