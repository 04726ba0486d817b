"""Tests of the velocities that drive avatars and hands."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.physics import driving

_STEP = constants.STEP_SECONDS


class StandingTest(absltest.TestCase):
  def test_standing_avatars_correct_small_slips(self):
    standing = driving.Standing(1, 1)
    still = np.zeros((1, 1, 2))

    def at(x):
      return np.array([[[x, 1.0]]])

    walk = np.array([[[2.0, 0.0]]])
    np.testing.assert_array_equal(standing.velocity(walk, at(0.0)), walk)
    np.testing.assert_array_equal(standing.velocity(still, at(0.5)), still)
    # It slips by 1 cm, then is pushed by 50 cm: it corrects 2 cm at most.
    pull = standing.velocity(still, at(0.51))
    np.testing.assert_allclose(pull, [[[-0.01 / _STEP, 0]]])
    pull = standing.velocity(still, at(1.0))
    np.testing.assert_allclose(pull, [[[-0.02 / _STEP, 0]]])
    # The push moved its anchor too.
    np.testing.assert_allclose(standing.velocity(still, at(0.98)), 0, atol=1e-9)
    standing.forget(np.array([0]))
    np.testing.assert_array_equal(standing.velocity(still, at(0.0)), still)


class HandTest(absltest.TestCase):
  def test_hands_arrive_in_a_step_up_to_the_maximum_speed(self):
    target = np.array([[[0.3, 0.4, 0.0]], [[30.0, 40.0, 0.0]], [[1.0, 0, 0]]])
    holds = np.array([[True], [True], [False]])
    velocity = driving.hand_velocity(target, np.zeros((3, 1, 3)), holds)
    np.testing.assert_allclose(velocity[0, 0], [0.3 / _STEP, 0.4 / _STEP, 0])
    np.testing.assert_allclose(velocity[1, 0], [7.2, 9.6, 0])
    np.testing.assert_array_equal(velocity[2, 0], 0)


if __name__ == "__main__":
  absltest.main()
