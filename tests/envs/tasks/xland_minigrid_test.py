"""Tests of adaland.envs.tasks.xland_minigrid, with rows written by hand."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.tasks import planner, xland_minigrid

FLOOR, BALL, SQUARE, PYRAMID, KEY = 1, 3, 4, 5, 7
RED, PURPLE, YELLOW, BLACK = 1, 4, 5, 7


def rows(*given, width):
  return np.array(
    [(*row, *[0] * (width - len(row))) for row in given], np.uint8
  )


def make(goal, rules=(), tiles=()):
  return xland_minigrid.make_task(
    rows(goal, width=5)[0], rows(*rules, width=7), rows(*tiles, width=2), seed=7
  )


class MakeTaskTest(parameterized.TestCase):
  def test_a_chain(self):
    task, dropped = make(
      (4, BALL, YELLOW, KEY, BLACK),
      [
        (1, SQUARE, PURPLE, BALL, YELLOW),
        (3, PYRAMID, BLACK, BALL, YELLOW, FLOOR, BLACK),
        (0,),
        (2, PYRAMID, BLACK, KEY, BLACK),
      ],
      [
        (SQUARE, PURPLE),
        (PYRAMID, BLACK),
        (PYRAMID, BLACK),
        (BALL, BLACK),
        (FLOOR, BLACK),
        (0, 0),
      ],
    )
    self.assertEqual(
      [str(rule) for rule in task.rules],
      [
        "hold(player1, purple cube) -> yellow sphere",
        "near(black pyramid, yellow sphere) -> nothing",
        "near(player1, black pyramid) -> black wall",
      ],
    )
    goal = task.players[0].goal
    self.assertEqual(str(goal), "near(yellow sphere, black wall)")
    self.assertEqual(
      {str(spec.type): spec.count for spec in task.objects},
      {"purple cube": 1, "black pyramid": 2, "black sphere": 1},
    )
    self.assertEqual(task.world.seed, 7)
    self.assertIsNotNone(planner.shortest_solution(task))
    self.assertEqual(dropped, ())

  def test_directions_are_named(self):
    task, dropped = make(
      (12, BALL, RED),
      [(5, SQUARE, RED, KEY, RED, BALL, RED), (9, SQUARE, RED, BALL, RED)],
    )
    self.assertEqual(
      dropped,
      (
        "the goal's direction",
        "the direction of rule 1",
        "the direction of rule 2",
      ),
    )
    conditions = [rule.condition for rule in task.rules]
    self.assertEqual({x.predicate for x in conditions}, {"near"})
    self.assertLen(conditions[0].object_types, 2)
    self.assertLen(conditions[1].object_types, 1)

  def test_kinds_of_tiles_stay_apart(self):
    tiles = [(BALL, colour) for colour in range(1, 10)]
    task, _ = make((1, BALL, YELLOW), [], tiles)
    self.assertLen({spec.type for spec in task.objects}, 9)
    [yellow] = [
      spec.type for spec in task.objects if spec.type == task.players[0].goal.b
    ]
    self.assertEqual(str(yellow), "yellow sphere")

  @parameterized.parameters(
    ((2, BALL, RED), "goal is 'on tile', allowed: to hold"),
    ((5, BALL, RED, 1, 1), "goal is 'tile on position'"),
    ((0,), "goal is 'none'"),
    ((15, BALL, RED), "id of goal is 15, allowed: 0 to 14"),
    ((1, 1, RED), "is on tile 1, which is ground, allowed: objects, from 2"),
    ((4, BALL, RED, 0, 0), "is on tile 0, which is ground"),
  )
  def test_goals_that_can_t_be_carried_over(self, goal, message):
    with self.assertRaisesRegex(ValueError, message):
      make(goal)

  def test_refuses_what_is_too_large(self):
    tiles = [(tile, colour) for tile in (3, 4) for colour in range(1, 10)]
    with self.assertRaisesRegex(ValueError, "more than 12 kinds of tiles"):
      make((1, BALL, RED), [], tiles)
    rule = (1, BALL, RED, SQUARE, RED)
    with self.assertRaisesRegex(ValueError, "number of rules is 17"):
      make((1, BALL, RED), [rule] * 17)
    with self.assertRaisesRegex(ValueError, "id of rule 1 is 12"):
      make((1, BALL, RED), [(12,)])

  @parameterized.parameters((-1, RED), (13, RED), (BALL, -1), (BALL, 12))
  def test_refuses_ids_that_are_no_tile_s_or_colour_s(self, tile, colour):
    with self.assertRaisesRegex(
      ValueError,
      f"are {tile} and {colour}, allowed: tiles 0 to 12 and colours 0 to 11",
    ):
      xland_minigrid.make_task(
        np.array([1, BALL, RED, 0, 0]),
        np.zeros((0, 7), int),
        np.array([[tile, colour]]),
      )


class LoadTest(absltest.TestCase):
  def test_reads_what_numpy_saved(self):
    path = self.create_tempfile("rules.npz").full_path
    saved = {
      "goals": np.zeros((2, 5), np.uint8),
      "rules": np.zeros((2, 3, 7), np.uint8),
      "init_tiles": np.zeros((2, 4, 2), np.uint8),
    }
    np.savez(path, **saved)
    read = xland_minigrid.load(path)
    self.assertEqual(set(read), set(saved))
    np.savez(path, **(saved | {"goals": np.zeros((2, 6), np.uint8)}))
    with self.assertRaisesRegex(ValueError, "goals is uint8 .2, 6., allowed"):
      xland_minigrid.load(path)
    np.savez(path, **(saved | {"goals": np.uint8(3)}))
    with self.assertRaisesRegex(ValueError, "goals is uint8 .., allowed"):
      xland_minigrid.load(path)
    np.savez(path, goals=saved["goals"])
    with self.assertRaisesRegex(ValueError, "rules.*allowed: an npz file"):
      xland_minigrid.load(path)

  def test_damaged_files_are_refused(self):
    path = self.create_tempfile("a.npz", "PK").full_path
    with self.assertRaisesRegex(ValueError, "a.npz: .*; allowed: an npz file"):
      xland_minigrid.load(path)

  def test_rulesets_without_end_are_refused(self):
    path = self.create_tempfile("rules.npz").full_path
    for count, rules, message in (
      (0, 3, r"goals is \(0, 5\), allowed: at least 1 ruleset"),
      (1, 101, r"rules is \(1, 101, 7\), allowed: .* 1 to 100 rules"),
    ):
      np.savez_compressed(
        path,
        goals=np.zeros((count, 5), np.uint8),
        rules=np.zeros((count, rules, 7), np.uint8),
        init_tiles=np.zeros((count, 4, 2), np.uint8),
      )
      with self.assertRaisesRegex(ValueError, message):
        xland_minigrid.load(path)

  def test_pickles_are_refused(self):
    path = self.create_tempfile("rules.npz").full_path
    arrays = {name: np.array([{}], object) for name in ("goals", "rules")}
    np.savez(path, **arrays, init_tiles=np.zeros((1, 1, 2), int))
    with self.assertRaisesRegex(ValueError, "allowed: an npz file"):
      xland_minigrid.load(path)


if __name__ == "__main__":
  absltest.main()
