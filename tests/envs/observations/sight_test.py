"""Tests of adaland.envs.observations.sight."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.observations import sight
from adaland.envs.physics import base, cpu

# A compiled program each; their many operations would be compiled one by one.
_jit_wanted = jax.jit(sight.wanted)
_jit_all_lines = jax.jit(sight.all_lines)
_jit_free = jax.jit(sight.free)

_CUBE, _SPHERE = 4, 9


def _wanted(types, positions, literals, yaw=0.0, room=0.0):
  slots = len(types)
  poses = avatar.Poses(
    object_pos=np.asarray([positions], np.float32),
    player_pos=np.zeros([1, 1, 3], np.float32),
    player_yaw=np.full([1, 1], yaw, np.float32),
    touching=np.zeros([1, slots + 1, slots + 1], bool),
  )
  return _jit_wanted(
    np.array([types], np.int32),
    poses,
    np.zeros([1, 1], np.float32),
    np.array([literals], np.int32),
    np.full([1, 2], room, np.float32),
  )


class WantedTest(absltest.TestCase):
  def test_players_look_at_all_in_view_and_objects_as_named(self):
    at = [[2, 0, 0.8], [-2, 0, 0.8], [3, 0, 0.8], [2.5, 0, 0.8]]
    sources, centres, sure, pairs = _wanted(
      [_CUBE, _CUBE, _SPHERE, 0], at, [[_SPHERE, _CUBE], [13, _CUBE], [0, 0]]
    )
    expected = np.zeros([5, 5], bool)
    expected[0, [1, 3]] = True  # Neither what is behind nor the empty slot.
    expected[3, [1, 2]] = True  # The sphere looks at both cubes.
    np.testing.assert_array_equal(pairs[0], expected)
    self.assertFalse(np.any(sure))  # Uneven ground may hide anything.
    np.testing.assert_allclose(sources[0, 0], [0, 0, constants.EYE_HEIGHT])
    np.testing.assert_allclose(
      centres[0, 0], [0, 0, constants.AVATAR_HEIGHT / 2]
    )
    np.testing.assert_allclose(sources[0, 1:], at)

  def test_nothing_is_tested_of_itself(self):
    _, _, _, pairs = _wanted(
      [_CUBE, _CUBE], [[-2, 0, 0], [-3, 0, 0]], [[_CUBE, _CUBE]]
    )
    np.testing.assert_array_equal(pairs[0], [[0, 0, 0], [0, 0, 1], [0, 1, 0]])

  def test_on_flat_ground_only_what_may_be_hidden_is_tested(self):
    # Along the heading, behind that, near the line to it, and far from it.
    at = [[2, 0, 0.2], [4, 0, 0.2], [3, 0.9, 0.2], [3, 1.5, 0.2]]
    _, _, sure, pairs = _wanted(
      [_CUBE] * 4, at, [[_CUBE, _CUBE], [0, 0]], room=5.0
    )
    np.testing.assert_array_equal(sure[0, 0], [0, 1, 0, 1, 1])
    np.testing.assert_array_equal(pairs[0, 0], [0, 0, 1, 0, 0])
    self.assertFalse(np.any(sure[0, 1:]))  # Between objects, all are tested,
    np.testing.assert_array_equal(pairs[0, 2], [0, 1, 0, 1, 1])  # as named.

  def test_what_is_outside_the_room_is_never_sure(self):
    _, _, sure, pairs = _wanted(
      [_CUBE] * 2, [[2, 0.5, 0.2], [2, -0.5, -0.2]], [[0, 0]], room=3.0
    )
    np.testing.assert_array_equal(sure[0, 0], [0, 1, 0])
    np.testing.assert_array_equal(pairs[0, 0], [0, 0, 1])
    _, _, sure, _ = _wanted([_CUBE], [[2, 0, 0.2]], [[0, 0]], room=1.9)
    self.assertFalse(np.any(sure))

  def test_sure_is_what_the_rays_would_tell(self):
    physics = cpu.CpuPhysics(32, 5, num_threads=1)
    rng = np.random.Generator(np.random.PCG64(0))
    floor = np.zeros((8, 8), int)
    scenes = [
      base.Scene(
        heights=floor,
        ramps=floor,
        slot_types=rng.integers(1, constants.NUM_OBJECT_TYPES + 1, 5),
        slot_at=np.c_[rng.uniform([0.8, -1.2], [2.8, 1.2], (5, 2)), [0.2] * 5],
        slot_yaw=rng.uniform(-3, 3, 5),
        slot_frozen=np.ones(5, bool),
        player_at=np.zeros((1, 3)),
      )
      for _ in range(32)
    ]
    physics.load(np.arange(32), scenes)
    state = physics.state()
    types = np.asarray([scene.slot_types for scene in scenes], np.int32)
    poses = avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )
    literals = np.zeros((32, 1, 2), np.int32)
    sources, centres, sure, pairs = map(
      np.asarray,
      _jit_wanted(
        types,
        poses,
        np.zeros((32, 1), np.float32),
        literals,
        np.full((32, 2), 4, np.float32),
      ),
    )
    asked = sure | pairs
    lines = sight.segments(sources, centres, asked)
    hits = physics.rays(lines.origins, lines.directions, lines.exclude)
    free = sight.unblocked(lines, hits)
    self.assertGreater(sure.sum(), 20)
    self.assertGreater((~free).sum(), 20)
    np.testing.assert_array_equal(free[sure[asked]], True)


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
    np.testing.assert_array_equal(sight.unblocked(lines, hits), [0, 1])

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
    free = sight.unblocked(lines, hits)
    np.testing.assert_array_equal(free, [True, False, True, True])


class AllLinesTest(absltest.TestCase):
  def test_lines_between_all_nodes_tell_the_same_as_segments(self):
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 3, (4, 5, 3)).astype(np.float32)
    points[0, 1] = points[0, 0]
    pairs = rng.random((4, 3, 5)) < 0.6
    pairs[0, 0, 1] = True
    distance = rng.uniform(-2, 6, (4, 15)).astype(np.float32)
    node = rng.integers(base.NODE_NONE, 5, (4, 15))
    lines = _jit_all_lines(points[:, :3], points)
    segments = sight.segments(points[:, :3], points, pairs)
    at = segments.env, segments.source * 5 + segments.target
    packed = segments.row, segments.column
    for name in ("origins", "directions", "exclude"):
      np.testing.assert_allclose(
        np.asarray(getattr(lines, name))[at],
        getattr(segments, name)[packed],
        atol=1e-6,
      )
    hits = base.RayHits(
      distance=np.zeros(segments.exclude.shape, np.float32),
      node=np.zeros(segments.exclude.shape, np.int32),
      normal=np.zeros(segments.origins.shape, np.float32),
    )
    hits.distance[packed], hits.node[packed] = distance[at], node[at]
    expected = np.zeros_like(pairs)
    expected[pairs] = sight.unblocked(segments, hits)
    found = _jit_free(lines, distance, node, pairs)
    np.testing.assert_array_equal(found, expected)
    self.assertGreater(expected.sum(), 5)
    self.assertGreater((pairs & ~expected).sum(), 5)


if __name__ == "__main__":
  absltest.main()
