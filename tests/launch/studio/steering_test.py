"""Tests of turning towards a person's line of sight."""

import math

from absl.testing import absltest, parameterized

from adaland.launch.studio import messages, steering


class SteeringTest(parameterized.TestCase):
  @parameterized.parameters(
    # A step turns by 0.4 or 0.107 radians; index 2 stays, 4 is left.
    (0.0, 2),
    (0.05, 2),
    (0.06, 3),
    (-0.2, 1),
    (0.26, 4),
    (-2.0, 0),
    (2 * math.pi - 0.3, 0),
  )
  def test_the_nearest_turn(self, target, index):
    found = steering.action(messages.Act(yaw=1.0 + target), 1.0, 0.0)
    self.assertEqual(found.tolist(), [1, 1, index, 1, 0, 1])

  @parameterized.parameters((0.05, 1), (0.1, 2), (-0.1, 0), (5.0, 2))
  def test_looking_up_and_down(self, target, index):
    found = steering.action(messages.Act(pitch=target), 0.0, 0.0)
    self.assertEqual(found[3], index)

  def test_no_direction_stays(self):
    wish = messages.Act(move=2, strafe=0, grip=1, hand=2)
    found = steering.action(wish, 3.0, 0.9)
    self.assertEqual(found.tolist(), [2, 0, 2, 1, 1, 2])

  def test_turning_comes_to_rest(self):
    yaw = 0.0
    for _ in range(20):
      found = steering.action(messages.Act(yaw=2.9), yaw, 0.0)
      yaw += steering._TURNS[found[2]]
    self.assertAlmostEqual(yaw, 2.9, delta=0.06)
    self.assertEqual(found[2], 2)


if __name__ == "__main__":
  absltest.main()
