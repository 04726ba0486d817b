"""Object types, literals and rules, which make up games.

Each has one spelling, returned by `str` and read by its `parse_*` function:

  black cube
  not near(black cube, player1)
  near(black pyramid, yellow sphere) -> black cube, black cube

Arguments are types: a literal holds if some pair of instances satisfies it,
its negation if none does.
"""

import dataclasses
import re

from adaland.envs import constants, tables
from adaland.envs.tasks import checks, json_checks

_LITERAL = re.compile(r"\s*(not\s+)?(\w+)\s*\(([^(),]*),([^(),]*)\)\s*")
_LITERAL_FORM = (
  "a literal 'predicate(a, b)' or 'not predicate(a, b)' with one of the "
  f"predicates {', '.join(constants.PREDICATES)}"
)
# The arguments of a predicate in words.
_KINDS = {
  "any": "object type or player",
  "player": "player",
  "object": "object type",
}


@dataclasses.dataclass(frozen=True, order=True)
class ObjectType:
  """A shape in a colour.

  Attributes:
    shape: Shape id, one of SHAPE_IDS.
    colour: Colour id, 1 to NUM_COLOURS.
  """

  shape: int
  colour: int

  def __post_init__(self):
    if not checks.is_whole(self.shape) or self.shape not in constants.SHAPE_IDS:
      raise json_checks.refusal(
        "shape", self.shape, ", ".join(map(str, constants.SHAPE_IDS))
      )
    checks.check_range("colour", self.colour, 1, constants.NUM_COLOURS)

  @property
  def row(self) -> tables.Shape:
    """The shape's row of the table."""
    return tables.SHAPES[constants.SHAPE_IDS.index(self.shape)]

  @property
  def type_id(self) -> int:
    """Id of the pair of shape and colour, 1 to NUM_OBJECT_TYPES."""
    row = constants.SHAPE_IDS.index(self.shape)
    return row * constants.NUM_COLOURS + self.colour

  @property
  def ids(self) -> tuple[int, int]:
    """The pair (shape, colour), as in arrays."""
    return self.shape, self.colour

  @property
  def name(self) -> str:
    """Colour and shape, such as 'black cube'."""
    return f"{constants.COLOURS[self.colour - 1]} {self.row.name}"

  def __str__(self) -> str:
    return self.name

  @classmethod
  def from_name(cls, name: str) -> "ObjectType":
    """Returns the type with a name, the inverse of `name`."""
    checks.check_text("name of an object type", name)
    words = name.split()
    if (
      len(words) != 2
      or words[0] not in constants.COLOURS
      or words[1] not in constants.SHAPES
    ):
      raise ValueError(
        f"{name.strip()!r} is no object type, allowed: a colour "
        f"({', '.join(constants.COLOURS)}) and a shape "
        f"({', '.join(constants.SHAPES)}), such as 'black cube'"
      )
    return cls(
      shape=constants.SHAPE_IDS[constants.SHAPES.index(words[1])],
      colour=constants.COLOURS.index(words[0]) + 1,
    )

  @classmethod
  def from_type_id(cls, type_id: int) -> "ObjectType":
    """Returns the type with an id, the inverse of `type_id`."""
    checks.check_range("type id", type_id, 1, constants.NUM_OBJECT_TYPES)
    row, colour = divmod(type_id - 1, constants.NUM_COLOURS)
    return cls(shape=constants.SHAPE_IDS[row], colour=colour + 1)


OBJECT_TYPES = tuple(
  ObjectType.from_type_id(i) for i in range(1, constants.NUM_OBJECT_TYPES + 1)
)


@dataclasses.dataclass(frozen=True, order=True)
class Player:
  """A player as the argument of a literal; `index` counts from 1."""

  index: int

  def __post_init__(self):
    checks.check_range("player index", self.index, 1, constants.MAX_PLAYERS)

  @property
  def type_id(self) -> int:
    """One of PLAYER_TYPE_IDS."""
    return constants.PLAYER_TYPE_IDS[self.index - 1]

  @property
  def ids(self) -> tuple[int, int]:
    """(PLAYER_SHAPE, index), where objects have (shape, colour)."""
    return constants.PLAYER_SHAPE, self.index

  @property
  def name(self) -> str:
    """Name, such as 'player1'."""
    return f"player{self.index}"

  def __str__(self) -> str:
    return self.name


Argument = ObjectType | Player


