"""Tests of adaland.envs.worlds.placement; scene_test has whole scenes."""

import numpy as np
from absl.testing import absltest

from adaland.envs.tasks.literals import parse_literal
from adaland.envs.tasks.task import (
  ObjectSpec,
  ObjectType,
  PlayerSpec,
  Task,
  World,
)
from adaland.envs.worlds import generation, placement

_CUBE = ObjectType.from_name("black cube")
_WALL = ObjectType.from_name("purple wall")


def _place(objects, goal="hold(player1, black cube)", tiles=(12, 12), seed=0):
  task = Task(
    world=World(tiles=tiles),
    objects=tuple(objects),
    players=(PlayerSpec(parse_literal(goal), at=(0.0, 0.0)),),
  )
  rng = np.random.default_rng(seed)
  xy, _ = placement.place_all(task, generation.make_terrain(task.world), rng)
  return xy


class PlaceAllTest(absltest.TestCase):
  def test_given_positions_are_kept(self):
    xy = _place([ObjectSpec(_CUBE, 2, ((1.5, -2.0), None)), ObjectSpec(_WALL)])
    self.assertEqual(xy.shape, (4, 2))
    np.testing.assert_array_equal(xy[:2], [[0, 0], [1.5, -2.0]])

  def test_what_must_not_hold_by_itself_starts_apart(self):
    for seed in range(5):
      xy = _place(
        [ObjectSpec(_CUBE), ObjectSpec(_WALL)],
        goal="near(black cube, purple wall)",
        seed=seed,
      )
      gaps = np.linalg.norm(xy[:, None] - xy, axis=-1)
      self.assertGreaterEqual(gaps[np.triu_indices(3, 1)].min(), 1.6)

  def test_what_shall_be_parted_starts_together(self):
    for seed in range(5):
      xy = _place(
        [ObjectSpec(_CUBE), ObjectSpec(_WALL)],
        goal="not near(black cube, purple wall)",
        seed=seed,
      )
      gap = float(np.linalg.norm(xy[1] - xy[2]))
      self.assertLess(gap, 1.0)
      # A cube's and a wall's bounding cylinders, 10 cm apart.
      least = np.hypot(0.2, 0.2) + np.hypot(0.08, 0.4) + 0.1
      self.assertGreaterEqual(gap, least - 1e-6)

  def test_the_draw_decides(self):
    objects = [ObjectSpec(_CUBE, 3)]
    np.testing.assert_array_equal(_place(objects), _place(objects))
    self.assertFalse(np.array_equal(_place(objects), _place(objects, seed=1)))

  def test_refuses_a_room_that_is_full(self):
    with self.assertRaisesRegex(
      ValueError,
      r"no room for black cube, number \d+ of 25 players and objects",
    ):
      _place([ObjectSpec(_CUBE, 24)], tiles=(3, 3))


if __name__ == "__main__":
  absltest.main()
