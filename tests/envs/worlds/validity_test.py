"""Tests of tasks that are not valid in their world."""

from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.tasks import probes
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import scene, validity

_CUBE = "black cube"
# Two steps up without room for a ramp; the player starts on the low ground.
_BLOCK = [[0] * 5, [0] * 5, [2] * 5, [2] * 5, [2] * 5]
_LOW = (-2.0, 0.0)


def _task(goal, at, heights=_BLOCK, frozen=False, **changes):
  cube = {"type": _CUBE, "at": [at], "frozen": frozen}
  return Task.of(goal=goal, objects=[cube], heights=heights, at=_LOW, **changes)


class CheckTest(parameterized.TestCase):
  @parameterized.parameters(*probes.names())
  def test_probes_pass(self, name):
    validity.check(probes.load(name))

  @parameterized.parameters(
    ("hold(player1, black cube)", (2.2, 0.0), "no player can reach any"),
    ("near(player1, black cube)", (2.2, 0.0), "no player can get near any"),
  )
  def test_ground_out_of_reach(self, goal, at, reason):
    with self.assertRaisesRegex(
      ValueError, rf"players\[0\].goal is .*, which can never hold: {reason}"
    ):
      validity.check(_task(goal, at))
    ramp = [[0] * 5, [0] * 5, [1] * 5, [1] * 5, [2] * 5]  # A ramp each.
    validity.check(_task(goal, at, heights=ramp))

  def test_what_stands_at_the_edge_is_in_the_hand_s_reach(self):
    validity.check(_task("hold(player1, black cube)", (-0.2, 0.0)))
    with self.assertRaisesRegex(ValueError, "every black cube is frozen"):
      validity.check(
        _task("hold(player1, black cube)", (-0.2, 0.0), frozen=True)
      )

  def test_the_second_player_s_goal(self):
    goals = ["hold(player1, black cube)", "near(player2, black wall)"]
    with self.assertRaisesRegex(ValueError, r"players\[1\].*no black wall"):
      validity.check(Task.of(goal=goals, objects=[_CUBE]))

  def test_no_room(self):
    with self.assertRaisesRegex(ValueError, "no room"):
      validity.check(
        Task.of(
          goal="near(player1, black wall)",
          objects=[{"type": "black wall", "count": 24}],
          tiles=(3, 3),
        )
      )


# A corridor of 7 m by 2 m; the player is at one end.
_CORRIDOR = [[0, 0]] * 7
_ACROSS = ((0, 0.45), (0, -0.45))
_HOLD = "hold(player1, yellow cube)"


def _corridor(blocks, kind="black wall", frozen=True, goal=_HOLD, **changes):
  """Returns a task in which things stand between a player and a cube."""
  objects = [
    {"type": kind, "at": blocks, "frozen": frozen},
    {"type": "yellow cube", "at": [changes.pop("cube", (3, 0))]},
    *changes.pop("more", ()),
  ]
  options: Any = {"heights": _CORRIDOR, "at": (-3, 0)} | changes
  return Task.of(goal=goal, objects=objects, **options)


def _frozen(kind, *at):
  return {"type": kind, "at": at, "frozen": True}


def _free(kind, *at):
  return {"type": kind, "at": at}


