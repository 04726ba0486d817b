"""Tests for gripping, holding and losing objects."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import avatar, hands

# A compiled program each; their many operations would be compiled one by one.
_operate_hands = jax.jit(hands.operate)
_keep_inside = jax.jit(hands.keep_inside)
_lifts_its_player = jax.jit(hands.lifts_its_player)


def _empty(num_players=1):
  return hands.Hand(
    held=np.full([1, num_players], -1, np.int32),
    distance=np.zeros([1, num_players], np.float32),
    offset=np.zeros([1, num_players, 3], np.float32),
    ready=np.ones([1, num_players], bool),
  )


def _command(grip=True, reach=0.0, num_players=1):
  shape = [1, num_players]
  return avatar.Command(
    velocity=np.zeros([*shape, 2], np.float32),
    turn=np.zeros(shape, np.float32),
    pitch=np.zeros(shape, np.float32),
    grip=np.full(shape, grip),
    reach=np.full(shape, reach, np.float32),
  )


def _operate(state, offsets, graspable=None, **command):
  offsets = np.asarray(offsets, np.float32)[None]
  if graspable is None:
    graspable = np.ones(offsets.shape[1:3], bool)
  graspable = np.asarray(graspable)[None]
  commands = _command(num_players=offsets.shape[1], **command)
  return _operate_hands(state, commands, offsets, graspable)


_NEAR_AXIS, _BESIDE = [1.5, 0.1, 0], [0.8, 0.4, 0]


class OperateTest(absltest.TestCase):
  def test_takes_the_object_closest_to_the_view_axis(self):
    after = _operate(_empty(), [[_BESIDE, _NEAR_AXIS]])
    self.assertEqual(int(after.held[0, 0]), 1)
    after = _operate(_empty(), [[_BESIDE, _NEAR_AXIS]], [[True, False]])
    self.assertEqual(int(after.held[0, 0]), 0)

  def test_takes_nothing_out_of_reach_or_with_an_open_hand(self):
    far = [[[constants.REACH_METRES + 0.01, 0, 0]]]
    self.assertEqual(int(_operate(_empty(), far).held[0, 0]), -1)
    open_hand = _operate(_empty(), [[_NEAR_AXIS]], grip=False)
    self.assertEqual(int(open_hand.held[0, 0]), -1)

  def test_keeps_a_held_object_and_drops_it_when_opened(self):
    holding = _operate(_empty(), [[_BESIDE, _NEAR_AXIS]])
    kept = _operate(holding, [[_NEAR_AXIS, _BESIDE]])
    self.assertEqual(int(kept.held[0, 0]), 1)
    dropped = _operate(kept, [[_NEAR_AXIS, _BESIDE]], grip=False)
    self.assertEqual(int(dropped.held[0, 0]), -1)
    self.assertEqual(float(dropped.distance[0, 0]), 0)

  def test_starts_at_the_object_and_swings_to_the_axis(self):
    at = np.array([1.0, 0.8, -0.4])
    distance = float(np.linalg.norm(at))
    offset = at - [distance, 0, 0]
    swing = hands.SWING_SPEED * constants.STEP_SECONDS
    share = 1 - swing / np.linalg.norm(offset)
    after = _operate(_empty(), [[at]])
    self.assertAlmostEqual(float(after.distance[0, 0]), distance, places=5)
    np.testing.assert_allclose(after.offset[0, 0], offset * share, rtol=1e-4)
    for _ in range(3):
      after = _operate(after, [[at]])
    np.testing.assert_array_equal(after.offset, 0)

  def test_an_object_close_to_the_eye_swings_to_the_least_distance(self):
    at = np.array([0.05, 0.1, 0])
    offset = at - [constants.HAND_MIN_METRES, 0, 0]
    swing = hands.SWING_SPEED * constants.STEP_SECONDS
    share = 1 - swing / np.linalg.norm(offset)
    after = _operate(_empty(), [[at]])
    self.assertAlmostEqual(
      float(after.distance[0, 0]), constants.HAND_MIN_METRES, places=5
    )
    np.testing.assert_allclose(after.offset[0, 0], offset * share, rtol=1e-4)

  def test_distance_changes_within_its_limits(self):
    state = _operate(_empty(), [[[1.0, 0, 0]]], reach=0.2)
    self.assertAlmostEqual(float(state.distance[0, 0]), 1.2, places=5)
    for _ in range(9):
      state = _operate(state, [[_BESIDE]], reach=0.2)
    self.assertAlmostEqual(
      float(state.distance[0, 0]), constants.REACH_METRES, places=5
    )
    for _ in range(9):
      state = _operate(state, [[_BESIDE]], reach=-0.2)
    self.assertAlmostEqual(
      float(state.distance[0, 0]), constants.HAND_MIN_METRES, places=5
    )

  def test_two_players_never_hold_the_same_object(self):
    both = _operate(_empty(2), [[_NEAR_AXIS]] * 2)
    np.testing.assert_array_equal(both.held, [[0, -1]])
    second = _empty(2)._replace(held=np.asarray([[-1, 0]], np.int32))
    np.testing.assert_array_equal(
      _operate(second, [[_NEAR_AXIS]] * 2).held, [[-1, 0]]
    )

  def test_each_player_takes_what_it_sees_with_its_own_hand(self):
    far = [constants.REACH_METRES + 0.1, 0, 0]
    offsets = [[_NEAR_AXIS, _BESIDE, far], [far, far, _NEAR_AXIS]]
    graspable = [[True, True, False], [False, False, True]]
    for ready, grip, held in (
      ([True, True], [True, True], [0, 2]),
      ([True, True], [False, True], [-1, 2]),
      ([False, True], [True, True], [-1, 2]),
    ):
      before = _empty(2)._replace(ready=np.asarray([ready]))
      after = _operate(before, offsets, graspable, grip=np.asarray([grip]))
      np.testing.assert_array_equal(after.held, [held])


class TearTest(absltest.TestCase):
  def test_torn_away_beyond_the_limit_until_opened(self):
    state = _operate(_empty(), [[_NEAR_AXIS]])
    at = np.zeros([1, 1, 3], np.float32)
    object_pos = np.array([[[constants.TEAR_METRES - 0.01, 0, 0]]], np.float32)
    lag = hands.lag(state, at, object_pos)
    self.assertEqual(int(hands.tear(state, lag).held[0, 0]), 0)
    lag = hands.lag(state, at, object_pos + 0.1)
    torn = hands.tear(state, lag)
    self.assertEqual(int(torn.held[0, 0]), -1)
    again = _operate(torn, [[_NEAR_AXIS]])
    self.assertEqual(int(again.held[0, 0]), -1)
    opened = _operate(again, [[_NEAR_AXIS]], grip=False)
    self.assertEqual(int(_operate(opened, [[_NEAR_AXIS]]).held[0, 0]), 0)


class TargetTest(absltest.TestCase):
  def test_target_is_one_step_ahead(self):
    state = _empty()._replace(distance=np.full([1, 1], 1, np.float32))
    command = _command()._replace(
      velocity=np.array([[[1.5, 0.0]]], np.float32),
      turn=np.full([1, 1], np.pi / 2 / constants.STEP_SECONDS, np.float32),
      pitch=np.full([1, 1], -0.5, np.float32),
    )
    at = hands.target(
      state,
      command,
      np.zeros([1, 1, 3], np.float32),
      np.zeros([1, 1], np.float32),
    )
    walked = 1.5 * constants.STEP_SECONDS
    np.testing.assert_allclose(
      at[0, 0],
      [walked, np.cos(0.5), constants.EYE_HEIGHT - np.sin(0.5)],
      atol=1e-5,
    )


class KeepInsideTest(absltest.TestCase):
  def test_hands_stay_above_the_ground_and_within_the_outer_wall(self):
    """A room of 6 x 6 m; the part beyond x = 1 m is a level higher."""
    heights = np.zeros([1, constants.MAX_TILES, constants.MAX_TILES], np.int32)
    heights[:, 4:] = 1
    terrain = (heights, np.zeros_like(heights), np.array([[6, 6]], np.int32))
    for hand, feet, wanted in (
      ([0, 0, 0.4], 0.0, [0, 0, 0.4]),
      ([0, 0, -0.7], 0.0, [0, 0, 0.1]),
      ([-3.5, 2.95, 0.4], 0.0, [-2.9, 2.9, 0.4]),
      # From higher ground down to the lower.
      ([2, 0, -0.7], 0.5, [2, 0, 0.6]),
      ([0, 0, -0.7], 0.5, [0, 0, 0.1]),
      # Next to the player's body, unless the hand is above its head.
      ([0.6, 0, 0.3], 0.0, [0.45, 0, 0.3]),
      ([0.6, 0, 1.3], 0.0, [0.6, 0, 1.3]),
    ):
      found = _keep_inside(
        np.asarray([[hand]], np.float32),
        np.asarray([[[0.9, 0.0, feet]]], np.float32),
        terrain,
      )
      np.testing.assert_allclose(found[0, 0], wanted, atol=1e-6)

  def test_hands_stop_before_walls(self):
    """A room of 8 x 8 m; the tile from x = 1 m to 2 m is two levels higher."""
    heights = np.zeros([1, constants.MAX_TILES, constants.MAX_TILES], np.int32)
    heights[:, 5] = 2
    terrain = (heights, np.zeros_like(heights), np.array([[8, 8]], np.int32))
    top = 2 * constants.LEVEL_METRES
    for hand, feet, wanted in (
      ([1.78, 0, 0.4], [0.2, 0, 0], [0.99, 0, 0.4]),  # In the wall: half way,
      ([2.2, 0, 0.4], [0.2, 0, 0], [0.95, 0, 0.4]),  # behind it: 3/8 way.
      ([2.2, 0, top], [0.2, 0, 0], [2.2, 0, top]),  # Above it.
      ([1.52, 1.52, 0.4], [0, 0, 0], [0.95, 0.95, 0.4]),
      ([1.8, 0, 0.4], [0.8, 0, 0], [1.25, 0, 0.4]),  # The body is in the way.
      ([1.76, 0, 0.4], [2.6, 0, 0], [2.075, 0, 0.4]),  # From the other side.
      # Down next to the wall, for a player on top of it.
      ([2.3, 0, 0.4], [1.5, 0, top], [2.3, 0, 0.4]),
      ([1.95, 0, 0.4], [1.5, 0, top], [1.95, 0, top + 0.1]),
    ):
      found = _keep_inside(
        np.asarray([[hand]], np.float32),
        np.asarray([[feet]], np.float32),
        terrain,
      )
      np.testing.assert_allclose(found[0, 0], wanted, atol=1e-6)


class LiftsItsPlayerTest(absltest.TestCase):
  def test_object_under_the_feet_of_a_player_in_the_air(self):
    """A room of 6 x 6 m; the part beyond x = 1 m is a level higher."""
    heights = np.zeros([1, constants.MAX_TILES, constants.MAX_TILES], np.int32)
    heights[:, 4:] = 1
    terrain = (heights, np.zeros_like(heights), np.array([[6, 6]], np.int32))
    holding = _empty()._replace(held=np.zeros([1, 1], np.int32))
    for hand, feet, at, wanted in (
      (holding, [0, 0, 0.5], [0.3, 0.0, 0.6], True),
      (_empty(), [0, 0, 0.5], [0.3, 0.0, 0.6], False),
      (holding, [0, 0, 0.2], [0.3, 0.0, 0.3], False),  # Nearly on the ground,
      (holding, [0, 0, 0.5], [0.8, 0.0, 0.6], False),  # held out before the
      (holding, [0, 0, 0.5], [0.3, 0.0, 1.2], False),  # body, lifted high,
      (holding, [2, 0, 0.5], [2.3, 0.0, 0.6], False),  # or on higher ground.
    ):
      found = _lifts_its_player(
        hand,
        np.asarray([[feet]], np.float32),
        np.asarray([[at]], np.float32),
        terrain,
      )
      self.assertEqual(bool(found[0, 0]), wanted)


if __name__ == "__main__":
  absltest.main()
