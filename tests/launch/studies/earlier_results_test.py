"""Tests of which runs and results of earlier calls a study uses."""

import dataclasses
import json

from absl.testing import absltest

from adaland.launch.studies import table
from tests.launch.studies import fake_runs


class EarlierResultsTest(fake_runs.TestCase):
  def setUp(self):
    super().setUp()
    self.draw_nothing()

  def test_what_is_done_is_not_done_again(self):
    self.call("made", "--minutes=2", "--seeds=1")
    self.fake.trained, self.fake.played = [], []
    code, _, _ = self.call("made", "--minutes=2")
    self.assertEqual(code, 0)
    self.assertEqual(
      [run[0] for run in self.fake.trained], ["first-1", "second-1", "third-1"]
    )
    self.fake.trained = []
    self.call("made", "--minutes=3", "--seeds=1")
    self.assertEqual(
      [run[0] for run in self.fake.trained], ["first-0", "second-0", "third-0"]
    )

  def test_results_of_longer_runs_are_not_taken_for_shorter_ones(self):
    self.call("made", "--minutes=9", "--seeds=1")
    code, out, err = self.call("made", "--minutes=2", "--seeds=1")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("first-0.json: is of a longer run (", err)
    self.assertIn("than 2 minutes, allowed: a study of that length", err)

  def test_a_longer_run_is_not_taken_for_a_shorter_one(self):
    self.fake.minutes_before = 45.0
    code, out, err = self.call("made", "--minutes=2", "--seeds=1")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("runs/first-0: is of a longer run (12,000 steps, 45 min", err)
    self.assertIn("or another --runs", err)
    self.assertFalse((self.folder / "out" / "first-0.json").exists())

  def test_results_stand_with_their_runs_only(self):
    self.call("made", "--minutes=2", "--seeds=1")
    self.fake.trained, self.fake.played = [], []
    made = table.STUDIES["made"]
    *others, third = made.variants
    third = dataclasses.replace(third, settings=("learner.learning_rate=0.25",))
    changed = dataclasses.replace(made, variants=(*others, third))
    with absltest.mock.patch.dict(table.STUDIES, {"made": changed}):
      code, out, err = self.call("made", "--minutes=2")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("third-0.json: its run has other settings than the", err)
    self.assertIn("(learner.learning_rate: 0.25, not 0.5), allowed: the", err)
    # Results in a checkout come without their runs; they are not replaced.
    (self.folder / "runs").rename(self.folder / "moved")
    code, out, err = self.call("made", "--minutes=2", "--seeds=1")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("first-0.json: its run is not in ", err)
    self.assertIn("allowed: --runs with the runs of these results, or", err)
    # The teacher of the second variant now has another path.
    runs = f"--runs={self.folder}/moved"
    code, _, err = self.call("made", "--minutes=2", "--seeds=1", more=(runs,))
    self.assertEqual(code, 0, err)
    self.assertEmpty(self.fake.trained + self.fake.played)

  def test_a_stopped_run_is_not_measured(self):
    self.fake.stop_at = "second-0"
    code, _, err = self.call("made", "--minutes=2")
    self.assertEqual(code, 130)
    self.assertIn("interrupted", err)
    self.assertFalse((self.folder / "out" / "second-0.json").exists())
    self.fake.stop_at, self.fake.trained = "", []
    self.assertEqual(self.call("made", "--minutes=2")[0], 0)
    self.assertEqual(self.fake.trained[0][0], "second-0")

  def test_the_page_names_the_launcher_of_its_results(self):
    self.call("made", "--seeds=1")
    page = self.folder / "out" / "README.md"
    before = page.read_text()
    argv = ("made", "--seeds=1", "--launcher=device")
    code, out, err = self.call(*argv)
    self.assertEqual((code, out), (2, ""))
    self.assertIn("first-0.json: its run had --launcher=local, the study", err)
    self.assertEqual(err.count("\n"), 1)
    self.assertEqual(page.read_text(), before)
    # Older results do not name their launcher, and are used as they are.
    for path in (self.folder / "out").glob("*-0.json"):
      content = json.loads(path.read_text())
      self.assertEqual(content.pop("launcher"), "local")
      path.write_text(json.dumps(content))
    self.assertEqual(self.call("made", "--seeds=1")[0], 0)
    self.assertEqual(page.read_text(), before)
    self.assertLen(self.fake.trained, 3)

  def test_results_of_other_tasks_are_refused_before_training(self):
    argv = ("made", "--minutes=2", "--seeds=1")
    self.call(*argv)
    made, page = table.STUDIES["made"], self.folder / "out" / "README.md"
    before, trained = page.read_text(), list(self.fake.trained)
    usual = made.sizes["usual"]
    for size in (
      dataclasses.replace(usual, taskset="probe", num_tasks=1),
      dataclasses.replace(usual, trials=3),
    ):
      other = dataclasses.replace(made, sizes={"usual": size})
      with absltest.mock.patch.dict(table.STUDIES, {"made": other}):
        code, out, err = self.call(*argv)
      self.assertEqual((code, out), (2, ""))
      self.assertIn("expert.json: is of other tasks than the study's", err)
      self.assertEqual(err.count("\n"), 1)
      self.assertEqual(self.fake.trained, trained)
      self.assertEqual(page.read_text(), before)

  def test_a_damaged_result_is_named(self):
    self.call("made", "--minutes=2", "--seeds=1")
    (self.folder / "out" / "first-0.json").write_text("{}")
    code, _, err = self.call("made", "--minutes=2", "--seeds=1")
    self.assertEqual(code, 2)
    self.assertIn("first-0.json: is not of the expected form", err)


if __name__ == "__main__":
  absltest.main()
