"""Tests of adaland.envs.tasks.parts; task_test tests them together."""

from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks import parts
from adaland.envs.tasks.literals import ObjectType, parse_literal

_CUBE = ObjectType.from_name("black cube")


class WorldTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"seed": -1}, "world.seed is -1, allowed: 0 to 2147483647"),
    ({"seed": True}, "world.seed is True, allowed: a whole number"),
    ({"tiles": (8,)}, "world.tiles is .8,., allowed: two numbers"),
    ({"tiles": (8, 21)}, "world.tiles along y is 21, allowed: 2 to 20"),
    ({"tiles": (1, 8)}, "world.tiles along x is 1"),
    ({"levels": 0}, "world.levels is 0, allowed: 1 to 4"),
    ({"levels": 5}, "world.levels is 5, allowed: 1 to 4"),
    ({"walls": -1}, "world.walls is -1, allowed: 0 to 8"),
    ({"walls": 9}, "world.walls is 9, allowed: 0 to 8"),
    ({"diagonals": 9}, "world.diagonals is 9, allowed: 0 to 8"),
    (
      {"tiles": (2, 2), "heights": ((0, 0),) * 2, "diagonals": 1},
      "world.diagonals is 1, allowed: 0 with world.heights",
    ),
    (
      {"tiles": (2, 2), "heights": ((0, 0), (0,))},
      r"world.heights has 2 columns of \[1, 2\] tiles, .* 2 of 2",
    ),
    (
      {"tiles": (2, 2), "heights": ((0, 0), (0, 1))},
      "a level in world.heights is 1, allowed: 0 to 0",
    ),
  )
  def test_refuses(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      parts.World(**fields)

  def test_the_ends_of_the_ranges_are_allowed(self):
    least = parts.World(0, (2, 2), levels=1, walls=0, diagonals=0)
    self.assertEqual(least, parts.World(tiles=(2, 2)))
    most = parts.World(2**31 - 1, (20, 20), levels=4, walls=8, diagonals=8)
    self.assertEqual((most.levels, most.walls, most.diagonals), (4, 8, 8))


class ObjectSpecTest(absltest.TestCase):
  def test_positions_are_drawn_unless_given(self):
    self.assertEqual(parts.ObjectSpec(_CUBE, 3).at, (None, None, None))
    given = parts.ObjectSpec(_CUBE, 2, ((0.5, 1.0), None))
    self.assertEqual(given.at, ((0.5, 1.0), None))

  def test_equal_positions_have_one_spelling(self):
    spellings: tuple[Any, ...] = (
      (-0.0, 1),
      (np.float64(0.0), np.int64(1)),
      (0, 1.0),
    )
    for given in spellings:
      with self.subTest(given):
        self.assertEqual(
          repr(parts.ObjectSpec(_CUBE, 1, (given,)).at), "((0.0, 1.0),)"
        )

  def test_refuses(self):
    most = constants.MAX_OBJECTS
    cases: tuple[tuple[int, Any, str], ...] = (
      (0, (), f"count of black cube is 0, allowed: 1 to {most}"),
      (most + 1, (), f"count of black cube is {most + 1}"),
      (2, (None,), "black cube has 1 positions, allowed: .* its count, 2"),
      (1, ((0.0, float("nan")),), "position of black cube is .*two finite"),
      (1, ((0.0, 1.0, 2.0),), "position of black cube is .*two finite"),
      (1, (0.5,), "position of black cube is 0.5, .*two finite"),
      (1, ("12",), 'position of black cube is "12", .*two finite'),
    )
    for count, at, message in cases:
      with self.assertRaisesRegex(ValueError, message):
        parts.ObjectSpec(_CUBE, count, at)

  def test_frozen_is_a_bool(self):
    given: tuple[Any, ...] = ("no", None, 1, np.bool_(True))
    for frozen in given:
      with self.assertRaisesRegex(
        ValueError, "frozen of black cube is .*, allowed: True or False"
      ):
        parts.ObjectSpec(_CUBE, frozen=frozen)


class PlayerAndHidingTest(absltest.TestCase):
  def test_a_player_starts_somewhere(self):
    goal = parse_literal("hold(player1, black cube)")
    self.assertIsNone(parts.PlayerSpec(goal).at)
    with self.assertRaisesRegex(ValueError, "position of a player is .*inf"):
      parts.PlayerSpec(goal, (0.0, float("inf")))

  def test_hidden_rules_are_sorted(self):
    self.assertEqual(parts.Hiding(rules=(3, 1, 2)).rules, (1, 2, 3))

  def test_hiding_refuses(self):
    cases: tuple[tuple[dict[str, Any], str], ...] = (
      ({"rules": (1, 1)}, "hidden rules are 1, 1, allowed: each once"),
      ({"rules": (0,)}, "a hidden rule is 0, allowed: 1 to 16"),
      ({"rules": (17,)}, "a hidden rule is 17, allowed: 1 to 16"),
      ({"objects": (_CUBE, _CUBE)}, "hidden objects are black cube, black"),
      ({"predicates": ("at",)}, "hidden predicate is 'at', allowed: touching"),
    )
    for fields, message in cases:
      with self.assertRaisesRegex(ValueError, message):
        parts.Hiding(**fields)


if __name__ == "__main__":
  absltest.main()
