"""Tests of adaland.envs.expert.ways.walking."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.expert.ways import steering, walking
from tests.envs.expert import fakes

_STEP = constants.WALK_SPEED * constants.STEP_SECONDS


class WalkingTest(absltest.TestCase):
  def test_turns_and_looks_are_those_of_the_expert(self):
    rng = np.random.default_rng(0)
    errors = rng.uniform(-np.pi, np.pi, 50)
    turns, looks = walking.turn_to(errors), walking.look_to(errors)
    for error, turn, look in zip(errors, turns, looks, strict=True):
      action = steering.Action()
      steering.turn_towards(action, float(error))
      steering.look_towards(action, float(error))
      self.assertEqual((turn, look), (action.turn, action.look))

  def _way(self, at, radius, target=(4.0, 0.0), tiles=(12, 12)):
    """Walks to a target by steps; returns the positions."""
    ways = walking.Ways(1)
    here, passed = np.zeros(2), []
    for _ in range(60):
      view = fakes.make_batch({}, player=here, tiles=tiles)
      offset = np.array(at, float).reshape(1, -1, 2) - here
      target_offset = (np.array(target) - here)[None]
      kept = np.array([radius], float).reshape(1, -1)
      rows = np.array([0])
      point = ways.point(view, rows, target_offset, offset, kept)
      yaw = np.arctan2(point[:, 1], point[:, 0])
      move = walking.walk_to(point, offset, kept, yaw, np.array([2]))[0]
      ahead, left = move[0] - 1, 1 - move[1]
      length = max(np.hypot(ahead, left), 1)
      cos, sin = np.cos(yaw[0]), np.sin(yaw[0])
      here = here + _STEP / length * np.array(
        [cos * ahead - sin * left, sin * ahead + cos * left]
      )
      passed.append(here)
      if np.linalg.norm(here - target) < _STEP:
        break
    self.assertLess(float(np.linalg.norm(here - target)), _STEP)
    return np.array(passed)

  def test_a_free_way_is_straight(self):
    passed = self._way([(2.0, 2.0)], [1.1])
    self.assertLen(passed, 11)  # Steps of 1/3 m.
    np.testing.assert_allclose(passed[:, 1], 0, atol=1e-6)

  def test_a_way_leads_around_what_is_to_be_avoided(self):
    for at in ([(2.0, 0.1)], [(2.0, 0.0)], [(2.0, 0.5), (2.0, -0.5)]):
      passed = self._way(at, [1.08] * len(at))
      gaps = np.linalg.norm(passed[:, None] - np.array(at), axis=-1)
      self.assertGreater(gaps.min(), 1.0)

  def test_a_view_that_is_nearly_level_is_left_as_it_is(self):
    pitch = constants.START_PITCH + np.array([-0.6, -0.4, 0.0, 0.4, 0.6])
    np.testing.assert_array_equal(walking.level(pitch), [2, 1, 1, 1, 0])

  def _detour(self, at, radius=1.0, target=(4.0, 0.0)):
    return walking.detour(
      np.array([target]),
      np.array(at, float).reshape(1, -1, 2),
      np.full((1, len(at)), radius),
    )[0]

  def test_a_detour_passes_on_the_free_side_of_the_nearest(self):
    # 0.2 m beyond the circles.
    np.testing.assert_allclose(self._detour([(2, 0.3)]), [2, -0.9])
    np.testing.assert_allclose(self._detour([(2, -0.3)]), [2, 0.9])
    both = [(3, 0.3), (2, -0.3)]
    np.testing.assert_allclose(self._detour(both), [2, 0.9])
    # The same, rotated, on the way to the left.
    found = self._detour([(-0.3, 2)], target=(0.0, 4.0))
    np.testing.assert_allclose(found, [0.9, 2], atol=1e-12)

  def test_no_detour_where_nothing_is_in_the_way(self):
    for at in ((2, 1.1), (-1, 0), (5, 0)):
      np.testing.assert_array_equal(self._detour([at]), [4, 0])
    np.testing.assert_array_equal(self._detour([(2, 0)], radius=0), [4, 0])

  def test_a_target_inside_a_circle_shrinks_it(self):
    # 0.5 m from the target, 0.4 m off the path: there is room to pass.
    np.testing.assert_allclose(self._detour([(3.7, 0.4)]), [3.7, -0.3])
    # Next to the target, there is nothing left to pass.
    np.testing.assert_allclose(self._detour([(4, 0.4)]), [4, 0])

  def test_a_detour_arrives(self):
    here, at, target = np.zeros(2), np.array([[2.0, 0.2]]), np.array([4.0, 0.0])
    gaps, radius = [], np.array([[0.9]])
    for _ in range(30):
      offset = (at - here)[None]
      point = walking.detour((target - here)[None], offset, radius)
      yaw = np.arctan2(point[:, 1], point[:, 0])
      [move] = walking.walk_to(point, offset, radius, yaw, np.array([2]))
      ahead, left = move[0] - 1, 1 - move[1]
      cos, sin = np.cos(yaw[0]), np.sin(yaw[0])
      here = here + _STEP / max(np.hypot(ahead, left), 1) * np.array(
        [cos * ahead - sin * left, sin * ahead + cos * left]
      )
      gaps.append(float(np.linalg.norm(here - at[0])))
      if np.linalg.norm(here - target) < _STEP:
        break
    self.assertLess(float(np.linalg.norm(here - target)), _STEP)
    self.assertGreater(min(gaps), 0.8)

  def test_nothing_to_avoid_where_the_radius_is_zero(self):
    self.assertLen(self._way([(2.0, 0.1)], [0.0]), 11)


if __name__ == "__main__":
  absltest.main()
