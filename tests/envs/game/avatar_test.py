"""Tests for actions, gaze and field of view."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.game import avatar

# One compiled program; its many operations would be compiled one by one.
_decode_actions = jax.jit(avatar.decode_actions)

_NOOP = constants.NOOP_ACTION


def _command(action, yaw=0.0, pitch=0.0):
  command = _decode_actions(
    np.array([[action]], np.int32),
    np.full([1, 1], yaw, np.float32),
    np.full([1, 1], pitch, np.float32),
  )
  return avatar.Command(*(np.asarray(x)[0, 0] for x in command))


class DecodeActionsTest(parameterized.TestCase):
  def test_noop_commands_no_movement(self):
    command = _command(_NOOP, yaw=1.0, pitch=0.3)
    np.testing.assert_array_equal(command.velocity, 0)
    self.assertEqual((command.turn, command.grip, command.reach), (0, False, 0))
    self.assertAlmostEqual(float(command.pitch), 0.3, places=6)

  @parameterized.parameters(
    (2, 1, [0, 1]), (0, 1, [0, -1]), (1, 0, [-1, 0]), (1, 2, [1, 0])
  )
  def test_walks_along_the_heading(self, move, strafe, way):
    command = _command((move, strafe, *_NOOP[2:]), yaw=np.pi / 2)
    expected = constants.WALK_SPEED * np.asarray(way)
    np.testing.assert_allclose(command.velocity, expected, atol=1e-6)

  def test_diagonals_are_no_faster(self):
    command = _command((2, 2, *_NOOP[2:]))
    self.assertAlmostEqual(
      float(np.hypot(*command.velocity)), constants.WALK_SPEED, places=5
    )

  def test_walks_along_the_arc_when_turning(self):
    command = _command((2, 1, 4, *_NOOP[3:]))
    half = 3.0 * constants.STEP_SECONDS / 2
    np.testing.assert_allclose(
      command.velocity,
      constants.WALK_SPEED * np.array([np.cos(half), np.sin(half)]),
      rtol=1e-5,
    )
    self.assertEqual(command.turn, 3.0)

  @parameterized.parameters((0, -1), (1, 0), (2, 1))
  def test_a_closed_hand_moves_nearer_or_farther(self, hand, sign):
    command = _command((*_NOOP[:4], 1, hand))
    self.assertTrue(command.grip)
    step = constants.HAND_RATE * constants.STEP_SECONDS
    self.assertAlmostEqual(float(command.reach), sign * step, places=6)

  @parameterized.parameters((0, -1), (2, 1))
  def test_pitch_stays_within_its_limit(self, look, sign):
    command = _command((1, 1, 2, look, 0, 1), pitch=0.1)
    step = constants.LOOK_RATE * constants.STEP_SECONDS
    self.assertAlmostEqual(float(command.pitch), 0.1 + sign * step, places=6)
    command = _command((1, 1, 2, look, 0, 1), pitch=sign * 0.99)
    self.assertAlmostEqual(
      float(command.pitch), sign * constants.PITCH_LIMIT, places=6
    )


class ViewTest(parameterized.TestCase):
  def test_axes_are_right_handed_and_orthonormal(self):
    axes = np.asarray(avatar.view_axes(jnp.asarray(0.7), jnp.asarray(-0.4)))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-6)
    self.assertLess(axes[0, 2], 0)  # Looks down.

  def test_from_view_inverts_to_view(self):
    axes = avatar.view_axes(jnp.asarray([0.7]), jnp.asarray([-0.4]))
    points = jnp.asarray([[[1.0, 2, 3], [-1, 0, 2]]])
    again = avatar.from_view(axes, avatar.to_view(axes, points))
    np.testing.assert_allclose(again, points, atol=1e-5)

  @parameterized.parameters(
    ([1, 0, 0], True),
    ([-1, 0, 0], False),
    ([1, 0.99, 0], True),
    ([1, -1.01, 0], False),
    ([1, 0, 0.74], True),
    ([1, 0, -0.76], False),
  )
  def test_frustum(self, point, inside):
    point = jnp.asarray(point, jnp.float32)
    self.assertEqual(bool(avatar.in_frustum(point)), inside)


if __name__ == "__main__":
  absltest.main()
