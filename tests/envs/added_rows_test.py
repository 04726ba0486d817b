"""Tests of adaland.envs.added_rows; tables_test has slips in modules."""

import os
import sys

from absl.testing import absltest, parameterized

from adaland.envs import added_rows, tables


def row(id, name="above", **fields):
  made = tables.Predicate(name, id, "", lambda nodes: nodes.touching)
  return made._replace(**fields)


class ReadTest(absltest.TestCase):
  def test_rows_of_several_modules_follow_each_other(self):
    folder = self.create_tempdir()
    for name, rows in (("rows_one", "(near, see)"), ("rows_two", "[hold]")):
      folder.create_file(
        f"{name}.py",
        "from adaland.envs import tables\n"
        "near, hold, see = tables.PREDICATES[1:]\n"
        f"PREDICATES = {rows}\n",
      )
    named = {added_rows.VARIABLE: " rows_one , rows_two,"}
    with (
      absltest.mock.patch.object(sys, "path", [*sys.path, folder.full_path]),
      absltest.mock.patch.dict(sys.modules),
      absltest.mock.patch.dict(os.environ, named),
    ):
      found = added_rows.read("PREDICATES", tables.Predicate)
      self.assertEqual([x.name for x in found], ["near", "see", "hold"])
      self.assertEqual(added_rows.read("SHAPES", tables.Shape), [])


class CheckTest(parameterized.TestCase):
  def test_rows_in_a_row_are_allowed(self):
    rows = [row(10), row(11, "below"), row(12, "beside", weight=0)]
    added_rows.check(rows, 10, 12, {"near"}, {"symmetric": ("any", "none")})

  @parameterized.parameters(
    ([row(10), row(10, "below")], "'below' .*: id is 10, allowed: 11"),
    ([row(11)], "id is 11, allowed: 10"),
    (
      [row(10), row(11, "below"), row(12, "beside")],
      "'beside' .*: id is 12, allowed: none, as 11 is the last",
    ),
    ([row(10), row(11)], "'above' .*, allowed: a word that is not in use"),
    ([row(10, "on top")], "'on top' .*, allowed: a word that is not in use"),
    (
      [row(10, arguments=("any", "wall"))],
      "arguments is 'wall', allowed: any, player",
    ),
  )
  def test_refuses(self, rows, message):
    with self.assertRaisesRegex(ValueError, message):
      added_rows.check(rows, 10, 11, set(), {"arguments": ("any", "player")})


if __name__ == "__main__":
  absltest.main()
