"""Tests for the positions of new objects."""

import functools

import jax
import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs import constants, shapes
from adaland.envs.game import spawning
from adaland.envs.tasks.literals import ObjectType
from adaland.envs.worlds import scene

_SLOTS = 8
_CUBE = ObjectType.from_name("black cube").type_id
_WALL = ObjectType.from_name("purple wall").type_id


def _ground(heights):
  heights = np.asarray(heights, np.int32)
  padded = np.zeros([constants.MAX_TILES] * 2, np.int32)
  padded[: heights.shape[0], : heights.shape[1]] = heights
  return padded, np.zeros_like(padded), np.asarray(heights.shape, np.int32)


@functools.partial(jax.jit)
def _place(spawned, types, origin, positions, player, terrain):
  return spawning.place(spawned, types, origin, positions, player, terrain)


def _run(new, origin, others=(), player=(9, 9, 0), heights=None):
  """Places types `new` at `origin`; `others` is [(type, position), ...]."""
  types = np.zeros([_SLOTS], np.int32)
  positions = np.zeros([_SLOTS, 3], np.float32)
  spawned = np.zeros([_SLOTS], bool)
  types[: len(new)] = new
  spawned[: len(new)] = True
  for i, (type_id, at) in enumerate(others, start=len(new)):
    types[i], positions[i] = type_id, at
  origins = np.tile(np.asarray(origin, np.float32), (_SLOTS, 1))
  terrain = _ground(np.zeros([8, 8]) if heights is None else heights)
  player = np.asarray([player], np.float32)
  found = _place(spawned, types, origins, positions, player, terrain)
  return types, np.asarray(found)


class PlaceTest(absltest.TestCase):
  def test_a_single_object_stands_at_the_mean_position(self):
    _, found = _run([_CUBE], [1, 2, 0.1])
    height = shapes.CUBE.centre_height + 0.02
    np.testing.assert_allclose(found[0], [1, 2, height], atol=1e-6)

  def test_stays_in_the_air_at_a_mean_position_in_the_air(self):
    _, found = _run([_CUBE], [1, 2, 1.3])
    np.testing.assert_allclose(found[0], [1, 2, 1.3], atol=1e-6)

  def test_others_do_not_move(self):
    _, found = _run([_CUBE], [1, 2, 0], others=[(_WALL, [1, 2, 0.25])])
    np.testing.assert_array_equal(found[1], [1, 2, 0.25])
    apart = float(np.linalg.norm(found[0, :2] - found[1, :2]))
    self.assertGreater(apart, 0.3)

  def test_inside_the_arena_and_on_top_of_its_ground(self):
    heights = np.zeros([4, 4])
    heights[3] = 2
    _, found = _run([_CUBE], [5, 0.4, 0], heights=heights)
    self.assertLess(found[0, 0] + shapes.CUBE.half_extents[0], 2)
    self.assertGreaterEqual(
      found[0, 2], 2 * constants.LEVEL_METRES + shapes.CUBE.centre_height
    )

  @settings(max_examples=60, deadline=None)
  @given(
    new=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    others=st.lists(st.integers(1, 12), max_size=4),
    seed=st.integers(0, 2**32 - 1),
  )
  def test_out_of_contact(self, new, others, seed):
    rng = np.random.default_rng(seed)
    origin = [*rng.uniform(-4, 4, 2), 0.2]
    heights = rng.integers(0, 3, [8, 8])
    player = [*(origin[:2] + rng.uniform(-1, 1, 2)), 0]
    placed = [
      (t, rng.uniform([-1, -1, 0], 1) + np.asarray(origin)) for t in others
    ]
    types, found = _run(new, origin, placed, player, heights)
    radius = [
      shapes.shape_of_type(t).bounding_radius if t else 0 for t in types
    ]
    for i in range(len(new)):
      for j in range(len(new) + len(others)):
        if i != j:
          apart = float(np.linalg.norm(found[i] - found[j]))
          self.assertGreater(apart, radius[i] + radius[j])
      beside = np.linalg.norm(found[i, :2] - player[:2]) - radius[i]
      above = found[i, 2] - radius[i] - constants.AVATAR_HEIGHT
      self.assertTrue(beside > constants.AVATAR_RADIUS or above > 0)
      ground = scene.surface_height(
        heights, np.zeros_like(heights), found[i, :2]
      )
      self.assertGreater(
        found[i, 2], ground + shapes.shape_of_type(types[i]).centre_height
      )


if __name__ == "__main__":
  absltest.main()
