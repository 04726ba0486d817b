"""Tests of adaland.envs.adaptors.gymnasium_env."""

import dataclasses
import warnings

import gymnasium
import numpy as np
from absl.testing import absltest
from gymnasium.utils import env_checker

from adaland.envs import constants, land
from adaland.envs.adaptors import gymnasium_env
from adaland.envs.sampling import task_sets
from tests.envs import fixtures

_NOOP = fixtures.noop(1)[0]


def _make(num_tasks=1, **arguments):
  task = fixtures.busy_task(trials=2)
  tasks = [dataclasses.replace(task, name=str(i)) for i in range(num_tasks)]
  return gymnasium_env.LandEnv(
    task_sets.TaskList(tuple(tasks)), fixtures.CONFIG, **arguments
  )


class LandEnvTest(absltest.TestCase):
  def test_passes_gymnasiums_checker(self):
    env = _make(num_tasks=5, render_mode="rgb_array")
    with warnings.catch_warnings():
      warnings.simplefilter("error")
      # Positions have no bound; without a spec other modes can't be made.
      warnings.filterwarnings("ignore", message=".*infinity")
      warnings.filterwarnings("ignore", message=".*not having a spec")
      env_checker.check_env(env)

  def test_an_episode_has_all_trials(self):
    env = _make()
    env.reset(seed=0)
    steps = [env.step(_NOOP) for _ in range(30)]
    self.assertEqual([step[2] for step in steps], [False] * 29 + [True])
    ends = [i for i, step in enumerate(steps) if step[4]["trial_last"]]
    self.assertEqual(ends, [14, 29])
    self.assertFalse(any(step[3] for step in steps))
    self.assertEqual(steps[0][4]["dropped_spawns"], 0)

  def test_pays_while_the_goal_holds(self):
    task = fixtures.crowded_task()
    env = gymnasium_env.LandEnv(task_sets.TaskList((task,)), fixtures.CONFIG)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(_NOOP)
    self.assertIsInstance(reward, float)
    self.assertAlmostEqual(reward, constants.STEP_SECONDS)
    self.assertEqual(info["dropped_spawns"], 3)

  def test_without_a_seed_each_environment_plays_tasks_of_its_own(self):
    names = []
    for env in (_make(num_tasks=10_000), _make(num_tasks=10_000)):
      for _ in range(2):
        env.reset()
        names.append(env.task.name)
    self.assertNotEqual(names[:2], names[2:])

  def test_seed_chooses_the_tasks(self):
    env = _make(num_tasks=50)

    def tasks(seed):
      env.reset(seed=seed)
      first = env.task.name
      env.reset()
      return first, env.task.name

    once = tasks(1)
    self.assertEqual(tasks(1), once)
    self.assertNotEqual(tasks(2), once)
    self.assertNotEqual(once[0], once[1])

  def test_observations_are_writable_arrays_of_their_own(self):
    env = _make()
    before, _ = env.reset(seed=0)
    copies = {name: value.copy() for name, value in before.items()}
    for _ in range(3):
      after = env.step(_NOOP)[0]
    for name, value in after.items():
      self.assertIsInstance(value, np.ndarray)
      self.assertTrue(value.flags.writeable, name)
      np.testing.assert_array_equal(before[name], copies[name])

  def test_renders_the_player_s_view(self):
    env = _make(render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    assert frame is not None
    self.assertEqual((frame.shape, frame.dtype), ((240, 320, 3), np.uint8))
    turn = np.array((1, 1, 4, 1, 0, 1))
    for _ in range(3):
      env.step(turn)
    turned = env.render()
    assert turned is not None
    self.assertFalse(np.array_equal(turned, frame))
    self.assertAlmostEqual(
      env.metadata["render_fps"], 1 / constants.STEP_SECONDS
    )

  def test_refuses(self):
    tasks = task_sets.TaskList((fixtures.busy_task(),))
    with self.assertRaisesRegex(ValueError, "num_players is 2, allowed: 1"):
      gymnasium_env.LandEnv(tasks, land.LandConfig(num_players=2))
    with self.assertRaisesRegex(
      ValueError, "render_mode is 'x', allowed: None"
    ):
      _make(render_mode="x")
    with self.assertRaisesRegex(ValueError, "options is"):
      _make().reset(options={"colour": "red"})
    self.assertIsInstance(_make(), gymnasium.Env)


if __name__ == "__main__":
  absltest.main()
