"""Tests of goals that can never hold."""

from absl.testing import absltest, parameterized

from adaland.envs.tasks import feasibility, planner
from adaland.envs.tasks.task import Task

_CUBE, _SPHERE = "black cube", "yellow sphere"
_FROZEN_CUBE = {"type": _CUBE, "frozen": True}
_FROZEN_SPHERE = {"type": _SPHERE, "frozen": True}


def _judge(goal, objects, rules=(), **changes):
  """Judges a task, whose objects all get the changed fields."""
  task = Task.of(goal=goal, objects=objects, rules=rules)
  things = [x._replace(**changes) for x in feasibility.instances(task)]
  verdict = feasibility.judge(task, things)
  return verdict.goals[0], verdict.rules


class JudgeTest(parameterized.TestCase):
  @parameterized.parameters(
    (f"hold(player1, {_CUBE})", [_CUBE], ()),
    (f"hold(player1, {_CUBE})", [_FROZEN_CUBE, _CUBE], ()),
    (f"near(player1, {_CUBE})", [_FROZEN_CUBE], ()),
    (f"near({_CUBE}, {_SPHERE})", [_FROZEN_CUBE, _SPHERE], ()),
    (f"see({_CUBE}, {_SPHERE})", [_FROZEN_CUBE, _FROZEN_SPHERE], ()),
    (f"not hold(player1, {_CUBE})", [], ()),
    (f"not near({_CUBE}, {_SPHERE})", [_FROZEN_CUBE, _FROZEN_SPHERE], ()),
    # A rule makes two cubes.
    (
      f"near({_CUBE}, {_CUBE})",
      [_SPHERE],
      [f"near(player1, {_SPHERE}) -> {_CUBE}, {_CUBE}"],
    ),
    # A chain makes a free cube.
    (
      f"hold(player1, {_CUBE})",
      [_FROZEN_SPHERE],
      [
        "hold(player1, black wall) -> black cube",
        f"near(player1, {_SPHERE}) -> black wall",
      ],
    ),
  )
  def test_possible_goals(self, goal, objects, rules):
    self.assertEqual(_judge(goal, objects, rules), (None, frozenset()))

  @parameterized.parameters(
    (f"hold(player1, {_CUBE})", [_FROZEN_CUBE], "every black cube is frozen"),
    (f"near(player1, {_CUBE})", [_SPHERE], "there is no black cube at the st"),
    (f"near({_CUBE}, {_CUBE})", [_CUBE], "there is never a second black cube"),
  )
  def test_impossible_goals(self, goal, objects, reason):
    self.assertStartsWith(_judge(goal, objects)[0], reason)
    task = Task.of(goal=goal, objects=objects, rules=[])
    self.assertIsNone(planner.shortest_solution(task))

  def test_a_rule_that_never_fires_makes_nothing(self):
    goal, rules = _judge(
      f"near(player1, {_SPHERE})",
      [_FROZEN_CUBE],
      [
        f"hold(player1, {_CUBE}) -> {_SPHERE}",
        f"near(player1, {_CUBE}) -> nothing",
      ],
    )
    self.assertStartsWith(goal, "there is no yellow sphere")
    self.assertEqual(rules, {0})

  def test_reach(self):
    goal = f"hold(player1, {_CUBE})"
    reason, _ = _judge(goal, [_CUBE], in_reach=False)
    self.assertEqual(reason, "no player can reach any black cube")
    goal = f"near(player1, {_CUBE})"
    reason, _ = _judge(goal, [_CUBE], near=False, in_reach=False)
    self.assertEqual(reason, "no player can get near any black cube")

  def test_a_hand_can_fetch_what_it_reaches(self):
    goal = f"near(player1, {_CUBE})"
    self.assertIsNone(_judge(goal, [_CUBE], near=False)[0])
    reason, _ = _judge(goal, [_FROZEN_CUBE], near=False)
    self.assertEqual(reason, "no player can get near any black cube")

  def test_objects_that_stay_where_they_are(self):
    pair = [_FROZEN_CUBE, _FROZEN_SPHERE]
    for goal, together in (
      (f"near({_CUBE}, {_SPHERE})", True),
      (f"not near({_CUBE}, {_SPHERE})", False),
    ):
      task = Task.of(goal=goal, objects=pair)
      for gap in (0.9, 1.1):
        cube, sphere = feasibility.instances(task)
        at = cube._replace(at=(0, 0, 0)), sphere._replace(at=(gap, 0, 0))
        [reason] = feasibility.judge(task, at).goals
        self.assertEqual(reason is None, (gap < 1) == together, (goal, gap))

  def test_rules_of_objects_that_stay_where_they_are(self):
    apart = f"not near({_CUBE}, {_SPHERE})"
    for goal, rule, gap in (
      # They are apart.
      ("near(player1, black wall)", f"{apart} -> black wall", 1.1),
      # One of them can be consumed.
      (apart, f"near(player1, {_CUBE}) -> nothing", 0.9),
    ):
      task = Task.of(
        goal=goal, objects=[_FROZEN_CUBE, _FROZEN_SPHERE], rules=[rule]
      )
      cube, sphere = feasibility.instances(task)
      at = cube._replace(at=(0, 0, 0)), sphere._replace(at=(gap, 0, 0))
      verdict = feasibility.judge(task, at)
      self.assertEqual(verdict, (frozenset(), (None,)), goal)


class PlannerTest(absltest.TestCase):
  def test_plans_leave_out_rules_that_never_fire(self):
    task = Task.of(
      goal="near(player1, black wall)",
      objects=[_FROZEN_CUBE, {"type": _SPHERE, "count": 2}],
      rules=[
        f"hold(player1, {_CUBE}) -> black wall",
        f"near({_SPHERE}, {_SPHERE}) -> purple wall",
        "hold(player1, purple wall) -> black wall",
      ],
    )
    self.assertEqual(planner.shortest_solution(task), (1, 2))


if __name__ == "__main__":
  absltest.main()
