"""Tests of adaland.envs.expert.control.carrying."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.expert.control import carrying, senses
from adaland.envs.expert.ways import navigate, steering
from tests.envs.expert import fakes

CUBE = 4


def situation(at, heights=None, held=0, **kwargs):
  view = fakes.make_view({0: (CUBE, at)}, pitch=-0.1, held=held, **kwargs)
  if heights is not None:
    view = view._replace(heights=heights, ramps=0 * heights)
  ground = navigate.make_ground(view.heights, view.ramps)
  found = senses.Situation(view, ground, ())
  # Forward, with a fast turn to the left.
  found.action = steering.Action(move=2, strafe=1, turn=4, grip=1, hand=1)
  return found


class CarryingTest(parameterized.TestCase):
  def test_leaves_a_free_step_as_it_is(self):
    state = situation((0.9, 0.0, 0.76))
    carrying.keep_clear(state, np.array([2.0, 0.0]))
    self.assertEqual(state.action.indices, (2, 1, 4, 1, 1, 1))

  def test_leaves_an_empty_hand_alone(self):
    walls = np.full((8, 8), 3)
    walls[3:5, 3:5] = 0
    state = situation((0.9, 0.0, 0.76), walls, held=-1)
    carrying.keep_clear(state, np.array([2.0, 0.0]))
    self.assertEqual(state.action.indices, (2, 1, 4, 1, 1, 1))

  def test_does_not_swing_an_object_into_a_wall(self):
    # A corridor along x, two tiles wide.
    walls = np.full((8, 8), 3)
    walls[:, 3:5] = 0
    state = situation((0.85, 0.3, 0.76), walls, yaw=0.35)
    carrying.keep_clear(state, np.array([2.0, 0.0]))
    self.assertEqual(state.action.move, 2)
    self.assertLess(state.action.turn, 2)  # To the right, along the corridor.
    # The other parts of the action stay.
    self.assertEqual(state.action.indices[3:], (1, 1, 1))

  def test_low_steps_are_no_hindrance(self):
    steps = np.zeros((8, 8), int)
    steps[:, 5:] = 1  # Half a metre, below the carried object.
    state = situation((0.85, 0.9, 0.76), steps, player=(0.0, 0.5), yaw=0.35)
    carrying.keep_clear(state, np.array([2.0, 0.0]))
    self.assertEqual(state.action.turn, 4)

  def test_waits_for_an_object_that_is_held_up(self):
    # The hand is 0.5 m ahead of it already; another step would tear it away.
    state = situation((0.4, 0.0, 0.76))
    carrying.keep_clear(state, np.array([2.0, 0.0]))
    self.assertNotEqual(state.action.move, 2)


if __name__ == "__main__":
  absltest.main()
