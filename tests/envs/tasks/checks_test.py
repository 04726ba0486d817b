"""Tests of adaland.envs.tasks.checks and of the parts of tasks that use it."""

from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.tasks import checks, literals, task

_CUBE = literals.ObjectType.from_name("black cube")
_GOAL = literals.parse_literal("hold(player1, black cube)")
_OBJECT = task.ObjectSpec(_CUBE)
_PLAYER = task.PlayerSpec(_GOAL)

# One of each type: whatever a field takes, it refuses most of these.
_VALUES: tuple[Any, ...] = (
  5,
  None,
  True,
  2.5,
  1j,
  "x",
  "black cube",
  object(),
  {},
  {"a": 1},
  (1, 2, 3),
  [[1, 2]],
  [{}],
  [None, None],
  _CUBE,
  _GOAL,
  [_GOAL],
  np.int64(3),
  np.array(3),
  np.array([3, 4]),
  np.array([[1.0, 2.0], [3.0, 4.0]]),
)

# A maker, its arguments, and each field's name in errors.
_MAKERS: tuple[tuple[Any, dict[str, Any], dict[str, str]], ...] = (
  (
    task.World,
    {},
    {
      name: f"world.{name}"
      for name in ("seed", "tiles", "levels", "heights", "walls", "diagonals")
    },
  ),
  (
    task.ObjectSpec,
    {"type": _CUBE},
    {
      "type": "type of an object",
      "count": "count of black cube",
      "at": "at of|position of|has . positions",
      "frozen": "frozen of black cube",
    },
  ),
  (
    task.PlayerSpec,
    {"goal": _GOAL},
    {"goal": "goal of a player", "at": "position of a player"},
  ),
  (
    task.Hiding,
    {},
    {
      "rules": "hidden rule",
      "objects": "hidden object",
      "predicates": "hidden predicate",
    },
  ),
  (task.ObjectType, {"shape": 1, "colour": 1}, {"shape": "", "colour": ""}),
  (task.Player, {"index": 1}, {"index": ""}),
  (
    task.Literal,
    {"predicate": "near", "a": _CUBE, "b": _CUBE},
    {
      "predicate": "",
      "a": "a of near",
      "b": "b of near",
      "negated": "",
    },
  ),
  (task.Rule, {"condition": _GOAL}, {"condition": "", "spawns": "spawn"}),
  (
    task.Task,
    {"world": task.World(), "objects": [_OBJECT], "players": [_PLAYER]},
    dict.fromkeys(
      ("world", "objects", "players", "rules", "hiding", "trials"), ""
    )
    | {"trial_seconds": "", "name": ""},
  ),
  (
    task.Task.of,
    {"goal": _GOAL, "objects": [_CUBE]},
    {
      "objects": "",
      "rules": "",
      "at": "",
      "hide_rules": "hide",
      "world_seed": "world.seed",
      "tiles": "",
      "heights": "heights|tiles",
      "trials": "",
    },
  ),
  (literals.ObjectType.from_name, {}, {"name": "object type"}),
  (literals.ObjectType.from_type_id, {}, {"type_id": "type id"}),
  (literals.parse_argument, {}, {"text": "argument|object type"}),
  (literals.parse_literal, {}, {"text": "literal"}),
  (literals.parse_rule, {}, {"text": "rule"}),
)


class CheckPairTest(parameterized.TestCase):
  @parameterized.parameters(
    ([2, 5], True, (2, 5)), ((3, 3), True, (3, 3)), ([2.5, 5], False, (2.5, 5))
  )
  def test_takes(self, given, whole, expected):
    self.assertEqual(checks.check_pair("sizes", given, 2, 5, whole), expected)

  @parameterized.parameters(
    ((1, 3),), ((3, 6),), ((4, 3),), ((2.0, 3),), ((True, 3),), ((3,),),
    ((2, 3, 4),), ("23",), ({2, 3},), (3,), (None,),
  )  # fmt: skip
  def test_refuses(self, given):
    with self.assertRaisesRegex(
      ValueError, r"^sizes is .*, allowed: \(first, last\), whole .* 2 to 5$"
    ):
      checks.check_pair("sizes", given, 2, 5)

  def test_refuses_what_is_no_number(self):
    for given in ((2.5, float("nan")), ("a", 3.0), (False, 3.0)):
      with self.assertRaisesRegex(ValueError, "numbers from 0 to 5"):
        checks.check_pair("sizes", given, 0, 5, whole=False)


class RefusalTest(parameterized.TestCase):
  @parameterized.named_parameters(
    (f"{make.__qualname__}_{field}", make, fields, field, words or field)
    for make, fields, named in _MAKERS
    for field, words in named.items()
  )
  def test_another_type_is_refused_by_name(self, make, fields, field, words):
    refused = 0
    for value in _VALUES:
      try:
        hash(make(**{**fields, field: value}))
      except ValueError as error:
        self.assertRegex(str(error), words)
        self.assertRegex(str(error), "allowed:|needed:|is not a literal")
        refused += 1
    self.assertGreater(refused, len(_VALUES) / 2)

  @parameterized.parameters(
    (
      lambda: task.World(tiles=5),  # pyrefly: ignore[bad-argument-type]
      "world.tiles is 5, allowed: a list of two numbers",
    ),
    (
      lambda: task.World(heights=[0, 0]),  # pyrefly: ignore[bad-argument-type]
      r"world.heights\[0\] is 0, allowed: a list of levels",
    ),
    (
      lambda: task.PlayerSpec("hold"),  # pyrefly: ignore[bad-argument-type]
      'goal of a player is "hold", allowed: an instance of Literal .Task.of',
    ),
    (
      lambda: task.Task(task.World(), _OBJECT, [_PLAYER]),  # pyrefly: ignore[bad-argument-type]
      "objects is ObjectSpec.*, allowed: a list of ObjectSpec",
    ),
  )
  def test_message(self, make, message):
    with self.assertRaisesRegex(ValueError, message):
      make()


if __name__ == "__main__":
  absltest.main()
