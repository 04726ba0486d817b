"""Tests of adaland.envs.adaptors.gymnasium_spaces."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.adaptors import gymnasium_spaces
from tests.envs import fixtures


class SpacesTest(absltest.TestCase):
  def test_extreme_observations_are_within_the_space(self):
    last = np.array(constants.ACTION_SIZES) - 1
    for kind, name, lowest, highest in (
      ("entities", "last_action", -1, last),
      ("entities", "last_reward", 0, constants.STEP_SECONDS),
      ("entities", "goal", 0, constants.NUM_SHAPE_IDS),
      ("entities", "rules", 0, constants.NUM_SHAPE_IDS),
      ("entities", "proprio", -99, 99),
      ("pixels", "pixels", 0, 255),
    ):
      config = land.LandConfig(observation=kind)
      space = gymnasium_spaces.observation_space(config)[name]
      shape, dtype = land.observation_spec(config)[name]
      self.assertEqual((space.shape, space.dtype), (shape, dtype))
      for value in (lowest, highest):
        self.assertIn(np.broadcast_to(value, shape).astype(dtype), space, name)

  def test_goals_rules_and_actions_have_bounds(self):
    space = gymnasium_spaces.observation_space(land.LandConfig())
    for name in ("goal", "rules", "last_action"):
      for beyond in (-2, constants.NUM_SHAPE_IDS + 1):
        box = space[name]
        value = np.full(box.shape or (), beyond, box.dtype)
        self.assertNotIn(value, box)

  def test_actions_are_the_six_heads(self):
    space = gymnasium_spaces.action_space()
    sizes = np.array(constants.ACTION_SIZES)
    self.assertIn(sizes - 1, space)
    self.assertIn(0 * sizes, space)
    for head in range(6):
      self.assertNotIn(sizes - 1 + (np.arange(6) == head), space)

  def test_read_only_arrays_are_copied_and_no_others(self):
    fixed = np.zeros(2)
    fixed.setflags(write=False)
    given = {"fixed": fixed, "own": np.ones(2)}
    found = gymnasium_spaces.arrays(given)
    found["fixed"][0] = 1
    np.testing.assert_array_equal(found["fixed"], [1, 0])
    self.assertIs(found["own"], given["own"])

  def test_refuses_two_players_and_other_pictures(self):
    with self.assertRaisesRegex(ValueError, "num_players is 2, allowed: 1"):
      gymnasium_spaces.check(land.LandConfig(num_players=2), None)
    with self.assertRaisesRegex(
      ValueError, "render_mode is 'human', allowed: None, rgb_array"
    ):
      gymnasium_spaces.check(fixtures.CONFIG, "human")
    for mode in (None, "rgb_array"):
      gymnasium_spaces.check(fixtures.CONFIG, mode)


if __name__ == "__main__":
  absltest.main()
