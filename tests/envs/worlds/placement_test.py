"""Tests of adaland.envs.worlds.placement; scene_test has whole scenes."""

import math
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks.literals import parse_literal, parse_rule
from adaland.envs.tasks.task import (
  ObjectSpec,
  ObjectType,
  PlayerSpec,
  Task,
  World,
)
from adaland.envs.worlds import generation, passages, placement

_CUBE = ObjectType.from_name("black cube")
_WALL = ObjectType.from_name("purple wall")
_HOLD = "hold(player1, black cube)"
_B, _P, _Y, _W = "black cube", "purple cube", "yellow cube", "black wall"


def _place(objects, goal="hold(player1, black cube)", tiles=(12, 12), seed=0):
  task = Task(
    world=World(tiles=tiles),
    objects=tuple(objects),
    players=(PlayerSpec(parse_literal(goal), at=(0.0, 0.0)),),
  )
  rng = np.random.default_rng(seed)
  xy, _ = placement.place_all(task, generation.make_terrain(task.world), rng)
  return xy


def _task(objects, rules=(), goal=_HOLD, **changes: Any):
  if "heights" not in changes:
    changes.setdefault("tiles", (10, 10))
  return Task.of(goal, objects, rules, **changes)


def _placed(task, seed):
  ground = generation.make_terrain(task.world)
  return placement.place_all(task, ground, np.random.default_rng(seed))


def _gaps(names, pairs, given=None, goal=False, seed=0):
  """Returns the distance of each pair at the start, metres.

  Args:
    names: The objects.
    pairs: Predicate and arguments of negated literals.
    given: Given positions by name.
    goal: If true, the only pair is the goal, otherwise each is a condition.
    seed: Seed of the positions that are drawn.
  """
  given = given or {}
  literals = [f"not {predicate}({a}, {b})" for predicate, a, b in pairs]
  task = Task(
    world=World(tiles=(10, 10)),
    objects=tuple(
      ObjectSpec(ObjectType.from_name(name), at=(given.get(name),))
      for name in names
    ),
    players=(
      PlayerSpec(
        parse_literal(literals[0] if goal else "hold(player1, black cube)"),
        at=given.get("player1"),
      ),
    ),
    rules=()
    if goal
    else tuple(parse_rule(f"{literal} -> nothing") for literal in literals),
  )
  rng = np.random.default_rng(seed)
  xy, _ = placement.place_all(task, generation.make_terrain(task.world), rng)
  at = dict(zip(["player1", *names], xy, strict=True))
  return [float(np.linalg.norm(at[a] - at[b])) for _, a, b in pairs]


