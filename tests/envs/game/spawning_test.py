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
from adaland.envs.worlds import regions, scene

_SLOTS = 8
_CUBE = ObjectType.from_name("black cube").type_id
_WALL = ObjectType.from_name("purple wall").type_id
_BALL = ObjectType.from_name("yellow sphere").type_id


def _ground(heights, start):
  heights = np.asarray(heights, np.int32)
  padded = np.zeros([2] + [constants.MAX_TILES] * 2, np.int32)
  window = np.s_[: heights.shape[0], : heights.shape[1]]
  flat = np.zeros_like(heights)
  padded[0][window] = heights
  padded[1][window] = regions.reachable(heights, flat, np.asarray([start]))
  tiles = np.asarray(heights.shape, np.int32)
  return padded[0], np.zeros_like(padded[0]), tiles, padded[1]


@functools.partial(jax.jit)
def _place(spawned, types, origin, positions, player, ground):
  return spawning.place(spawned, types, origin, positions, player, ground)


def _run(
  new, origin, others=(), player=(9, 9, 0), heights=None, far=(-9, -9, 0)
):
  """Places types `new` at `origin`; `others` is [(type, position), ...].

  There are two players, one of them farther away.
  """
  types = np.zeros([_SLOTS], np.int32)
  positions = np.zeros([_SLOTS, 3], np.float32)
  spawned = np.zeros([_SLOTS], bool)
  types[: len(new)] = new
  spawned[: len(new)] = True
  for i, (type_id, at) in enumerate(others, start=len(new)):
    types[i], positions[i] = type_id, at
  origins = np.tile(np.asarray(origin, np.float32), (_SLOTS, 1))
  heights = np.zeros([8, 8]) if heights is None else heights
  ground = _ground(heights, player[:2])
  players = np.asarray([far, player], np.float32)
  found = _place(spawned, types, origins, positions, players, ground)
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
    _, found = _run([_CUBE], [5, 0.4, 0], player=(1.5, 0, 1), heights=heights)
    self.assertLess(found[0, 0] + shapes.CUBE.half_extents[0], 2)
    self.assertGreaterEqual(
      found[0, 2], 2 * constants.LEVEL_METRES + shapes.CUBE.centre_height
    )

  def test_a_ball_stays_inside_the_arena(self):
    _, found = _run([_BALL], [9, 0, 0.24])
    np.testing.assert_allclose(found[0], [4 - 0.22 - 0.02, 0, 0.24], atol=1e-6)

  def test_a_thin_wall_fits_between_player_and_cause(self):
    _, found = _run([_WALL], [0.45, 0, 0.2], player=(-0.25, 0, 0))
    np.testing.assert_allclose(found[0], [0.45, 0, 0.27], atol=1e-6)

  def test_on_the_far_side_and_near_where_the_cause_was(self):
    for angle in np.linspace(-3, 3, 7):
      way = np.asarray([np.cos(angle), np.sin(angle), 0])
      origin = 0.1 * way + np.asarray([1.5, 1, 0.2])
      types, found = _run(
        [_CUBE] * 3, origin, player=(1.5, 1, 0), far=(-1.5, -1, 0)
      )
      first = found[0] - origin
      np.testing.assert_allclose(first[:2], 0.5 * way[:2], atol=1e-6)
      for i in np.flatnonzero(types):
        away = float(np.linalg.norm(found[i, :2] - origin[:2]))
        self.assertLess(away, 1.0)

  def test_not_on_ground_that_no_player_can_reach(self):
    heights = np.zeros([6, 6])
    heights[4:] = 2
    _, found = _run(
      [_WALL, _WALL], [0.8, 0, 0.2], player=(-0.25, 0, 0), heights=heights
    )
    for at in found[:2]:
      self.assertLess(at[0] + shapes.WALL.half_extents[0], 1.0)
      self.assertLess(at[2], 0.5)

  def test_on_the_level_of_the_cause_where_there_is_room(self):
    heights = np.zeros([6, 6])
    heights[2:] = 1
    for origin, low in (([-1.1, 0, 0.2], True), ([-0.9, 0, 0.7], False)):
      player = (2.5, 2.5, 0.5)  # Reaches the lower tiles too.
      _, found = _run([_CUBE], origin, player=player, heights=heights)
      self.assertEqual(found[0, 2] < 0.4, low)
      self.assertEqual(found[0, 0] + 0.2 < -1.0, low)

  def test_away_from_unreachable_ground_of_the_same_level(self):
    heights = np.zeros([6, 6])
    heights[4] = 2  # From x = 1 m to 2 m.
    origin = [2.3, 0, 0.2]
    _, found = _run([_CUBE], origin, player=(-0.25, 0, 0), heights=heights)
    np.testing.assert_allclose(found[0], [0.55, 0, 0.22], atol=1e-6)

  def test_not_above_a_lower_level_while_there_is_room(self):
    heights = np.zeros([6, 6])
    heights[2:] = 1
    origin = [-0.8, 0, 0.72]  # The ground is lower on the far side.
    _, found = _run(
      [_CUBE],
      origin,
      others=[(_BALL, origin)],
      player=(2.5, 0, 0.5),
      heights=heights,
    )
    self.assertAlmostEqual(found[0, 0], -0.8, places=5)

  def test_where_a_later_one_has_no_position_yet(self):
    _, found = _run([_BALL, _BALL], [0, 0, 0.24])
    np.testing.assert_allclose(found[0], [0, 0, 0.24], atol=1e-6)

  def test_below_a_player_in_the_air(self):
    _, found = _run([_CUBE], [0, 0, 0.22], player=(0, 0, 1))
    np.testing.assert_allclose(found[0], [0, 0, 0.22], atol=1e-6)

  def test_next_to_the_sphere_around_an_object(self):
    away = shapes.SPHERE.half_extents[0] + shapes.CUBE.bounding_radius + 0.02
    _, found = _run([_BALL], [0, 0, 0.24], others=[(_CUBE, [away, 0, 0.24])])
    np.testing.assert_allclose(found[0], [0, 0, 0.24], atol=1e-6)

  def test_higher_up_where_the_ground_is_full(self):
    """A room of 1 x 1 m, filled by an object that counts as a sphere."""
    _, found = _run(
      [_CUBE], [0, 0, 0.3], others=[(_WALL, [0, 0, 0.3])], heights=[[0]]
    )
    np.testing.assert_allclose(found[0], [0, 0, 1.5], atol=1e-6)

  def test_the_clearest_position_where_all_are_in_contact(self):
    walls = [(_WALL, [0, 0, 0.3 + 0.6 * i]) for i in range(7)]
    _, found = _run([_CUBE], [0, 0, 0.3], others=walls, heights=[[0]])
    np.testing.assert_allclose(found[0], [0, 0, 4.5], atol=1e-6)

  def test_on_top_of_a_pile_that_leaves_no_other_room(self):
    pile = [(_BALL, [0, 0, z]) for z in (0.2, 0.7, 1.2, 1.7, 2.2)]
    _, found = _run([_BALL], [0, 0, 0.2], pile, heights=np.zeros([1, 1]))
    away = np.linalg.norm(found[1:6] - found[0], axis=-1)
    self.assertGreater(away.min(), 2 * shapes.SPHERE.half_extents[0])

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
    # New objects are boxes or balls that face +x, the others any pose.
    half, ball = np.zeros([_SLOTS, 3]), np.zeros(_SLOTS)
    for i, type_id in enumerate(types[: len(new) + len(others)]):
      shape = shapes.shape_of_type(type_id)
      if i >= len(new):
        ball[i] = shape.bounding_radius
      elif shape is shapes.SPHERE:
        ball[i] = shape.half_extents[0]
      else:
        half[i] = *shape.half_extents[:2], shape.centre_height
    for i in range(len(new)):
      for j in range(len(new) + len(others)):
        if i != j:
          apart = np.abs(found[i] - found[j]) - half[i] - half[j]
          apart = np.linalg.norm(np.maximum(apart, 0))
          self.assertGreater(apart, ball[i] + ball[j])
      beside = np.maximum(np.abs(found[i, :2] - player[:2]) - half[i, :2], 0)
      beside = np.linalg.norm(beside) - ball[i]
      above = found[i, 2] - half[i, 2] - ball[i] - constants.AVATAR_HEIGHT
      self.assertTrue(beside > constants.AVATAR_RADIUS or above > 0)
      surface = scene.surface_height(
        heights, np.zeros_like(heights), found[i, :2]
      )
      self.assertGreater(
        found[i, 2], surface + shapes.shape_of_type(types[i]).centre_height
      )


if __name__ == "__main__":
  absltest.main()
