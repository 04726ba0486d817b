"""Tests of adaland.envs.tasks.planner."""

from absl.testing import absltest, parameterized

from adaland.envs.tasks import literals, planner, symbolic
from adaland.envs.tasks.task import ObjectSpec, PlayerSpec, Task, World


def make_task(goal, objects, rules, hiding=()):
  """Returns a one-player task in a small flat room."""
  return Task(
    world=World(),
    objects=tuple(
      ObjectSpec(literals.ObjectType.from_name(name), count)
      for name, count in objects.items()
    ),
    players=(PlayerSpec(literals.parse_literal(goal)),),
    rules=tuple(literals.parse_rule(rule) for rule in rules),
    hiding=hiding,
  )


class PlannerTest(parameterized.TestCase):
  def plan(self, *args) -> tuple[int, ...]:
    task = make_task(*args)
    found = planner.plan(
      symbolic.make_game(task), symbolic.initial_counts(task)
    )
    assert found is not None
    return found.rules

  @parameterized.parameters(
    ("hold(player1, black cube)", {"black cube": 1}, [], 0),
    ("near(black cube, black cube)", {"black cube": 1}, [], None),
    ("near(black cube, black cube)", {"black cube": 2}, [], 0),
    ("not near(black cube, yellow cube)", {}, [], 0),
    (
      "hold(player1, yellow cube)",
      {"black cube": 1, "purple cube": 1},
      ["near(black cube, purple cube) -> yellow cube"],
      1,
    ),
    # The second rule needs what only the first makes.
    (
      "hold(player1, yellow cube)",
      {"black cube": 1, "purple cube": 1},
      [
        "touching(player1, black wall) -> yellow cube",
        "near(black cube, purple cube) -> black wall",
      ],
      2,
    ),
    # One rule, used three times: 4 cubes make 2 spheres make 1 pyramid.
    (
      "see(player1, black pyramid)",
      {"black cube": 4},
      [
        "near(black cube, black cube) -> black sphere",
        "near(black sphere, black sphere) -> black pyramid",
      ],
      3,
    ),
    # The fewest rules, although the longer way fires by itself.
    (
      "hold(player1, black wall)",
      {"black cube": 1, "purple cube": 1, "purple sphere": 1},
      [
        "near(player1, black cube) -> black wall",
        "see(black cube, purple cube) -> black sphere",
        "see(black sphere, purple sphere) -> black wall",
      ],
      1,
    ),
    # The goal's own relation would consume its objects.
    (
      "touching(black cube, yellow cube)",
      {"black cube": 1, "yellow cube": 1},
      ["near(black cube, yellow cube) -> nothing"],
      None,
    ),
    # Touching implies being near, which destroys the objects.
    (
      "hold(player1, black wall)",
      {"black cube": 1, "yellow cube": 1},
      [
        "touching(black cube, yellow cube) -> black wall",
        "near(yellow cube, black cube) -> nothing",
      ],
      None,
    ),
    # Rules that never end, although the search does.
    (
      "hold(player1, black wall)",
      {"black cube": 2},
      ["near(black cube, black cube) -> black cube, black cube, black cube"],
      None,
    ),
  )
  def test_min_rules(self, goal, objects, rules, expected):
    task = make_task(goal, objects, rules)
    self.assertEqual(planner.shortest_length(task), expected)

  def test_takes_the_way_around_a_dead_end(self):
    # Rule 1 is shorter to state but wastes the sphere that rule 3 needs.
    found = self.plan(
      "hold(player1, yellow wall)",
      {"black cube": 1, "black sphere": 1, "purple cube": 1},
      [
        "near(black cube, black sphere) -> purple wall",
        "near(black cube, purple cube) -> yellow cube",
        "near(yellow cube, black sphere) -> yellow wall",
      ],
    )
    self.assertEqual(found, (1, 2))

  def test_harm_tells_dead_ends(self):
    task = make_task(
      "hold(player1, yellow wall)",
      {"black cube": 2, "black sphere": 1, "purple cube": 1},
      [
        "near(black sphere, purple cube) -> nothing",
        "near(black cube, black sphere) -> yellow wall",
        "near(black cube, purple cube) -> black wall",
        "near(black pyramid, purple cube) -> nothing",
      ],
    )
    harm = planner.harm(symbolic.make_game(task), symbolic.initial_counts(task))
    self.assertEqual(harm, (float("inf"), -1.0, 0.0, 0.0))

  def test_removes_the_onlooker_before_it_is_seen(self):
    # The sphere is lost as soon as the cube sees it.
    found = self.plan(
      "hold(player1, yellow sphere)",
      {"black cube": 1, "purple pyramid": 1, "purple cube": 1, "black wall": 1},
      [
        "near(black cube, purple pyramid) -> yellow sphere",
        "see(yellow sphere, purple cube) -> nothing",
        "near(purple cube, black wall) -> nothing",
      ],
    )
    self.assertEqual(found, (2, 0))

  def test_prefers_removal_to_building_a_screen(self):
    found = self.plan(
      "not see(yellow sphere, black sphere)",
      {"black sphere": 1, "yellow sphere": 1},
      ["touching(yellow sphere, black sphere) -> nothing"],
    )
    self.assertEqual(found, (0,))

  def test_prefers_what_fires_by_itself(self):
    found = self.plan(
      "hold(player1, black wall)",
      {"black cube": 1, "purple cube": 1, "yellow cube": 1},
      [
        "near(player1, yellow cube) -> black wall",
        "see(black cube, purple cube) -> black wall",
      ],
    )
    self.assertEqual(found, (1,))

  def test_what_fires_by_itself_is_no_trouble_unless_in_the_way(self):
    rules = ["near(black wall, player1) -> yellow cube"]
    goal, objects = "hold(player1, yellow cube)", {"black wall": 1}
    self.assertEqual(self.plan(goal, objects, rules), (0,))
    # Only these two are added: they separate by themselves, which is harmless.
    objects |= {"purple cube": 1, "black sphere": 1}
    rules.append("not near(purple cube, black sphere) -> black sphere")
    self.assertEqual(self.plan(goal, objects, rules), (0,))

  def test_alternatives_are_a_little_dearer(self):
    task = make_task(
      "hold(player1, yellow wall)",
      {"black cube": 2, "black sphere": 1, "purple cube": 1},
      [
        "near(black cube, black sphere) -> yellow wall",
        "near(black cube, purple cube) -> black wall",
        "near(black wall, black sphere) -> yellow wall",
        "near(purple cube, purple cube) -> yellow wall",
      ],
    )
    found = planner.alternatives(
      symbolic.make_game(task), symbolic.initial_counts(task)
    )
    self.assertEqual(found[0], planner.Plan((0,), 1.0))
    others = {plan.rules: plan.cost for plan in found[1:]}
    self.assertEqual(others, {(0, 1): 2.0, (1, 0): 2.0, (1, 2): 2.0})

  def test_alternatives_are_at_most_five_dearer(self):
    # Rule 1, before it up to five of the seven steps of the other way.
    colours, shapes = ("black", "purple", "yellow"), ("pyramid", "cube")
    kinds = [f"{x} {y}" for y in shapes for x in colours] + ["purple wall"]
    steps = [
      f"near(player1, {a}) -> {b}"
      for a, b in zip(kinds, [*kinds[1:], "yellow wall"], strict=True)
    ]
    task = make_task(
      "hold(player1, yellow wall)",
      {"black sphere": 1, "black pyramid": 1},
      ["near(player1, black sphere) -> yellow wall", *steps],
    )
    found = planner.alternatives(
      symbolic.make_game(task), symbolic.initial_counts(task)
    )
    self.assertEqual({plan.cost for plan in found}, {1, 2, 3, 4, 5, 6})

  def test_no_alternative_to_nothing(self):
    task = make_task("hold(player1, black wall)", {"black cube": 1}, [])
    game, counts = symbolic.make_game(task), symbolic.initial_counts(task)
    self.assertEqual(planner.alternatives(game, counts), ())


if __name__ == "__main__":
  absltest.main()
