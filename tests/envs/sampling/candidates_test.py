"""Tests of adaland.envs.sampling.candidates."""

import collections
import dataclasses
import functools
import pickle
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.sampling import candidates, families, hidden_tasks, named
from adaland.envs.sampling.config import FIRST_TEST_SEED
from adaland.envs.tasks import json_files, planner, symbolic
from adaland.envs.worlds import scene

_KINDS = tuple(named.FAMILIES.values())


def roles(task):
  """Returns the goal's type, the candidates, the right one, and the places."""
  goal = task.players[0].goal.object_types[0]
  movable = [spec.type for spec in task.objects if not spec.frozen]
  places = [spec.type for spec in task.objects if spec.frozen]
  solution = planner.shortest_solution(task)
  assert solution is not None
  condition = task.rules[solution[0]].condition
  [right] = [x for x in condition.object_types if x in movable]
  return goal, movable, right, places


def _made(task):
  return [kind for rule in task.rules for kind in rule.spawns]


@functools.cache
def _drawn(family, half):
  return []


def drawn(family, half, count):
  """Returns the first tasks of a family's half, drawn only once."""
  found, tasks = _drawn(family, half), getattr(family, half)()
  found.extend(tasks.task(i) for i in range(len(found), count))
  return found[:count]


class CandidateTasksTest(parameterized.TestCase):
  @parameterized.parameters(*_KINDS)
  def test_contract(self, kind):
    family = kind(num_training=40, num_held_out=8)
    self.assertIsInstance(family, families.TaskFamily)
    self.assertEqual(family, pickle.loads(pickle.dumps(family)))
    self.assertEqual(family.num_tasks, 48)
    halves = drawn(family, "training", 40) + drawn(family, "held_out", 8)
    self.assertEqual([family.task(i) for i in range(48)], halves)
    self.assertEqual(family.task(48), halves[0])
    self.assertLen(set(map(repr, halves)), 48)
    with self.assertRaisesRegex(ValueError, "index is -1, allowed: 0 and up"):
      family.training().task(-1)

  @parameterized.parameters(*_KINDS)
  def test_tasks_are_valid(self, kind):
    family = kind()
    lengths = set()
    for task in drawn(family, "held_out", 60):
      self.assertEqual(json_files.from_json(json_files.to_json(task)), task)
      self.assertEqual(task.num_objects, family.max_objects)
      self.assertLen(task.rules, family.max_rules)
      self.assertEqual(
        task.hiding[0].rules, tuple(range(1, len(task.rules) + 1))
      )
      self.assertLen({spec.type for spec in task.objects}, task.num_objects)
      at = [task.players[0].at, *(spec.at[0] for spec in task.objects)]
      gaps = [np.hypot(*np.subtract(a, b)) for a in at for b in at if a != b]
      self.assertGreaterEqual(min(gaps), 1.6)
      scene.build_scene(task, task.num_objects, 1)
      lengths.add(planner.shortest_length(task))
    self.assertEqual(lengths, {2 if kind is candidates.Chain else 1})
    self.assertEqual(family.max_steps, task.trials * task.trial_steps)

  def test_one_touch_of_a_trap_leaves_no_plan(self):
    for task in drawn(candidates.Traps(candidates=4), "training", 20):
      game = symbolic.make_game(task)
      counts = symbolic.initial_counts(task)
      ends = []
      for index, after in symbolic.successors(game, counts):
        # Seeing the right one then fires its rule by itself.
        [*automatic] = symbolic.successors(game, after)
        sights = [
          c for i, c in automatic if game.rules[i][0].predicate == "see"
        ]
        found = planner.plan(game, sights[0] if sights else after)
        ends.append((game.rules[index][1], found is not None))
      solved = [spawns for spawns, can in ends if can]
      self.assertEqual(solved, [game.goal.object_types])
      self.assertLen(ends, 4)

  @parameterized.parameters(*_KINDS)
  def test_halves_share_no_set_and_no_world(self, kind):
    family = kind()
    sets = {}
    for half, is_held_out in (("training", False), ("held_out", True)):
      sets[half] = set()
      for task in drawn(family, half, 300):
        goal, tried, _, places = roles(task)
        self.assertEqual(
          hidden_tasks.is_held_out(goal, tried, places), is_held_out
        )
        self.assertEqual(task.world.seed >= FIRST_TEST_SEED, is_held_out)
        sets[half].add((goal, frozenset(tried), frozenset(places)))
    self.assertEmpty(sets["training"] & sets["held_out"])

  @parameterized.parameters(*_KINDS)
  def test_what_is_right_in_training_tells_nothing_of_held_out_games(
    self, kind
  ):
    # A lookup table of how often each type was right for a goal.
    family = kind()
    right = collections.Counter()
    for task in drawn(family, "training", 600):
      goal, _, answer, _ = roles(task)
      right[goal, answer] += 1
    hits = 0
    tasks = drawn(family, "held_out", 400)
    for task in tasks:
      goal, tried, answer, _ = roles(task)
      hits += max(tried, key=lambda kind: right[goal, kind]) == answer
    chance = 1 / family.candidates
    spread = (chance * (1 - chance) / len(tasks)) ** 0.5
    self.assertAlmostEqual(hits / len(tasks), chance, delta=4 * spread)

  @parameterized.parameters(*_KINDS)
  def test_neither_slots_nor_rules_tell_the_right_one(self, kind):
    family = kind()
    slots, rules = collections.Counter(), collections.Counter()
    tasks = drawn(family, "training", 500)
    for task in tasks:
      _, _, answer, _ = roles(task)
      slots[[spec.type for spec in task.objects].index(answer)] += 1
      rules[(planner.shortest_solution(task) or ())[0]] += 1
    for counts, number in (
      (slots, family.max_objects),
      (rules, family.max_rules),
    ):
      self.assertLen(counts, number)
      share = 1 / number
      spread = (share * (1 - share) / len(tasks)) ** 0.5
      for count in counts.values():
        self.assertAlmostEqual(count / len(tasks), share, delta=4.5 * spread)

  def test_each_set_of_training_occurs_with_every_right_one(self):
    found = collections.defaultdict(set)
    family = candidates.Traps(candidates=2, types=7)
    for task in drawn(family, "training", 1000):
      goal, tried, answer, _ = roles(task)
      found[goal, frozenset(tried)].add(answer)
    # 7 goals and 15 pairs, 7 in 8 of which occur in training.
    self.assertBetween(len(found), 80, 105)
    whole = sum(len(answers) == 2 for answers in found.values())
    self.assertGreater(whole / len(found), 0.98)

  def test_an_equal_set_is_on_one_side_in_all_families(self):
    traps = drawn(candidates.Traps(), "held_out", 50)
    for task in traps:
      goal, tried, _, _ = roles(task)
      self.assertTrue(hidden_tasks.is_held_out(goal, tried[::-1], []))
    # Families nevertheless draw independently.
    find = drawn(candidates.Find(candidates=3), "held_out", 50)
    same = [
      roles(a)[0] == roles(b)[0] for a, b in zip(traps, find, strict=True)
    ]
    self.assertLess(sum(same), 20)

  def test_ranges(self):
    family = candidates.Find(tiles=(4, 6), trials=(1, 3))
    tasks = drawn(family, "training", 60)
    self.assertEqual({x for t in tasks for x in t.world.tiles}, {4, 5, 6})
    self.assertEqual({task.trials for task in tasks}, {1, 2, 3})
    self.assertEqual(family.max_steps, 3 * 45)

  @parameterized.parameters(
    ({"candidates": 1}, "candidates is 1, allowed: 2 to 7"),
    ({"candidates": 2.0}, "candidates is 2.0, allowed: a whole number"),
    (
      {"tiles": (3, 5)},
      r"tiles is \(3, 5\), allowed: \(first, last\), whole numbers from 4 to",
    ),
    ({"tiles": (5.9, 5.9)}, r"tiles is \(5.9, 5.9\), .*, whole numbers from 4"),
    ({"tiles": 7}, "tiles is 7, allowed: .first, last., whole numbers"),
    ({"trials": (2, 1)}, r"trials is \(2, 1\), .*, whole numbers from 1 to 48"),
    ({"trials": (1.5, 2.5)}, r"trials is \(1.5, 2.5\), .*, whole numbers"),
    ({"trials": 4}, "trials is 4, allowed: .first, last., whole numbers"),
    ({"trial_seconds": 1.0}, "trial_seconds is 1, allowed: 2 to 40"),
    (
      {"candidates": 6},
      r"tiles is \(5, 5\), allowed: larger rooms for 6 objects, .* for 5\)",
    ),
    ({"types": 6}, "types is 6, allowed: 7 to 12"),
    (
      {"candidates": 6, "tiles": (5, 9)},
      r"tiles is \(5, 9\), allowed: larger rooms for 6 objects, .* for 5\)",
    ),
    ({"candidates": 2, "places": 1, "types": 8}, "is 8, allowed: 9 to 12"),
    (
      {"candidates": 3, "places": 3, "tiles": (5, 5)},
      "allowed: larger rooms for 6 objects",
    ),
    ({"num_held_out": 0}, "num_held_out is 0, allowed: 1 to"),
    ({"places": 4}, "places is 4, allowed: 1 to 3"),
  )
  def test_refuses(self, fields, message):
    kind = candidates.Chain if "places" in fields else candidates.Traps
    with self.assertRaisesRegex(ValueError, message):
      kind(**fields)

  @parameterized.parameters(candidates.Fetch, candidates.Chain)
  def test_families_with_places_refuse_what_the_others_do(self, kind):
    with self.assertRaisesRegex(ValueError, "candidates is 1, allowed: 2 to 7"):
      kind(candidates=1)

  @parameterized.parameters(
    candidates.Find(candidates=1, types=5),
    candidates.Traps(candidates=2, types=6),
    candidates.Traps(candidates=7, types=11, tiles=(6, 6)),
    candidates.Fetch(types=9),
    candidates.Chain(candidates=7, places=3),
  )
  def test_both_halves_have_games_of_the_fewest_types(self, family):
    for half in ("training", "held_out"):
      found = {
        kind.type_id
        for task in drawn(family, half, 30)
        for kind in [*(x.type for x in task.objects), *_made(task)]
      }
      self.assertLessEqual(max(found), family.types)

  @parameterized.parameters(candidates.Fetch, candidates.Chain)
  def test_places_are_told_by_their_shape(self, kind):
    # Frozen objects can't be recognised by sight.
    for half in ("training", "held_out"):
      for task in drawn(kind(), half, 30):
        goal, movable, _, places = roles(task)
        others = {goal, *movable, *_made(task)}
        self.assertEqual({x.row.name for x in places}, {"wall"})
        self.assertNotIn("wall", {x.row.name for x in others})

  def test_fetch_refuses_more_rules_than_a_task_has(self):
    most = candidates.Fetch(candidates=5, places=3, tiles=(9, 9))
    self.assertLen(most.task(0).rules, 15)
    with self.assertRaisesRegex(
      ValueError,
      "candidates is 6 and places is 3, which makes 18 rules, allowed: at mo",
    ):
      dataclasses.replace(most, candidates=6)
    candidates.Chain(candidates=7, places=3, tiles=(9, 9))

  def test_lists_are_as_good_as_tuples(self):
    listed: dict[str, Any] = {"tiles": [6, 8], "trials": [1, 2]}
    family = candidates.Traps(**listed)
    self.assertEqual(family, candidates.Traps(tiles=(6, 8), trials=(1, 2)))
    hash(family)  # Tasks are cached by their family.

  def test_fields_can_be_replaced(self):
    family = dataclasses.replace(candidates.Chain(), places=3)
    task = family.training().task(0)
    self.assertEqual((task.num_objects, len(task.rules)), (5, 5))


if __name__ == "__main__":
  absltest.main()
