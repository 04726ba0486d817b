"""Tests for the Gymnasium adaptor, by Gymnasium's checks where they apply."""

import numpy as np
import pytest
from absl.testing import absltest

from adaland.envs import constants
from tests.envs import land_fixtures as fixtures

gymnasium = pytest.importorskip("gymnasium")
env_checker = pytest.importorskip("gymnasium.utils.env_checker")
gym_adaptor = pytest.importorskip("adaland.envs.adaptors.gymnasium_vector")


def _make(trials=2):
  return gym_adaptor.LandVectorEnv(
    fixtures.NUM_ENVS,
    lambda _: fixtures.busy_task(trials=trials),
    fixtures.CONFIG,
  )


class LandVectorEnvTest(absltest.TestCase):
  def test_spaces_pass_gymnasiums_checks(self):
    env = _make()
    self.assertIsInstance(env, gymnasium.vector.VectorEnv)
    env_checker.check_action_space(env.single_action_space)
    for space in env.single_observation_space.spaces.values():
      env_checker.check_observation_space(space)
    self.assertEqual(
      env.metadata["autoreset_mode"],
      gymnasium.vector.AutoresetMode.NEXT_STEP,
    )
    self.assertEqual(
      tuple(env.single_action_space.nvec), constants.ACTION_SIZES
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

  def test_next_step_autoreset(self):
    env = _make(trials=1)
    env.reset(seed=3)
    ends = [env.step(fixtures.noop())[2][0] for _ in range(32)]
    self.assertEqual(list(np.flatnonzero(ends)), [14, 30])

  def test_equal_seeds_give_equal_episodes(self):
    env = _make()
    rollouts = []
    for seed in (5, 5, [6, None]):
      rng = np.random.default_rng(0)
      env.reset(seed=seed)
      steps = [env.step(fixtures.random_actions(rng)) for _ in range(10)]
      rollouts.append([step[0]["terrain"] for step in steps])
    np.testing.assert_array_equal(rollouts[0], rollouts[1])
    rolled = np.asarray(rollouts)
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

  def test_refuses_options(self):
    with self.assertRaisesRegex(ValueError, "options"):
      _make().reset(options={"colour": "red"})


if __name__ == "__main__":
  absltest.main()