class PlaceAllTest(parameterized.TestCase):
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

  @parameterized.parameters(
    ("near", _B, _W, "touching", _P, _Y, "near", _Y, _W),
    ("near", _B, _Y, "near", _P, _Y),
    ("near", _B, _Y, "near", _P, _Y, "near", _B, _P),
    ("touching", _B, _Y, "touching", _P, _Y),
    ("touching", _P, "player1", "near", "player1", _Y),
  )
  def test_a_type_may_be_in_several_negated_conditions(self, *conditions):
    pairs = list(zip(*(conditions[i::3] for i in range(3)), strict=True))
    for seed in range(3):
      gaps = _gaps([_B, _P, _Y, _W], pairs, seed=seed)
      self.assertLess(max(gaps), 1.0)
      for (predicate, _, b), gap in zip(pairs, gaps, strict=True):
        if predicate == "touching":
          # Half the depths of a cube and of the other, 0.4 mm apart.
          depth = 0.2 + (constants.AVATAR_RADIUS if b == "player1" else 0.2)
          self.assertAlmostEqual(gap, depth + 0.0004)

  @parameterized.parameters("player1", _P)
  def test_a_thin_body_is_touched_on_both_sides(self, other):
    # Their bounding cylinders would overlap.
    pairs = [("touching", _Y, _W), ("touching", other, _W)]
    depth = constants.AVATAR_RADIUS if other == "player1" else 0.2
    for seed in range(3):
      gaps = _gaps([_Y, _W, _P], pairs, seed=seed)
      np.testing.assert_allclose(gaps, [0.2804, 0.0804 + depth])

  def test_what_touches_a_player_does_not_overlap(self):
    rules = [f"not touching(player1, {x}) -> nothing" for x in (_P, _Y)]
    for seed in range(5):
      (player, *cubes), _ = _placed(_task([_P, _Y], rules), seed)
      gaps = [math.dist(player, cube) for cube in cubes]
      np.testing.assert_allclose(gaps, constants.AVATAR_RADIUS + 0.2004)
      self.assertGreaterEqual(math.dist(*cubes), 2 * np.hypot(0.2, 0.2))

  @parameterized.parameters(
    ([_B, _Y], "near", _B, _Y, {_Y: (1.0, 2.0)}),
    ([_Y, _B], "near", _B, _Y, {_Y: (1.0, 2.0)}),
    ([_B], "near", "player1", _B, {_B: (1.0, 2.0)}),
    ([_B], "touching", "player1", _B, {_B: (1.0, 2.0)}),
    ([_B], "near", "player1", _B, {"player1": (1.0, 2.0)}),
    ([_B], "near", "player1", _B, {}),
  )
  def test_either_body_may_have_a_position(self, names, *literal):
    *pair, given = literal
    for seed in range(3):
      [gap] = _gaps(names, [pair], given, goal=True, seed=seed)
      if "touching" in pair:
        self.assertAlmostEqual(gap, constants.AVATAR_RADIUS + 0.2 + 0.0004)
      self.assertLess(gap, 1.0)

  def test_what_must_not_be_seen_starts_together(self):
    for seed in range(3):
      [gap] = _gaps([_B, _W], [("see", _B, _W)], goal=True, seed=seed)
      self.assertLess(gap, 1.0)

  def test_a_literal_that_is_not_negated_comes_first(self):
    rules = ["near(black cube, black wall)", "not near(black wall, black cube)"]
    for seed in range(5):
      xy, _ = _placed(_task([_B, _W], [f"{x} -> nothing" for x in rules]), seed)
      self.assertGreaterEqual(math.dist(xy[1], xy[2]), 1.6)

  def test_objects_start_away_from_both_players(self):
    task = _task([_B, _Y], goal=[_HOLD, _HOLD])
    for seed in range(10):
      xy, _ = _placed(task, seed)
      gaps = np.linalg.norm(xy[:2, None] - xy[2:], axis=-1)
      self.assertGreaterEqual(gaps.min(), 1.6)

  def test_an_object_at_a_given_position_is_touched_along_x(self):
    # Such objects face +x; at the arena's edge only one side is free.
    for x, side in ((0.0, None), (4.6, -1.0), (-4.6, 1.0)):
      rules = ["not touching(black wall, black cube) -> nothing"]
      wall = {"type": _W, "at": [[x, 1.0]]}
      sides = set()
      for seed in range(5):
        xy, _ = _placed(_task([wall, _B], rules), seed)
        np.testing.assert_allclose(abs(xy[2] - xy[1]), [0.2804, 0], atol=1e-9)
        sides.add(np.sign(xy[2, 0] - xy[1, 0]))
      self.assertTrue(side is None or sides == {side})

  def test_three_in_contact_are_in_line(self):
    rules = [
      "not touching(purple cube, yellow cube) -> nothing",
      "not touching(yellow cube, black cube) -> nothing",
    ]
    for seed in range(5):
      xy, facing = _placed(_task([_P, _Y, _B], rules), seed)
      for i, j in ((1, 2), (2, 3)):
        along = (xy[j] - xy[i]) / np.linalg.norm(xy[j] - xy[i])
        for body in (i, j):
          ahead = np.cos(facing[body]), np.sin(facing[body])
          self.assertAlmostEqual(abs(along @ ahead), 1.0)

  @parameterized.parameters("near", "touching")
  def test_what_starts_together_is_on_one_level(self, predicate):
    # The player stands on the upper level, 35 cm from the edge.
    task = _task(
      [_B],
      goal=f"not {predicate}(player1, black cube)",
      at=(0.35, 0.0),
      heights=[[0] * 6] * 3 + [[1] * 6] * 3,
    )
    for seed in range(10):
      xy, _ = _placed(task, seed)
      self.assertLess(math.dist(xy[1], xy[0]), 1.0)
      # The cube's corners are 28 cm from its centre, with 5 cm to spare.
      self.assertGreaterEqual(xy[1, 0], np.hypot(0.2, 0.2) + 0.05)

  def test_bodies_keep_clear_of_each_other_and_of_the_wall(self):
    task = _task([{"type": _B, "count": 8}], tiles=(4, 5))
    radii = np.array([constants.AVATAR_RADIUS, *[np.hypot(0.2, 0.2)] * 8])
    for seed in range(5):
      xy, _ = _placed(task, seed)
      gaps = np.linalg.norm(xy[:, None] - xy, axis=-1)
      room = gaps - radii[:, None] - radii
      self.assertGreaterEqual(room[np.triu_indices(9, 1)].min(), 0.1 - 1e-6)
      inside = np.array([2.0, 2.5]) - abs(xy) - radii[:, None]
      self.assertGreaterEqual(inside.min(), 0.05 - 1e-9)

  def test_a_room_is_filled_to_the_last_tile(self):
    xy = _place([ObjectSpec(_WALL, 24)], tiles=(5, 5))
    self.assertLen(set(map(tuple, np.floor(xy + 2.5))), 25)

  def test_objects_are_where_the_player_can_go(self):
    # The player is on an island, which is smaller than the ground around it.
    heights = [[0, 0, 0, 0, 3, 3, 3]] * 3
    task = _task([_B], heights=heights, at=(0.0, 2.5))
    for seed in range(5):
      xy, _ = _placed(task, seed)
      self.assertGreater(xy[1, 1], 0.5)

  def test_frozen_objects_leave_a_corridor_free(self):
    heights = [[0, 0, 3, 3, 3, 3, 0, 0], [0] * 8]
    wall = {"type": _W, "frozen": True}
    task = _task([_B, wall], heights=heights)
    ground = generation.make_terrain(task.world)
    radius = np.array([np.hypot(0.08, 0.4)])
    for seed in range(10):
      xy, _ = _placed(task, seed)
      self.assertFalse(passages.divides(ground, xy[0], xy[2:], radius))

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