class BarrierTest(parameterized.TestCase):
  def test_the_obstacles_are_named_and_what_they_block(self):
    message = (
      "players[0].goal is 'hold(player1, yellow cube)', which can never hold: "
      "the frozen black wall at (0.00, 0.45) and the frozen black wall at "
      "(0.00, -0.45) block the way to the yellow cube, and no player can reach "
      "any yellow cube"
    )
    with self.assertRaises(ValueError) as error:
      validity.check(_corridor(_ACROSS, more=[_frozen("black cube", (-2, 0))]))
    self.assertEqual(str(error.exception), message)

  @parameterized.named_parameters(
    ("cubes", ((0, 0.64), (0, 0), (0, -0.64)), "black cube", {}),
    ("spheres", ((0, 0.62), (0, 0), (0, -0.62)), "black sphere", {}),
    (
      "walls_side_by_side",
      ((0, 0.6), (0, 0.3), (0, -0.1), (0, -0.6)),
      "black wall",
      {},
    ),
    (
      "what_a_rule_needs",
      _ACROSS,
      "black wall",
      {
        "goal": "near(player1, black sphere)",
        "rules": ["near(player1, yellow cube) -> black sphere"],
      },
    ),
    (
      "a_rule_that_can_t_fire_does_not_help",
      _ACROSS,
      "black wall",
      {"rules": ["touching(yellow cube, black wall) -> nothing"]},
    ),
    (
      "free_cubes",
      _ACROSS,
      "black wall",
      {"more": [_free("black cube", (-2, 0))]},
    ),
    (
      "slopes_behind",
      _ACROSS,
      "black wall",
      {
        "more": [
          _frozen("black pyramid", (1.2, 0)),
          _free("black wall", (3, 0.6)),
        ]
      },
    ),
    (
      "higher_ground_far_away",
      ((1, 0.45), (1, -0.45)),
      "black wall",
      {"heights": [[1, 1], *[[0, 0]] * 6]},
    ),
    (
      "higher_ground_behind",
      ((-1.5, 0.45), (-1.5, -0.45)),
      "black wall",
      {"heights": [*[[0, 0]] * 4, *[[1, 1]] * 3]},
    ),
    (
      "a_bend",
      ((0, -1),),
      "black cube",
      {
        "heights": [[0, 0, 0], [0, 3, 3], [0, 3, 3], [0, 0, 0], [0, 0, 0]],
        "at": (-2, 1),
        "cube": (2, 1),
      },
    ),
  )
  def test_ways_that_are_blocked(self, blocks, kind, changes):
    with self.assertRaisesRegex(ValueError, "block.* the way to"):
      validity.check(_corridor(blocks, kind, **changes))

  @parameterized.named_parameters(
    ("beside_a_wall", ((0, 0.45),), "black wall", {}),
    ("between_cubes", ((0, 0.45), (0, -0.45)), "black cube", {}),
    ("between_spheres", ((0, 0.46), (0, -0.46)), "black sphere", {}),
    ("over_pyramids", ((0, 0.5), (0, 0), (0, -0.5)), "black pyramid", {}),
    ("free_walls", _ACROSS, "black wall", {"frozen": False}),
    ("within_reach", _ACROSS, "black wall", {"cube": (1.4, 0)}),
    (
      "near",
      _ACROSS,
      "black wall",
      {"cube": (0.6, 0), "goal": "near(player1, yellow cube)"},
    ),
    (
      "fetched_over_the_walls",
      _ACROSS,
      "black wall",
      {"cube": (1.4, 0), "goal": "touching(player1, yellow cube)"},
    ),
    (
      "walls_that_vanish",
      _ACROSS,
      "black wall",
      {"rules": ["near(player1, black wall) -> nothing"]},
    ),
    (
      "a_rule_s_cube",
      _ACROSS,
      "black wall",
      {
        "rules": ["near(player1, black cube) -> yellow cube"],
        "more": [_free("black cube", (-2, 0))],
      },
    ),
    (
      "over_a_free_pyramid",
      _ACROSS,
      "black wall",
      {"more": [_free("black pyramid", (-2, 0))]},
    ),
    (
      "over_a_rule_s_wall",
      _ACROSS,
      "black wall",
      {
        "rules": ["near(player1, black cube) -> purple wall"],
        "more": [_free("black cube", (-2, 0))],
      },
    ),
    (
      "over_a_frozen_pyramid",
      _ACROSS,
      "black wall",
      {"more": [_frozen("black pyramid", (-0.5, 0))]},
    ),
    (
      "from_a_ledge",
      _ACROSS,
      "black wall",
      {"heights": [*[[1, 1]] * 2, *[[0, 0]] * 5]},
    ),
    (
      "from_a_ledge_over_cubes",
      ((1, 0.45), (1, -0.45)),
      "black wall",
      {
        "heights": [[1, 1], *[[0, 0]] * 6],
        "more": [_free("black cube", (-2, 0))],
      },
    ),
    (
      "the_other_player",
      _ACROSS,
      "black wall",
      {"goal": [_HOLD, "near(player2, player1)"], "at": [(-3, 0), (2, 0)]},
    ),
  )
  def test_ways_that_are_open(self, blocks, kind, changes):
    validity.check(_corridor(blocks, kind, **changes))


class InstancesTest(absltest.TestCase):
  """The cubes' centres are 0.2 m above the ground.

  Without slack, `near` reaches 1 m from a player's middle, 0.5 m above its
  feet, and the hand 2 m from its eyes, 0.85 m above them. The slack is 5 cm.
  """

  def _instances(self, heights, cubes, players, frozen=False):
    goal = "hold(player1, black cube)"
    objects = [
      {"type": "yellow cube", "at": [cubes[0]], "frozen": frozen},
      *({"type": _CUBE, "at": [at]} for at in cubes[1:]),
    ]
    task = Task.of(
      goal=[goal] * len(players), objects=objects, heights=heights, at=players
    )
    start = scene.build_scene(task, len(cubes) + 1, len(players))
    return validity.instances(start)

  def test_what_is_near_or_in_reach_of_a_cliff_s_foot(self):
    # The cliff is at x = -0.5; its top is 1 m above the player's ground.
    # Near: 0.7 m up and 0.78 m away; in reach: 0.35 m up and 2.02 m away.
    found = self._instances(
      _BLOCK, [(0.26, -2), (0.3, -1), (1.5, 0), (1.54, 1)], [_LOW]
    )
    self.assertEqual([x.near for x in found], [True, False, False, False])
    self.assertEqual([x.in_reach for x in found], [True, True, True, False])
    at: Any = found[3].at
    np.testing.assert_allclose(at, (1.54, 1, 1.2))

  def test_a_ramp_is_ground_up_to_its_top(self):
    # A path with a ramp below a wall of 1.5 m, whose foot is at y = -1.
    heights = [[0, 3, 3, 3], [0, 3, 3, 3], *[[1, 3, 3, 3]] * 3]
    # In reach of the ramp's top, at x = -1: 0.35 m up and 2.02 m away.
    found = self._instances(
      heights, [(-1.3, 1.0), (-0.7, 1.05), (-2.0, 0.98)], [(-2.0, -1.5)]
    )
    self.assertEqual([x.in_reach for x in found], [True, False, False])

  def test_any_player_may_be_near(self):
    island = [[0] * 3, [0] * 3, [3] * 3, [3] * 3, [0] * 3, [0] * 3]
    at = [(-2.0, 0.0), (2.0, 0.0)]
    cubes = [(-2.5, 1.0), (2.5, 1.0)]
    alone = self._instances(island, cubes, at[:1], frozen=True)
    self.assertEqual([x.near for x in alone], [True, False])
    both = self._instances(island, cubes, at, frozen=True)
    self.assertEqual([x.near for x in both], [True, True])
    self.assertEqual([x.frozen for x in both], [True, False])
    self.assertEqual([x.type.name for x in both], ["yellow cube", "black cube"])


if __name__ == "__main__":
  absltest.main()
