"""Tests of adaland.envs.expert.exploring.beliefs."""

from absl.testing import absltest, parameterized

from adaland.envs.expert.exploring import beliefs
from adaland.envs.tasks.literals import ObjectType, parse_literal
from adaland.envs.tasks.symbolic import make_condition
from adaland.envs.tasks.task import Task


def condition(text):
  return beliefs.canonical(make_condition(parse_literal(text)))


def kind(name):
  return ObjectType.from_name(name).type_id


def believe(rules, **hiding) -> beliefs.Beliefs:
  task = Task.of("hold(player1, black cube)", ["black cube"], rules, **hiding)
  return beliefs.Beliefs(task)


class BeliefsTest(parameterized.TestCase):
  def test_what_is_shown_is_known(self):
    (rule,) = believe(["near(yellow cube, black cube) -> black wall"]).rules
    self.assertTrue(rule.is_known)
    self.assertEqual(rule.condition, condition("near(black cube, yellow cube)"))
    self.assertEqual(rule.known_spawns, (kind("black wall"),))

  def test_a_hidden_predicate_is_one_that_is_not_shown(self):
    known = believe(
      [
        "near(black cube, yellow cube) -> black wall",
        "see(player1, black sphere) -> nothing",
        "touching(black cube, black cube) -> black wall",
      ],
      hide_predicates=["near"],
    )
    # Of the two that are left, `hold` takes a player.
    (only,) = known.rules[0].candidates or []
    self.assertEqual(only.condition, condition("near(black cube, yellow cube)"))

  def test_hidden_objects_are_types_that_are_not_shown(self):
    known = believe(
      ["near(black cube, yellow cube) -> black wall"],
      hide_objects=[ObjectType.from_name("yellow cube")],
    )
    candidates = known.rules[0].candidates or []
    others = {x.condition.object_types for x in candidates}
    # All but the black cube and the black wall.
    self.assertLen(others, 10)
    self.assertIn(
      condition("near(black cube, yellow cube)").object_types, others
    )

  def test_one_reading_is_left_when_all_others_did_nothing(self):
    known = believe(
      [
        "near(black cube, yellow cube) -> black wall",
        "hold(player1, black sphere) -> nothing",
        "see(player1, black sphere) -> nothing",
      ],
      hide_predicates=["near"],
    )
    self.assertLen(known.rules[0].candidates, 2)
    known.note_inert([condition("near(yellow cube, black cube)")])
    self.assertTrue(known.rules[0].is_known)
    self.assertEqual(
      known.rules[0].condition, condition("touching(black cube, yellow cube)")
    )

  def test_what_a_hidden_object_stands_for_holds_in_all_rules(self):
    yellow = ObjectType.from_name("yellow cube")
    known = believe(
      [
        "near(black cube, yellow cube) -> black wall",
        "touching(black sphere, yellow cube) -> yellow cube",
      ],
      hide_objects=[yellow],
    )
    cause = condition("near(black cube, yellow cube)")
    fired = known.note_fired([cause], (kind("black wall"),))
    self.assertIs(fired, known.rules[0])
    self.assertTrue(known.rules[1].is_known)
    self.assertEqual(
      known.rules[1].condition,
      condition("touching(black sphere, yellow cube)"),
    )
    self.assertEqual(known.rules[1].known_spawns, (yellow.type_id,))

  def test_a_hidden_rule_is_settled_by_what_happens(self):
    known = believe(
      [
        "near(black cube, yellow cube) -> black wall",
        "hold(player1, black sphere) -> nothing",
      ],
      hide_rules=[1, 2],
    )
    near = condition("near(black cube, yellow cube)")
    touching = condition("touching(black cube, yellow cube)")
    self.assertEqual(known.weight(0, near), known.weight(1, near))
    # A condition that did nothing before can't be the cause.
    known.note_inert([near])
    self.assertEqual(known.weight(0, near), 0.0)
    self.assertTrue(known.note_fired([near, touching], (kind("black wall"),)))
    self.assertEqual(known.rules[0].condition, touching)
    self.assertEqual(known.rules[0].known_spawns, (kind("black wall"),))
    self.assertFalse(known.rules[1].settled)
    self.assertEqual(known.weight(1, touching), 0.0)
    # The same event again tells nothing about the other rule.
    self.assertTrue(known.note_fired([touching], (kind("black wall"),)))
    self.assertFalse(known.rules[1].settled)

  def test_no_rule_spawns_what_another_is_known_to(self):
    known = believe(
      [
        "near(black cube, yellow cube) -> black wall",
        "touching(black cube, yellow cube) -> yellow wall",
      ],
      hide_predicates=["near", "touching"],
    )
    cause = condition("touching(black cube, yellow cube)")
    self.assertTrue(known.note_fired([cause], (kind("yellow wall"),)))
    self.assertFalse(known.rules[0].is_known)
    self.assertTrue(known.rules[1].is_known)
    self.assertIsNone(
      known.note_fired([condition("hold(player1, black cube)")], ())
    )

  @parameterized.parameters(
    ("near(yellow cube, black cube)", "near(black cube, yellow cube)"),
    ("near(black cube, player1)", "near(player1, black cube)"),
    ("see(black cube, player1)", "see(black cube, player1)"),
  )
  def test_canonical(self, text, expected):
    want = make_condition(parse_literal(expected))
    self.assertEqual(condition(text), want)


if __name__ == "__main__":
  absltest.main()