@dataclasses.dataclass(frozen=True)
class Literal:
  """A relation between two types, or its negation.

  Attributes:
    predicate: One of PREDICATES.
    a: First argument, such as the player of `hold`.
    b: Second argument, such as the held object.
    negated: If true, the literal holds if no pair satisfies the relation.
  """

  predicate: str
  a: Argument
  b: Argument
  negated: bool = False

  def __post_init__(self):
    checks.check_text("predicate", self.predicate)
    if self.predicate not in constants.PREDICATES:
      raise ValueError(
        f"{self.predicate!r} is no predicate, allowed: "
        f"{', '.join(constants.PREDICATES)}"
      )
    for name, argument in zip("ab", self.arguments, strict=True):
      checks.check_type(
        f"{name} of {self.predicate}", argument, ObjectType, Player
      )
    checks.check_flag("negated", self.negated)
    wanted = self.row.arguments
    if any(
      kind != "any" and (kind == "player") != isinstance(argument, Player)
      for kind, argument in zip(wanted, self.arguments, strict=True)
    ):
      allowed = ", ".join(_KINDS[kind] for kind in wanted)
      raise ValueError(
        f"'{self}' is impossible, allowed: {self.predicate}({allowed})"
      )
    if isinstance(self.a, Player) and self.a == self.b:
      raise ValueError(
        f"'{self}' relates a player to itself, allowed: two different players"
      )

  @property
  def row(self) -> tables.Predicate:
    """The predicate's row of the table."""
    return tables.PREDICATE_OF_NAME[self.predicate]

  @property
  def means(self) -> str:
    """The built-in predicate whose skill achieves this one."""
    return self.row.means

  @property
  def arguments(self) -> tuple[Argument, Argument]:
    """Both arguments."""
    return self.a, self.b

  @property
  def object_types(self) -> tuple[ObjectType, ...]:
    """The arguments that are object types, in order."""
    return tuple(x for x in self.arguments if isinstance(x, ObjectType))

  @property
  def symmetric(self) -> bool:
    """True if swapping the arguments changes nothing.

    A player sees what is in its view, but an object sees what is on a free line
    of sight, so `see` is symmetric only between objects.
    """
    if self.row.symmetric == "object":
      return len(self.object_types) == 2
    return self.row.symmetric == "any"

  def __str__(self) -> str:
    sign = "not " if self.negated else ""
    return f"{sign}{self.predicate}({self.a}, {self.b})"


@dataclasses.dataclass(frozen=True)
class Rule:
  """A production rule: objects that satisfy `condition` become `spawns`.

  Attributes:
    condition: The literal that triggers the rule; its objects are consumed.
    spawns: The objects that appear instead, at most MAX_SPAWNS.
  """

  condition: Literal
  spawns: tuple[ObjectType, ...] = ()

  def __post_init__(self):
    checks.check_type("condition of a rule", self.condition, Literal)
    spawns = checks.as_tuple("spawns of a rule", self.spawns, "ObjectTypes")
    for spawn in spawns:
      checks.check_type("a spawn of a rule", spawn, ObjectType)
    object.__setattr__(self, "spawns", spawns)
    if len(self.spawns) > constants.MAX_SPAWNS:
      raise ValueError(
        f"'{self}' spawns {len(self.spawns)} objects, allowed: at most "
        f"{constants.MAX_SPAWNS}"
      )

  def __str__(self) -> str:
    return (
      f"{self.condition} -> {', '.join(map(str, self.spawns)) or 'nothing'}"
    )


def parse_argument(text: str) -> Argument:
  """Reads an object type or a player."""
  checks.check_text("argument", text)
  name = text.strip()
  if re.fullmatch(r"player\d+", name):
    index = int(name[len("player") :])
    if not 1 <= index <= constants.MAX_PLAYERS:
      raise ValueError(
        f"{name!r} is no player, allowed: player1 to "
        f"player{constants.MAX_PLAYERS}"
      )
    return Player(index)
  try:
    return ObjectType.from_name(name)
  except ValueError as error:
    raise ValueError(f"{error}; or a player, such as player1") from None


def parse_literal(text: str) -> Literal:
  """Parses a result of `str(literal)`, with any spacing."""
  checks.check_text("literal", text)
  match = _LITERAL.fullmatch(text)
  if match is None:
    raise ValueError(f"{text.strip()!r} is not {_LITERAL_FORM}")
  negated, predicate, a, b = match.groups()
  if predicate not in constants.PREDICATES:
    raise ValueError(
      f"{predicate!r} is no predicate, allowed: "
      f"{', '.join(constants.PREDICATES)}"
    )
  return Literal(predicate, parse_argument(a), parse_argument(b), bool(negated))


def parse_rule(text: str) -> Rule:
  """Parses a result of `str(rule)`, with any spacing."""
  checks.check_text("rule", text)
  condition, arrow, spawns = text.partition("->")
  if not arrow:
    raise ValueError(
      f"{text.strip()!r} is no rule, allowed: 'literal -> type, type' or "
      "'literal -> nothing'"
    )
  if spawns.strip() == "nothing":
    return Rule(parse_literal(condition))
  return Rule(
    parse_literal(condition),
    tuple(ObjectType.from_name(name) for name in spawns.split(",")),
  )
