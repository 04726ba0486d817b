"""Tests of adaland.envs.tasks.arrays."""

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings

from adaland.envs import constants
from adaland.envs.tasks.arrays import (
  from_arrays,
  literal_types,
  spawn_types,
  to_arrays,
)
from adaland.envs.tasks.literals import (
  ObjectType,
  Player,
  parse_literal,
  parse_rule,
)
from adaland.envs.tasks.task import Hiding, ObjectSpec, PlayerSpec, Task, World
from tests.envs.tasks import task_strategies

BLACK_CUBE = ObjectType.from_name("black cube")
YELLOW_SPHERE = ObjectType.from_name("yellow sphere")
RULES = tuple(
  parse_rule(text)
  for text in (
    "not near(black cube, yellow sphere) -> yellow sphere, purple wall",
    "hold(player1, black cube) -> nothing",
    "touching(purple wall, player1) -> black cube",
  )
)


def make_task(**kwargs):
  return Task(
    World(),
    (ObjectSpec(BLACK_CUBE),),
    (PlayerSpec(parse_literal("hold(player1, black cube)")),),
    RULES,
    **kwargs,
  )


class TaskArraysTest(absltest.TestCase):
  @settings(max_examples=80, deadline=None)
  @given(task=task_strategies.tasks())
  def test_exact_inverse(self, task):
    arrays = to_arrays(task)
    self.assertEqual(from_arrays(arrays), task)
    again = to_arrays(from_arrays(arrays))
    for first, second in zip(arrays, again, strict=True):
      self.assertEqual(first.dtype, second.dtype)
      np.testing.assert_array_equal(first, second)

  @settings(max_examples=20, deadline=None)
  @given(task=task_strategies.tasks())
  def test_shapes_do_not_depend_on_the_task(self, task):
    usual = to_arrays(make_task())
    for field, array in to_arrays(task)._asdict().items():
      self.assertEqual(array.shape, getattr(usual, field).shape, field)

  def test_rows(self):
    arrays = to_arrays(make_task())
    # hold is predicate 3, player1 (5, 1), black cube (2, 1).
    np.testing.assert_array_equal(arrays.goal[0], [0, 3, 5, 1, 2, 1])
    np.testing.assert_array_equal(arrays.goal[1], 0)
    np.testing.assert_array_equal(
      arrays.rules[0], [1, 2, 2, 1, 3, 3, 3, 3, 1, 2, 0, 0, 0, 0]
    )
    np.testing.assert_array_equal(arrays.seen_rules[0], arrays.rules)

  def test_hidden_rule_is_one_placeholder(self):
    task = make_task(hiding=(Hiding(rules=(2,)),))
    arrays = to_arrays(task)
    np.testing.assert_array_equal(
      arrays.seen_rules[0, 1], [0, constants.HIDDEN_RULE] + [0] * 12
    )
    np.testing.assert_array_equal(arrays.seen_rules[0, 0], arrays.rules[0])
    self.assertEqual(arrays.rules[1, 1], 3)

  def test_hidden_objects_are_numbered_alike_everywhere(self):
    hiding = Hiding(objects=(YELLOW_SPHERE, BLACK_CUBE))
    seen = to_arrays(make_task(hiding=(hiding,))).seen_rules[0]
    # Yellow sphere is hidden object 1 (shape 6), black cube 2 (shape 7).
    np.testing.assert_array_equal(
      seen[0], [1, 2, 7, 0, 6, 0, 6, 0, 1, 2, 0, 0, 0, 0]
    )
    np.testing.assert_array_equal(seen[1, :6], [0, 3, 5, 1, 7, 0])
    np.testing.assert_array_equal(seen[2, :8], [0, 1, 1, 2, 5, 1, 7, 0])

  def test_each_player_observes_what_is_not_hidden_from_it(self):
    goal = parse_literal("hold(player1, black cube)")
    task = Task(
      World(),
      (ObjectSpec(BLACK_CUBE),),
      (PlayerSpec(goal), PlayerSpec(goal)),
      RULES,
      hiding=(Hiding(rules=(1,)), Hiding(rules=(2, 3))),
    )
    seen = to_arrays(task).seen_rules
    self.assertEqual(
      (seen[:, :3, 1] == constants.HIDDEN_RULE).tolist(),
      [[True, False, False], [False, True, True]],
    )

  def test_hidden_predicates_are_numbered(self):
    hiding = Hiding(predicates=("touching", "near"))
    arrays = to_arrays(make_task(hiding=(hiding,)))
    seen = arrays.seen_rules[0]
    self.assertEqual(seen[:3, 1].tolist(), [7, 3, 6])
    # Everything else about the rules is told, including the negation.
    others = np.delete(np.arange(constants.RULE_WIDTH), 1)
    np.testing.assert_array_equal(seen[:, others], arrays.rules[:, others])

  def test_type_ids_of_rows(self):
    rules = to_arrays(make_task()).rules
    first, second = literal_types(rules)
    cube, sphere = BLACK_CUBE.type_id, YELLOW_SPHERE.type_id
    self.assertEqual(first[:4].tolist(), [cube, Player(1).type_id, 2, 0])
    self.assertEqual(second[:4].tolist(), [sphere, cube, 13, 0])
    spawns = spawn_types(rules)
    self.assertEqual(spawns[0].tolist(), [sphere, 2, 0, 0])
    self.assertFalse(spawns[3:].any())

  def test_objects_fill_slots_in_order(self):
    task = Task(
      World(),
      (
        ObjectSpec(BLACK_CUBE, 2, (None, (1.0, 2.0))),
        ObjectSpec(YELLOW_SPHERE, frozen=True),
      ),
      (PlayerSpec(parse_literal("hold(player1, black cube)")),),
    )
    arrays = to_arrays(task)
    self.assertEqual(arrays.num_objects, 3)
    self.assertEqual(arrays.object_types[:4].tolist(), [4, 4, 9, 0])
    self.assertEqual(arrays.object_frozen[:4].tolist(), [0, 0, 1, 0])
    np.testing.assert_array_equal(arrays.object_at[1], [1.0, 2.0])
    self.assertTrue(np.isnan(arrays.object_at[0]).all())


if __name__ == "__main__":
  absltest.main()
