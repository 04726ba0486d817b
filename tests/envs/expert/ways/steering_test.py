"""Tests of adaland.envs.expert.ways.steering."""

import math

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.expert.ways import steering


class SteeringTest(parameterized.TestCase):
  def test_starts_as_the_noop(self):
    self.assertEqual(steering.Action().indices, constants.NOOP_ACTION)

  def test_wrap(self):
    self.assertAlmostEqual(steering.wrap(1.5 * math.pi), -0.5 * math.pi)
    np.testing.assert_allclose(
      steering.wrap(np.array([0.3, -6.0])), [0.3, 2 * math.pi - 6.0]
    )

  def test_lengths(self):
    np.testing.assert_array_equal(
      steering.lengths(np.array([[3.0, 4.0], [0.0, 0.0], [-5.0, 12.0]])),
      [5.0, 0.0, 13.0],
    )
    vectors = np.random.default_rng(0).normal(size=(7, 1, 5, 3))
    for kind in (np.float32, np.float64):
      found = steering.lengths(vectors.astype(kind))
      self.assertEqual(found.dtype, kind)
      np.testing.assert_allclose(
        found, np.linalg.norm(vectors, axis=-1), rtol=1e-6
      )

  def test_view_axis(self):
    up = math.asin(0.6)
    for yaw, expected in ((0.0, [0.8, 0, 0.6]), (math.pi / 2, [0, 0.8, 0.6])):
      axis = steering.view_axis(yaw, up)
      np.testing.assert_allclose(axis, expected, atol=1e-12)

  @parameterized.parameters(
    (0.9, 2.0, False), (0.9, -2.0, False), (0.9, 0.5, True), (1.2, 2.0, True)
  )
  def test_what_a_fast_turn_could_tear_away(self, hand, error, expected):
    self.assertEqual(steering.could_tear(hand, error), expected)

  # A step turns by 0.4 or 0.107 radians.
  @parameterized.parameters(
    (0.04, False, 2),
    (0.1, False, 3),
    (-0.1, False, 1),
    (2.0, False, 4),
    (-2.0, False, 0),
    (2.0, True, 3),
    (-0.3, True, 1),
  )
  def test_turn(self, error, gentle, expected):
    action = steering.Action()
    steering.turn_towards(action, error, gentle)
    self.assertEqual(action.turn, expected)

  # A step looks up or down by 0.133 radians.
  @parameterized.parameters((0.05, 1), (0.1, 2), (-1.0, 0))
  def test_look(self, error, expected):
    action = steering.Action()
    steering.look_towards(action, error)
    self.assertEqual(action.look, expected)

  @parameterized.parameters(
    ((1.0, 0.0), 0.0, (2, 1)),
    ((-1.0, 0.0), 0.0, (0, 1)),
    ((0.0, 1.0), 0.0, (1, 0)),
    ((0.0, 1.0), math.pi / 2, (2, 1)),
    ((1.0, 1.0), 0.0, (2, 0)),
    ((0.05, 0.0), 0.0, (1, 1)),
  )
  def test_walk(self, offset, yaw, expected):
    action = steering.Action()
    steering.walk_towards(action, np.array(offset), yaw)
    self.assertEqual((action.move, action.strafe), expected)

  def test_walk_counts_the_turn_in(self):
    # Turning left by 0.4 in the step, the mean heading of 0.2 is 0.98 off
    # the point at -0.785: the diagonal to the right is still the closest.
    action = steering.Action(turn=4)
    steering.walk_towards(action, np.array([1.0, -1.0]), 0.0)
    self.assertEqual((action.move, action.strafe), (2, 2))
    # From a heading of 0.6, plain right is: 0.8 + 0.785 is a quarter turn.
    steering.walk_towards(action, np.array([1.0, -1.0]), 0.6)
    self.assertEqual((action.move, action.strafe), (1, 2))


if __name__ == "__main__":
  absltest.main()
