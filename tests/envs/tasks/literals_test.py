"""Tests of adaland.envs.tasks.literals."""

from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks import literals
from adaland.envs.tasks.literals import Literal, ObjectType, Player, Rule

BLACK_CUBE = ObjectType(shape=2, colour=1)
YELLOW_WALL = ObjectType(shape=1, colour=3)


class ObjectTypeTest(parameterized.TestCase):
  @parameterized.parameters(
    ("black wall", 1),
    ("yellow wall", 3),
    ("black cube", 4),
    ("yellow pyramid", 12),
  )
  def test_ids(self, name, type_id):
    kind = ObjectType.from_name(name)
    self.assertEqual(kind.type_id, type_id)
    self.assertEqual(kind.name, name)
    self.assertEqual(ObjectType.from_type_id(type_id), kind)

  def test_all_types_are_listed_once(self):
    ids = [kind.type_id for kind in literals.OBJECT_TYPES]
    self.assertEqual(ids, list(range(1, constants.NUM_OBJECT_TYPES + 1)))

  @parameterized.parameters("cube", "black  ball", "Black cube", "cube black")
  def test_bad_name(self, name):
    with self.assertRaisesRegex(ValueError, "is no object type.*black, purple"):
      ObjectType.from_name(name)

  def test_bad_ids(self):
    with self.assertRaisesRegex(ValueError, "type id is 13, allowed: 1 to 12"):
      ObjectType.from_type_id(13)
    with self.assertRaisesRegex(ValueError, "colour is 4, allowed: 1 to 3"):
      ObjectType(1, 4)


class LiteralTest(parameterized.TestCase):
  @parameterized.parameters(
    (Literal("near", BLACK_CUBE, YELLOW_WALL), "near(black cube, yellow wall)"),
    (
      Literal("hold", Player(1), BLACK_CUBE, negated=True),
      "not hold(player1, black cube)",
    ),
    (Literal("see", Player(2), Player(1)), "see(player2, player1)"),
  )
  def test_text_and_back(self, literal, text):
    self.assertEqual(str(literal), text)
    self.assertEqual(literals.parse_literal(text), literal)
    spaced = text.replace("(", " ( ").replace(",", " ,  ") + " "
    self.assertEqual(literals.parse_literal(spaced), literal)

  @parameterized.parameters(
    ("near(black cube)", "is not a literal"),
    ("near(black cube, yellow wall", "is not a literal"),
    ("nott near(black cube, yellow wall)", "is not a literal"),
    ("by(black cube, yellow wall)", "'by' is no predicate, allowed: touching"),
    ("near(black cube, player3)", "'player3' is no player.*player1 to player2"),
    ("near(black cube, me)", "'me' is no object type.*or a player"),
    ("hold(black cube, yellow wall)", "allowed: hold.player, object type."),
    ("hold(player1, player2)", "allowed: hold.player, object type."),
    ("near(player1, player1)", "relates a player to itself"),
  )
  def test_malformed(self, text, message):
    with self.assertRaisesRegex(ValueError, message):
      literals.parse_literal(text)

  @parameterized.parameters(
    ("near(player1, black cube)", True),
    ("touching(black cube, yellow wall)", True),
    ("see(black cube, yellow wall)", True),
    ("see(player1, black cube)", False),
    ("see(black cube, player1)", False),
    ("hold(player1, black cube)", False),
  )
  def test_symmetric(self, text, symmetric):
    self.assertEqual(literals.parse_literal(text).symmetric, symmetric)


class RuleTest(parameterized.TestCase):
  @parameterized.parameters(
    ((), "near(black cube, black cube) -> nothing"),
    (
      (YELLOW_WALL, BLACK_CUBE),
      "near(black cube, black cube) -> yellow wall, black cube",
    ),
  )
  def test_text_and_back(self, spawns, text):
    rule = Rule(Literal("near", BLACK_CUBE, BLACK_CUBE), spawns)
    self.assertEqual(str(rule), text)
    self.assertEqual(literals.parse_rule(text), rule)

  @parameterized.parameters(
    ("near(black cube, black cube)", "is no rule"),
    ("near(black cube, black cube) ->", "'' is no object type"),
    ("near(black cube, black cube) -> nothing, black cube", "'nothing' is no"),
    ("near(black cube, black cube) -> player1", "'player1' is no object type"),
    (
      "near(black cube, black cube) -> " + ", ".join(["black cube"] * 5),
      "spawns 5 objects, allowed: at most 4",
    ),
  )
  def test_malformed(self, text, message):
    with self.assertRaisesRegex(ValueError, message):
      literals.parse_rule(text)


if __name__ == "__main__":
  absltest.main()
