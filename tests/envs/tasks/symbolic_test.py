"""Tests of adaland.envs.tasks.symbolic."""

from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks import planner, symbolic
from adaland.envs.tasks.symbolic import Condition

_WALL, _CUBE, _BALL = 1, 4, 7
_PLAYER = constants.NUM_OBJECT_TYPES + 1
_GOAL = Condition("near", _WALL, _CUBE)


def _game(*rules, goal=_GOAL, **more):
  """Returns a game of rules (condition, spawned types)."""
  return symbolic.SymbolicGame(goal, rules, capacity=9, **more)


class ConditionTest(parameterized.TestCase):
  @parameterized.parameters(
    (("near", _WALL, _CUBE), ("near", _CUBE, _WALL), True),
    (("near", _WALL, _CUBE), ("near", _WALL, _BALL), False),
    (("touching", _WALL, _CUBE), ("near", _WALL, _CUBE), True),
    (("near", _WALL, _CUBE), ("touching", _WALL, _CUBE), False),
    (("touching", _WALL, _CUBE), ("see", _WALL, _CUBE), False),
    (("hold", _PLAYER, _CUBE), ("see", _PLAYER, _CUBE), True),
    (("hold", _PLAYER, _CUBE), ("see", _CUBE, _PLAYER), False),
    (("hold", _PLAYER, _CUBE), ("near", _PLAYER, _CUBE), False),
    (("near", _WALL, _CUBE, True), ("near", _WALL, _CUBE), False),
    (("near", _WALL, _CUBE), ("near", _WALL, _CUBE, True), False),
  )
  def test_implies(self, one, other, implied):
    self.assertEqual(Condition(*one).implies(Condition(*other)), implied)

  @parameterized.parameters(
    (("near", _WALL, _CUBE), False),
    (("near", _WALL, _CUBE, True), True),
    (("see", _WALL, _CUBE), True),
    (("see", _PLAYER, _CUBE), False),
  )
  def test_fires_without_help(self, condition, automatic):
    self.assertEqual(symbolic.is_automatic(Condition(*condition)), automatic)

  def test_objects_and_players(self):
    self.assertEqual(Condition("hold", _PLAYER, _CUBE).object_types, (_CUBE,))
    self.assertFalse(symbolic.is_player(_PLAYER - 1))


class RulesTest(absltest.TestCase):
  def can_fire(self, objects, *conditions, **more):
    game = _game(*((Condition(*x), ()) for x in conditions), **more)
    counts = symbolic.count_types(objects)
    return [
      symbolic.can_fire(game, counts, index) for index in range(len(conditions))
    ]

  def test_of_equal_conditions_only_the_first_fires(self):
    near = ("near", _WALL, _CUBE)
    self.assertEqual(
      self.can_fire([_WALL, _CUBE], near, ("near", _CUBE, _WALL)), [True, False]
    )
    self.assertEqual(
      self.can_fire([_WALL, _CUBE], near, near, never_fire=frozenset({0})),
      [False, False],
    )

  def test_near_consumes_what_would_touch(self):
    near, touching = ("near", _WALL, _CUBE), ("touching", _CUBE, _WALL)
    for order, expected in (
      ((near, touching), [True, False]),
      ((touching, near), [False, True]),
    ):
      self.assertEqual(self.can_fire([_WALL, _CUBE], *order), expected)

  def test_needs_distinct_objects_and_a_player_that_holds(self):
    self.assertEqual(
      self.can_fire(
        [_CUBE, _BALL, _BALL],
        ("near", _CUBE, _CUBE),
        ("near", _BALL, _BALL),
        ("hold", _CUBE, _BALL),
        ("hold", _CUBE, _BALL, True),
        ("hold", _PLAYER, _WALL),
        ("hold", _PLAYER, _BALL),
      ),
      [False, True, False, True, False, True],
    )

  def test_successors_change_something(self):
    game = _game(
      (Condition("near", _PLAYER, _CUBE), (_CUBE,)),
      (Condition("near", _CUBE, _BALL), (_WALL, _WALL)),
    )
    found = list(
      symbolic.successors(game, symbolic.count_types([_CUBE, _BALL]))
    )
    self.assertEqual(found, [(1, symbolic.count_types([_WALL, _WALL]))])


class GoalTest(parameterized.TestCase):
  @parameterized.parameters(
    (("near", _WALL, _CUBE), [_WALL, _CUBE], 0.0),
    (("near", _WALL, _CUBE), [_WALL, _BALL], None),
    (("hold", _CUBE, _WALL), [_WALL, _CUBE], None),
    (("near", _WALL, _CUBE, True), [_WALL, _CUBE], 0.0),
    # Two objects out of each other's sight need a screen.
    (("see", _WALL, _CUBE, True), [_WALL, _CUBE], 1.5),
    (("see", _WALL, _CUBE, True), [_WALL], 0.0),
    (("see", _PLAYER, _CUBE, True), [_WALL, _CUBE], 0.0),
    (("see", _WALL, _CUBE), [_WALL, _CUBE], 0.0),
  )
  def test_cost(self, goal, objects, cost):
    game, counts = _game(goal=Condition(*goal)), symbolic.count_types(objects)
    self.assertEqual(symbolic.goal_cost(game, counts), cost)
    never = _game(goal=Condition(*goal), never_met=True)
    self.assertIsNone(symbolic.goal_cost(never, counts))

  def test_a_rule_may_consume_what_meets_the_goal(self):
    counts = symbolic.count_types([_WALL, _CUBE])
    for predicate, cost in (("near", None), ("touching", 0.0)):
      game = _game((Condition(predicate, _CUBE, _WALL), ()))
      self.assertEqual(symbolic.goal_cost(game, counts), cost)


class SymbolicTest(absltest.TestCase):
  def test_counts_by_type(self):
    counts = symbolic.count_types([4, 0, 12, 4])
    self.assertEqual(counts, (0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1))

  def test_full_world_makes_nothing(self):
    game = symbolic.SymbolicGame(
      goal=symbolic.Condition("hold", 13, 2),
      rules=((symbolic.Condition("near", 13, 1), (1, 2)),),
      capacity=2,
    )
    counts = symbolic.count_types([1, 4])
    self.assertEqual(symbolic.fire(game, counts, 0), counts)
    self.assertIsNone(planner.plan(game, counts))


if __name__ == "__main__":
  absltest.main()
