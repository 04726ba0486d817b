"""Tests of adaland.envs.tasks.task."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.game import clocks
from adaland.envs.tasks import json_files
from adaland.envs.tasks.literals import (
  ObjectType,
  Rule,
  parse_literal,
  parse_rule,
)
from adaland.envs.tasks.task import (
  Hiding,
  ObjectSpec,
  PlayerSpec,
  Task,
  World,
)
from adaland.envs.worlds import scene

BLACK_CUBE = ObjectType.from_name("black cube")
GOAL = parse_literal("hold(player1, black cube)")
RULE = parse_rule("near(player1, black cube) -> yellow wall")
TASK = Task(
  world=World(seed=4, tiles=(5, 6)),
  objects=(ObjectSpec(BLACK_CUBE, 2, ((1.5, -2.0), None)),),
  players=(PlayerSpec(GOAL),),
  rules=(RULE,),
  hiding=(Hiding(rules=(1,), objects=(BLACK_CUBE,)),),
  name="example",
)


class TaskTest(parameterized.TestCase):
  @parameterized.parameters((20.0, 150), (2.0, 15), (40.0, 300), (10.1, 76))
  def test_trial_steps(self, seconds, steps):
    task = dataclasses.replace(TASK, trial_seconds=seconds)
    self.assertEqual(task.trial_steps, steps)
    self.assertEqual(task.trial_seconds, steps * 2 / 15)

  def test_defaults_are_filled_in(self):
    task = Task(World(), (ObjectSpec(BLACK_CUBE, 3),), (PlayerSpec(GOAL),))
    self.assertEqual(task.objects[0].at, (None, None, None))
    self.assertEqual(task.hiding, (Hiding(),))
    self.assertEqual(task.num_objects, 3)

  def test_lists_make_the_same_task_as_tuples(self):
    def make(kind):
      return Task(
        World(tiles=kind([2, 3]), heights=kind([kind([0] * 3)] * 2)),
        objects=kind([ObjectSpec(BLACK_CUBE, 2, kind([kind([0, 0]), None]))]),
        players=kind([PlayerSpec(GOAL)]),
        rules=kind([Rule(RULE.condition, kind(RULE.spawns))]),
        hiding=kind(
          [Hiding(kind([1]), objects=kind([BLACK_CUBE]), predicates=kind([]))]
        ),
      )

    task, expected = make(list), make(tuple)
    self.assertEqual(task, expected)
    self.assertEqual(hash(task), hash(expected))
    self.assertEqual(clocks.task_key(task), clocks.task_key(expected))
    self.assertIs(scene.build_scene(task, 4), scene.build_scene(expected, 4))

  @parameterized.parameters(
    ({"trials": 0}, "trials is 0, allowed: 1 to 48"),
    ({"trials": True}, "trials is True, allowed: a whole number"),
    ({"trial_seconds": 1.0}, "trial_seconds is 1.0, allowed: 2 to 40"),
    ({"trial_seconds": float("nan")}, "trial_seconds is nan"),
    ({"players": ()}, "number of players is 0"),
    ({"rules": (RULE,) * 17}, "number of rules is 17, allowed: 0 to 16"),
    ({"rules": ()}, "hide: rules has 1, allowed: 1 to 0"),
    ({"objects": (ObjectSpec(BLACK_CUBE, 20),) * 2}, "number of objects is 40"),
    ({"hiding": (Hiding(), Hiding())}, "hiding is given for 2 players"),
    ({"name": "a\nb"}, "name is .* printable"),
    (
      {"rules": (RULE, parse_rule("hold(player2, black cube) -> nothing"))},
      r"rules\[1\]: 'hold.player2, black cube.' names player2.*: player1",
    ),
    (
      {"players": (PlayerSpec(parse_literal("see(player1, player2)")),)},
      r"players\[0\].goal: .* names player2",
    ),
    (
      {"players": (PlayerSpec(GOAL, (0.0, 2.8)),)},
      r"players\[0\].at is \(0, 2.8\), allowed: y from -2.75 to 2.75",
    ),
    (
      {"world": World(tiles=(3, 6))},
      r"objects\[0\].at\[0\] is \(1.5, -2\), allowed: x from -1.3 to 1.3",
    ),
  )
  def test_refuses(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(TASK, **change)

  def test_positions_at_the_wall_are_inside(self):
    spec = ObjectSpec(BLACK_CUBE, 1, ((2.3, -2.8),))
    task = dataclasses.replace(TASK, objects=(spec,))
    self.assertEqual(task.objects[0].at, ((2.3, -2.8),))

  @parameterized.parameters(
    ({"seed": -1}, "world.seed is -1"),
    ({"seed": 2**31}, "world.seed is 2147483648"),
    ({"tiles": (1, 5)}, "world.tiles along x is 1, allowed: 2 to 20"),
    ({"levels": 5}, "world.levels is 5, allowed: 1 to 4"),
    ({"heights": ((0,),)}, "world.heights has 1 columns"),
    ({"heights": ((0, 0), (0, 1))}, "world.heights is 1, allowed: 0 to 0"),
  )
  def test_refuses_world(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(World(tiles=(2, 2)), **change)

  def test_refuses_object(self):
    with self.assertRaisesRegex(ValueError, "count of black cube is 0"):
      ObjectSpec(BLACK_CUBE, 0)
    with self.assertRaisesRegex(ValueError, "has 1 positions.*its count, 2"):
      ObjectSpec(BLACK_CUBE, 2, (None,))
    with self.assertRaisesRegex(ValueError, "two finite numbers"):
      ObjectSpec(BLACK_CUBE, 1, ((0.0, float("inf")),))

  def test_refuses_hiding(self):
    with self.assertRaisesRegex(ValueError, "hidden rules are 1, 1"):
      Hiding(rules=(1, 1))
    with self.assertRaisesRegex(
      ValueError, "predicate is 'by', allowed: touch"
    ):
      Hiding(predicates=("by",))

  def test_order_of_hidden_rules_makes_no_difference(self):
    self.assertEqual(Hiding(rules=(2, 1)), Hiding(rules=(1, 2)))


def _from_file(**fields):
  return json_files.from_json(
    {
      "format": json_files.FORMAT,
      "objects": [{"type": "black cube"}],
      "players": [{"goal": "hold(player1, black cube)"}],
    }
    | fields
  )


def _of(**arguments):
  goal = arguments.pop("goal", "hold(player1, black cube)")
  return Task.of(goal, arguments.pop("objects", ["black cube"]), **arguments)


class TaskOfTest(parameterized.TestCase):
  """Tests that `Task.of` gives the task of the equivalent file."""

  @parameterized.named_parameters(
    ("defaults", {}, {}),
    (
      "rules",
      {"rules": [str(RULE)], "hide_rules": [1]},
      {"rules": [str(RULE)], "hide": {"rules": [1]}},
    ),
    (
      "masks",
      {"hide_objects": ["black cube"], "hide_predicates": ("near",)},
      {"hide": {"objects": ["black cube"], "predicates": ["near"]}},
    ),
    (
      "objects",
      {
        "objects": [
          "yellow wall",
          {"type": "black cube", "at": [(1, 2), None], "frozen": True},
        ]
      },
      {
        "objects": [
          {"type": "yellow wall"},
          {"type": "black cube", "at": [[1, 2], None], "frozen": True},
        ]
      },
    ),
    (
      "world",
      {"world_seed": 3, "tiles": (5, 6), "levels": 2},
      {"world": {"seed": 3, "tiles": [5, 6], "levels": 2}},
    ),
    (
      "heights",
      {"heights": [(0, 0, 1), (0, 0, 2)]},
      {"world": {"heights": [[0, 0, 1], [0, 0, 2]]}},
    ),
    (
      "trials",
      {"trials": 4, "trial_seconds": 4, "name": "fetch"},
      {"trials": 4, "trial_seconds": 4, "name": "fetch"},
    ),
    (
      "start",
      {"at": (1.0, -2.0)},
      {"players": [{"goal": str(GOAL), "at": [1.0, -2.0]}]},
    ),
    (
      "two_players",
      {"goal": [str(GOAL), "see(player2, player1)"], "at": [None, (1, 2)]},
      {
        "players": [
          {"goal": str(GOAL)},
          {"goal": "see(player2, player1)", "at": [1, 2]},
        ]
      },
    ),
  )
  def test_equals_the_task_of_a_file(self, arguments, fields):
    self.assertEqual(_of(**arguments), _from_file(**fields))

  def test_takes_parsed_texts_and_numpy_numbers(self):
    self.assertEqual(
      _of(
        goal=GOAL,
        objects=[BLACK_CUBE],
        rules=[RULE],
        hide_rules=np.array([1]),
        hide_objects=[BLACK_CUBE],
        world_seed=np.int64(7),
        at=np.array([0.5, 1.0]),
        trial_seconds=np.float64(4),
      ),
      _of(
        rules=[str(RULE)],
        hide_rules=[1],
        hide_objects=["black cube"],
        world_seed=7,
        at=(0.5, 1.0),
        trial_seconds=4.0,
      ),
    )

  @parameterized.named_parameters(
    (
      "type",
      {"objects": ["black cub"]},
      {"objects": [{"type": "black cub"}]},
    ),
    (
      "field",
      {"objects": [{"type": "black cube", "size": 2}]},
      {"objects": [{"type": "black cube", "size": 2}]},
    ),
    ("rules", {"rules": "near"}, {"rules": "near"}),
    ("rule", {"rules": ["near(a"]}, {"rules": ["near(a"]}),
    ("hidden_rule", {"hide_rules": [1]}, {"hide": {"rules": [1]}}),
    ("hide", {"hide_rules": 1}, {"hide": {"rules": 1}}),
    ("seed", {"world_seed": -1}, {"world": {"seed": -1}}),
    ("tiles", {"tiles": (5,)}, {"world": {"tiles": [5]}}),
    ("trials", {"trials": 1.5}, {"trials": 1.5}),
    ("name", {"name": 3}, {"name": 3}),
    ("goal", {"goal": 3}, {"players": [{"goal": 3}]}),
    ("goals", {"goal": []}, {"players": []}),
    ("at", {"at": 5}, {"players": [{"goal": str(GOAL), "at": 5}]}),
    ("no_list", {"objects": "black cube"}, {"objects": "black cube"}),
  )
  def test_refuses_as_a_file_is_refused(self, arguments, fields):
    with self.assertRaises(ValueError) as of_file:
      _from_file(**fields)
    with self.assertRaises(ValueError) as of_arguments:
      _of(**arguments)
    self.assertEqual(str(of_arguments.exception), str(of_file.exception))

  @parameterized.parameters((((0, 0),),), (5,))
  def test_two_players_need_two_starts(self, at):
    with self.assertRaisesRegex(
      ValueError, "^at is .*, allowed: a position or None for each of 2 players"
    ):
      _of(goal=[str(GOAL)] * 2, at=at)


if __name__ == "__main__":
  absltest.main()
