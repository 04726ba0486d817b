"""Tests for which lines of sight are tested and what blocks them."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from envs import avatar, constants, sight
from envs.physics import base

_CUBE, _SPHERE = 4, 9


def _wanted(types, positions, literals, yaw=0.0):
  slots = len(types)
  poses = avatar.Poses(
    object_pos=jnp.asarray([positions], jnp.float32),
    player_pos=jnp.zeros([1, 1, 3]),
    player_yaw=jnp.full([1, 1], yaw),
    touching=jnp.zeros([1, slots + 1, slots + 1], bool),
  )
  return sight.wanted(
    jnp.asarray([types]),
    poses,
    jnp.zeros([1, 1]),
    jnp.asarray([literals]),
  )


class WantedTest(absltest.TestCase):
  def test_players_look_at_all_in_view_and_objects_as_named(self):
    at = [[2, 0, 0.8], [-2, 0, 0.8], [3, 0, 0.8], [2.5, 0, 0.8]]
    sources, centres, pairs = _wanted(
      [_CUBE, _CUBE, _SPHERE, 0], at, [[_SPHERE, _CUBE], [13, _CUBE], [0, 0]]
    )
    expected = np.zeros([5, 5], bool)
    expected[0, [1, 3]] = True  # Not what is behind, nor the empty slot.
    expected[3, [1, 2]] = True  # The sphere looks at both cubes.
    np.testing.assert_array_equal(pairs[0], expected)
    np.testing.assert_allclose(sources[0, 0], [0, 0, constants.EYE_HEIGHT])
    np.testing.assert_allclose(
      centres[0, 0], [0, 0, constants.AVATAR_HEIGHT / 2]
    )
    np.testing.assert_allclose(sources[0, 1:], at)

  def test_nothing_is_tested_of_itself(self):
    _, _, pairs = _wanted(
      [_CUBE, _CUBE], [[-2, 0, 0], [-3, 0, 0]], [[_CUBE, _CUBE]]
    )
    np.testing.assert_array_equal(pairs[0], [[0, 0, 0], [0, 0, 1], [0, 1, 0]])


class SegmentsTest(absltest.TestCase):
  def test_packs_rows_to_the_longest(self):
    points = np.zeros([2, 3, 3], np.float32)
    points[:, 1] = [0, 4, 0]
    points[:, 2] = [3, 4, 0]
    pairs = np.zeros([2, 3, 3], bool)
    pairs[0, 0, 2] = True
    pairs[1, 0, 1] = pairs[1, 1, 2] = True
    lines = sight.segments(points, points, pairs)
    np.testing.assert_array_equal(lines.env_ids, [0, 1])
    self.assertEqual(lines.origins.shape, (2, 2, 3))
    np.testing.assert_allclose(lines.directions[0, 0], [0.6, 0.8, 0])
    np.testing.assert_allclose(lines.directions[1], [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(lines.exclude, [[0, -1], [0, 1]])
    np.testing.assert_allclose(lines.length, [5, 4, 3])

  def test_environments_without_lines_have_no_row(self):
    points = np.zeros([3, 2, 3], np.float32)
    points[:, 1, 1] = [1, 2, 3]
    pairs = np.zeros([3, 2, 2], bool)
    pairs[[0, 2], 0, 1] = True
    lines = sight.segments(points, points, pairs)
    np.testing.assert_array_equal(lines.env_ids, [0, 2])
    np.testing.assert_allclose(lines.length, [1, 3])
    hits = base.RayHits(
      distance=np.asarray([[0.5], [-1.0]], np.float32),
      node=np.full([2, 1], base.NODE_TERRAIN, np.int32),
      normal=np.zeros([2, 1, 3], np.float32),
    )
    free = sight.unblocked(lines, hits, pairs.shape)
    np.testing.assert_array_equal(free[:, 0, 1], [0, 0, 1])

  def test_blocked_by_what_is_before_the_end(self):
    points = np.zeros([1, 5, 3], np.float32)
    points[0, 1:, 0] = 2
    pairs = np.zeros([1, 5, 5], bool)
    pairs[0, 0, 1:] = True
    lines = sight.segments(points, points, pairs)
    hits = base.RayHits(
      distance=np.asarray([[1.8, 1.0, -1.0, 2.5]], np.float32),
      node=np.asarray([[1, base.NODE_TERRAIN, base.NODE_NONE, 1]], np.int32),
      normal=np.zeros([1, 4, 3], np.float32),
    )
    # The target itself, terrain before it, nothing, something behind it.
    np.testing.assert_array_equal(
      sight.unblocked(lines, hits, pairs.shape)[0, 0], [0, 1, 0, 1, 1]
    )


if __name__ == "__main__":
  absltest.main()
