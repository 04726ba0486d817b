"""Tests of adaland.envs.tasks.complexity, counted by hand."""

from absl.testing import absltest, parameterized

from adaland.envs.tasks import complexity, literals
from adaland.envs.tasks.task import Hiding
from tests.envs.tasks.planner_test import make_task


class ComplexityTest(parameterized.TestCase):
  def test_two_step_chain_with_dead_ends(self):
    task = make_task(
      "hold(player1, yellow wall)",
      {
        "black cube": 1,
        "black sphere": 1,
        "purple cube": 1,
        "purple pyramid": 3,
      },
      [
        "near(black cube, purple cube) -> yellow cube",  # Critical.
        "near(yellow cube, black sphere) -> yellow wall",  # Critical.
        "near(black cube, black sphere) -> purple pyramid",  # Dead end.
        "near(purple pyramid, purple cube) -> nothing",  # Dead end.
        "near(purple pyramid, purple pyramid) -> black cube",  # Harmless.
      ],
      hiding=(
        Hiding(
          rules=(1, 3), objects=(literals.ObjectType.from_name("yellow wall"),)
        ),
      ),
    )
    # Rule 2 is hidden too: it spawns the masked yellow wall. No rule besides
    # 3 and 4 can spoil anything: 5 gives a spare cube, and 1 and 2 are the
    # solution.
    self.assertEqual(
      complexity.measures(task),
      {
        "rules": 5,
        "trials": 3,
        "min_rules_to_solution": 2,
        "hidden_critical_rules": 2,
        "dead_end_rules": 2,
        "hidden_dead_end_rules": 1,
        "initial_objects": 6,
        "distractor_objects": 3,
        "dangerous_rules": 2,
        "hidden_dangerous_rules": 1,
        "critical_dangerous_rules": 0,
        "max_rule_repetitions": 1,
      },
    )

  def test_repeated_rule_that_can_spoil(self):
    # Four cubes become two spheres by rule 1 twice. No pair can be held back,
    # so rule 2 spoils the task at any time.
    task = make_task(
      "near(black sphere, black sphere)",
      {"black cube": 4},
      [
        "near(black cube, black cube) -> black sphere",
        "touching(black cube, player1) -> nothing",
      ],
    )
    measures = complexity.measures(task)
    self.assertEqual(measures["min_rules_to_solution"], 2)
    self.assertEqual(measures["max_rule_repetitions"], 2)
    self.assertEqual(measures["dangerous_rules"], 1)
    self.assertEqual(measures["critical_dangerous_rules"], 0)

  def test_the_most_repeated_rule_counts(self):
    task = make_task(
      "hold(player1, black pyramid)",
      {"black cube": 4},
      [
        "near(black cube, black cube) -> black sphere",  # Twice.
        "near(black sphere, black sphere) -> black pyramid",
      ],
    )
    self.assertEqual(complexity.max_rule_repetitions(task), 2)

  def test_critical_rule_fired_too_often_is_dangerous(self):
    # One cube must stay a cube.
    task = make_task(
      "near(black sphere, black cube)",
      {"black cube": 2},
      ["hold(player1, black cube) -> black sphere"],
    )
    measures = complexity.measures(task)
    self.assertEqual(measures["min_rules_to_solution"], 1)
    self.assertEqual(measures["critical_dangerous_rules"], 1)

  def test_a_negated_goal_is_reached_by_rules_where_they_can(self):
    objects = {"black cube": 1, "black sphere": 1, "yellow wall": 1}
    rules = [
      "near(black cube, yellow wall) -> nothing",  # Critical.
      "touching(yellow wall, black sphere) -> black sphere, black cube",
    ]
    goal = "not near(black cube, black sphere)"
    measures = complexity.measures(make_task(goal, objects, rules))
    self.assertEqual(measures["min_rules_to_solution"], 1)
    self.assertEqual(measures["max_rule_repetitions"], 1)
    # Rule 1 spawns nothing, but is critical.
    self.assertEqual(measures["dead_end_rules"], 0)
    # Rule 2 removes the wall, and no rule reaches the goal without it.
    self.assertEqual(measures["dangerous_rules"], 1)
    no_way = complexity.measures(make_task(goal, objects, rules[1:]))
    self.assertEqual(no_way["min_rules_to_solution"], 0)
    self.assertEqual(no_way["dangerous_rules"], 0)

  def test_states_that_are_not_explored_are_no_danger(self):
    task = make_task(
      "hold(player1, black cube)",
      {"black cube": 1},
      ["near(player1, black cube) -> nothing"],
    )
    self.assertEqual(complexity.dangerous_rules(task), {0})
    with absltest.mock.patch.object(complexity, "_MAX_STATES", 1):
      self.assertEqual(complexity.dangerous_rules(task), set())

  def test_no_rules_and_unsolvable(self):
    measures = complexity.measures(
      make_task("hold(player1, black cube)", {"yellow cube": 2}, [])
    )
    self.assertEqual(measures["min_rules_to_solution"], 0)
    self.assertEqual(measures["distractor_objects"], 2)
    self.assertEqual(measures["max_rule_repetitions"], 0)

  @parameterized.parameters(
    (Hiding(predicates=("near",)), {0}),
    (Hiding(objects=(literals.ObjectType(2, 1),)), {0, 1}),
    (Hiding(rules=(2,)), {1}),
    (Hiding(), set()),
  )
  def test_hidden_rules(self, hiding, expected):
    task = make_task(
      "hold(player1, yellow cube)",
      {"black cube": 1},
      [
        "near(black cube, yellow wall) -> nothing",
        "hold(player1, black wall) -> black cube",
      ],
      hiding=(hiding,),
    )
    self.assertEqual(complexity.hidden_rules(task), expected)


if __name__ == "__main__":
  absltest.main()
