"""Tests of the decisions in a study: means and counts worked out by hand."""

import json
import pathlib

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.studies import decisions


def _row(steps, accepted, why, rules=None):
  row = {"env_steps": steps, "accepted": accepted, "why": why}
  return row if rules is None else row | {"complexity": {"rules": rules}}


_ROWS = (
  _row(0, True, "room", 1),
  _row(0, True, "room", 2),
  _row(0, False, "too easy", 1),
  _row(550, True, "room", 4),
  _row(600, False, "too easy"),
)


class DecisionsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def write(self, text):
    (self.folder / "decisions.jsonl").write_text(text)

  def test_counts_and_means(self):
    self.write("".join(json.dumps(row) + "\n" for row in _ROWS))
    read = decisions.read(self.folder)
    found = decisions.summary({"plr": [read, []]})
    self.assertEqual(
      found,
      {
        "plr": {
          "decided": 5,
          "accepted": 3,
          "why": {"room": 3, "too easy": 2},
          "rules": {
            "accepted": [1.5, None, None, None, None, 4.0],
            "refused": [1.0, None, None, None, None, None],
          },
        }
      },
    )
    self.assertEqual(
      decisions.table(found)[-1],
      "| plr | 5 | 60% | room: 3, too easy: 2 "
      "| 1.5 - - - - 4.0 | 1.0 - - - - - |",
    )

  def test_a_decision_of_a_thinned_log_stands_for_more(self):
    rows = [row | {"one_in": 4} for row in _ROWS]
    self.write("".join(json.dumps(row) + "\n" for row in rows))
    read = decisions.read(self.folder)
    found = decisions.summary({"plr": [read, read[:1]]})["plr"]
    self.assertEqual((found["decided"], found["accepted"]), (24, 16))
    self.assertEqual(found["why"], {"room": 16, "too easy": 8})

  def test_a_run_without_decisions(self):
    self.assertEqual(decisions.read(self.folder), [])

  def test_a_damaged_log_is_named(self):
    for text in ("{\n", "[]\n", '{"env_steps": 1}\n'):
      self.write(text)
      with self.assertRaisesRegex(errors.UserError, "decisions.jsonl: "):
        decisions.read(self.folder)

  def test_wrong_values_are_named(self):
    row = _row(7, True, "room", 2)
    for change, message in (
      ({"env_steps": "x"}, 'env_steps is "x", allowed: a finite number'),
      ({"accepted": "false"}, 'accepted is "false", allowed: true or false'),
      ({"why": 3}, "why is 3, allowed: a text in quotes"),
      ({"one_in": "x"}, 'one_in is "x", allowed: a finite number'),
      (
        {"complexity": {"rules": "two"}},
        'complexity.rules is "two", allowed: a finite number',
      ),
    ):
      self.write(json.dumps(row) + "\n" + json.dumps(row | change) + "\n")
      with (
        self.subTest(message),
        self.assertRaisesRegex(
          errors.UserError, f"decisions.jsonl: line 2: {message}"
        ),
      ):
        decisions.read(self.folder)


if __name__ == "__main__":
  absltest.main()
