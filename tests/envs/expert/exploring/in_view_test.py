"""Tests of adaland.envs.expert.exploring.in_view."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.expert.exploring import in_view

_EYE = constants.EYE_HEIGHT


class InViewTest(parameterized.TestCase):
  @parameterized.parameters(
    ((3.0, 0.0, _EYE), 0.0, 0.0, True),
    ((-3.0, 0.0, _EYE), 0.0, 0.0, False),
    ((-3.0, 0.0, _EYE), np.pi, 0.0, True),
    # The field of view is 90 degrees wide; 0.85 of its half width counts.
    ((2.0, 1.6, _EYE), 0.0, 0.0, True),
    ((2.0, 1.8, _EYE), 0.0, 0.0, False),
    # Further below the eye than three quarters of that.
    ((1.0, 0.0, _EYE - 0.7), 0.0, 0.0, False),
    ((1.0, 0.0, _EYE - 0.7), 0.0, -0.5, True),
    # Too near to miss it.
    ((0.2, 0.0, _EYE), 0.0, 0.0, False),
  )
  def test_well_inside(self, point, yaw, pitch, expected):
    feet = np.array([1.0, 2.0, 0.5])
    found = in_view.well_inside(
      feet + np.array([point]), feet, np.array(yaw), np.array(pitch)
    )
    np.testing.assert_array_equal(found, [expected])

  def test_a_body_hides_what_is_behind_it(self):
    points = np.array([(4.0, 0.0, _EYE), (1.0, 0.0, _EYE), (0.0, 4.0, _EYE)])
    body = np.array([(2.0, 0.2, _EYE)])
    found = in_view.unblocked(points, np.zeros(3), body)
    np.testing.assert_array_equal(found, [False, True, True])


if __name__ == "__main__":
  absltest.main()
