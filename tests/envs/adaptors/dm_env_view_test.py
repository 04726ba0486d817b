"""Tests of adaland.envs.adaptors.dm_env_view, by dm_env's own suite."""

import numpy as np
from absl.testing import absltest
from dm_env import test_utils

from adaland.envs import constants, land
from adaland.envs.adaptors import dm_env_view
from tests.envs import fixtures


class LandEnvTest(test_utils.EnvironmentTestMixin, absltest.TestCase):
  def make_object_under_test(self, **unused_kwargs):
    return dm_env_view.LandEnv(
      lambda _: fixtures.busy_task(), fixtures.CONFIG, seed=4
    )

  def make_action_sequence(self):
    rng = np.random.default_rng(0)
    for _ in range(40):  # An episode has 30 steps.
      yield fixtures.random_actions(rng, 1)[0].astype(np.int32)

  def test_an_episode_has_all_trials(self):
    env = self.make_object_under_test()
    env.reset()
    steps = [env.step(fixtures.noop(1)[0]) for _ in range(31)]
    self.assertTrue(steps[29].last())
    self.assertEqual(sum(step.mid() for step in steps), 29)
    self.assertTrue(steps[30].first())

  def test_pays_while_the_goal_holds(self):
    env = dm_env_view.LandEnv(
      lambda _: fixtures.crowded_task(), fixtures.CONFIG
    )
    env.reset()
    reward = env.step(fixtures.noop(1)[0]).reward
    self.assertAlmostEqual(reward, constants.STEP_SECONDS)
    self.assertEqual(env.reward_spec().maximum, reward)

  def test_actions_are_bounded_by_the_heads(self):
    spec = self.make_object_under_test().action_spec()
    self.assertEqual(spec.maximum.tolist(), [2, 2, 4, 2, 1, 2])

  def test_seed_turns_the_avatar(self):
    def terrain(seed):
      env = dm_env_view.LandEnv(
        lambda _: fixtures.busy_task(), fixtures.CONFIG, seed
      )
      return env.reset().observation["terrain"].tolist()

    self.assertEqual(terrain(1), terrain(1))
    self.assertNotEqual(terrain(1), terrain(2))

  def test_observations_are_writable(self):
    env = self.make_object_under_test()
    for timestep in (env.reset(), env.step(fixtures.noop(1)[0])):
      for name, value in timestep.observation.items():
        self.assertTrue(value.flags.writeable, name)

  def test_refuses_two_players(self):
    with self.assertRaisesRegex(ValueError, "num_players is 2"):
      dm_env_view.LandEnv(
        lambda _: fixtures.busy_task(), land.LandConfig(num_players=2)
      )


if __name__ == "__main__":
  absltest.main()
