"""Tests of the tables of predicates and shapes, with rows added by a user."""

import os
import subprocess
import sys

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import added_rows, constants, tables

_ROW = tables.Predicate("above", 10, "", lambda nodes: nodes.touching)


class TablesTest(parameterized.TestCase):
  def test_ids_never_change(self):
    self.assertEqual(
      [(row.name, row.id) for row in (*tables.PREDICATES, *tables.SHAPES)],
      [
        ("touching", 1),
        ("near", 2),
        ("hold", 3),
        ("see", 4),
        ("wall", 1),
        ("cube", 2),
        ("sphere", 3),
        ("pyramid", 4),
      ],
    )
    self.assertEqual(constants.NUM_PREDICATE_IDS, 10)
    self.assertEqual(constants.NUM_SHAPE_IDS, 18)
    self.assertEqual(constants.HIDDEN_RULE, 5)

  def test_a_pyramid_s_inertia_is_that_of_its_slices(self):
    base, height, mass = 0.3, 0.7, 2.0
    up = (np.arange(4000) + 0.5) / 4000  # Share of the height.
    side = base * (1 - up)
    part = mass * side**2 / (side**2).sum()
    above = up * height - (part * up).sum() / mass * height
    across = (part * (side**2 / 3 + above**2)).sum()
    along = (part * 2 * side**2 / 3).sum()
    made = tables.pyramid("spire", 18, base, height).inertia(mass)
    np.testing.assert_allclose(made, (across, across, along), rtol=1e-5)

  def test_rows_from_outside_serve_everywhere(self):
    done = subprocess.run(
      [sys.executable, "-m", "tests.envs.use_rows_of_a_user"],
      env=os.environ | {added_rows.VARIABLE: "tests.envs.rows_of_a_user"},
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual(done.returncode, 0, done.stderr)

  @parameterized.parameters(
    ({"id": 5}, "id is 5, allowed: 10"),
    ({"name": "near"}, "of ADALAND_TABLES, allowed: a word that is not in use"),
    ({"means": "smell"}, "means is 'smell', allowed: near, see"),
    ({"weight": -1}, "weight is -1, allowed: from 0"),
    ({"arguments": ("any", "player")}, "0 where b is a player"),
  )
  def test_a_row_that_cannot_be_added_is_refused(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      added_rows.check(
        [_ROW._replace(**change)], 10, 15, {"near"}, {"means": ("near", "see")}
      )

  @parameterized.parameters("0.0", "-0.1", "inf", "nan")
  def test_a_shape_without_a_size_is_refused(self, size):
    row = tables.box("sheet", 18, 0.3, 0.3, float(size))
    with self.assertRaisesRegex(
      ValueError,
      rf"shape 'sheet' of ADALAND_TABLES: half_extents is .*, {size}\), "
      "allowed: finite numbers above 0",
    ):
      added_rows.check([row], 18, 23, set(), {})

  @parameterized.parameters(
    ("above", r"whose PREDICATES is Predicate\(.*\), allowed: a tuple of rows"),
    ("10", r"whose PREDICATES is 10, .*, such as \(Predicate\(...\),\)$"),
    ("(cube,)", r"whose PREDICATES is \(Shape\(.*, allowed: a tuple of rows"),
    ("tables.Predicate('above', 10)", "TypeError: .* missing 2 required"),
    ("exit()", "names 'slips': SystemExit"),
  )
  def test_a_slip_in_a_module_is_refused(self, rows, message):
    folder = self.create_tempdir()
    folder.create_file(
      "slips.py",
      "from adaland.envs import tables\n"
      "above, cube = tables.PREDICATES[0], tables.SHAPES[0]\n"
      f"PREDICATES = {rows}\n",
    )
    with (
      absltest.mock.patch.object(sys, "path", [*sys.path, folder.full_path]),
      absltest.mock.patch.dict(sys.modules),
      absltest.mock.patch.dict(os.environ, {added_rows.VARIABLE: "slips"}),
      self.assertRaisesRegex(ValueError, message),
    ):
      added_rows.read("PREDICATES", tables.Predicate)

  def test_a_module_without_rows_ends_a_command_with_one_line(self):
    for module, reason in (
      ("nowhere", "names 'nowhere': ModuleNotFoundError: No module named"),
      ("json", "names 'json', which has no rows yet, allowed: modules with"),
    ):
      done = subprocess.run(
        [sys.executable, "-m", "adaland", "tasks", "list"],
        env=os.environ | {added_rows.VARIABLE: module},
        capture_output=True,
        text=True,
        check=False,
      )
      self.assertEqual(done.returncode, 2, done.stderr)
      self.assertIn(reason, done.stderr)
      self.assertLen(done.stderr.splitlines(), 1)


if __name__ == "__main__":
  absltest.main()
