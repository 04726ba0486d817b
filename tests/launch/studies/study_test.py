"""Tests of a whole study, with runs and evaluations that take no time.

`earlier_results_test` tests which results of earlier calls a study uses.
"""

import json
import time

from absl.testing import absltest, parameterized

from adaland.launch.studies import processor_time, study
from tests.launch.studies import fake_runs

_FIRST_AND_SECOND = ["first-0", "second-0"]


class StudyTest(fake_runs.TestCase):
  def test_trains_plays_and_reports(self):
    code, out, _ = self.call("made", "--minutes=2")
    self.assertEqual(code, 0)
    teacher = f"{self.folder}/runs/first-"
    self.assertEqual(
      self.fake.trained,
      [
        ("first-0", "", "local"),
        ("second-0", f"{teacher}0", "local"),
        ("third-0", "", "local"),
        ("first-1", "", "local"),
        ("second-1", f"{teacher}1", "local"),
        ("third-1", "", "local"),
      ],
    )
    self.assertEqual(
      self.fake.played,
      [*study.PLAYERS, *2 * ["first", "second", "third"]],
    )
    # The held-out half of the preset's tasks.
    self.assertEqual(self.fake.tasks, {("test 0", "test 1", "test 2")})
    results = self.folder / "out"
    self.assertEqual(out, (results / "README.md").read_text() + "\n")
    for line in (
      "| first (2 seeds) | 0.10 [0.10, 0.10] | 0.25 [0.25, 0.25] |",
      "| random | 0.10 [0.10, 0.10] | 0.30 [0.30, 0.30] |",
      "| at 0.01 million steps | at 2.0 minutes | at 0.5 processor minutes |",
      # The mean of the last nine of twelve rows: 8 / 12, and twice that.
      "| second | 0.01 | 8 | 0.5 |" + 3 * " 1.00 [0.67, 1.33] |",
      "| second | `learner.privileged.distillation_weight=1` | first |",
      "    adaland study made --seeds=2 --minutes=2",
    ):
      self.assertIn(line, out)
    found = json.loads((results / "study.json").read_text())
    self.assertEqual(found["equal"]["steps"]["at"], 12000)
    self.assertEqual(found["training"]["first"][1]["seed"], 1)
    for name in ("scores.png", "curves.png"):
      self.assertTrue((results / name).read_bytes().startswith(b"\x89PNG"))

  def test_a_size_decides_on_preset_length_and_launcher(self):
    self.draw_nothing()
    code, out, _ = self.call("made", "--size=small", "--seeds=1")
    self.assertEqual(code, 0)
    self.assertEqual({run[2] for run in self.fake.trained}, {"device"})
    self.assertIn("is trained for 12,000 steps", out)
    self.assertIn(
      "    adaland study made --seeds=1 --size=small --steps=12000\n", out
    )
    # More steps than the runs have: they are continued, but remain too short.
    self.fake.trained = []
    argv = ("made", "--size=small", "--seeds=1", "--steps=13000")
    self.assertEqual(self.call(*argv)[0], 130)
    self.assertLen(self.fake.trained, 1)
    # The processor time of both starts counts.
    spent = json.loads((self.folder / "runs/first-0.spent.json").read_text())
    self.assertEqual(spent, {"cpu_seconds": 2 * fake_runs.CPU_SECONDS})

  def test_processor_time_is_written_during_a_run_that_may_be_killed(self):
    self.draw_nothing()
    path = self.folder / "runs" / "first-0.spent.json"
    seen = []

    def wait(workdir):
      del workdir
      deadline = time.monotonic() + 60
      while not path.exists():
        self.assertLess(time.monotonic(), deadline)
        time.sleep(0.01)
      seen.append(json.loads(path.read_text())["cpu_seconds"])

    self.fake.during = wait
    with absltest.mock.patch.object(processor_time, "_PERIOD", 0.01):
      self.call("made", "--seeds=1", "--only=first,third")
    self.assertGreaterEqual(seen[0], fake_runs.CPU_SECONDS)
    result = json.loads((self.folder / "out" / "first-0.json").read_text())
    last = json.loads(path.read_text())["cpu_seconds"]
    self.assertGreater(last, seen[0])
    self.assertEqual(result["training"]["cpu_seconds"], last)

  def test_what_people_found_is_on_the_page(self):
    self.draw_nothing()
    argv = ("made", "--seeds=1", "--launcher=device")
    self.call(*argv)
    (self.folder / "out" / "finding.md").write_text("It does not.\n")
    _, out, _ = self.call(*argv)
    self.assertIn("Does it matter?\n\nIt does not.\n\nEach variant", out)
    # The size has another launcher.
    self.assertIn(" made --seeds=1 --minutes=30 --launcher=device\n", out)

  def test_some_variants_and_the_others_later(self):
    self.draw_nothing()
    code, _, err = self.call("made", "--seeds=1", "--only=second, first")
    self.assertEqual(code, 0, err)
    self.assertEqual([run[0] for run in self.fake.trained], _FIRST_AND_SECOND)
    for only, message in (
      ("thrid", "--only: 'thrid' is not one of first, second, third, did you"),
      ("third", "--only: variants is ['third'], allowed: two or more"),
      ("second,third", "teacher of 'second' is 'first', allowed: an earlier"),
    ):
      code, _, err = self.call("made", f"--only={only}")
      self.assertEqual(code, 2)
      self.assertIn(message, err)
    code, out, _ = self.call("made", "--seeds=1", "--only=first,third")
    self.assertIn("adaland study made --seeds=1 --only=first,third --m", out)
    self.assertEqual(self.fake.trained[-1][0], "third-0")

  def test_decisions_are_counted_and_drawn(self):
    self.draw_nothing()
    row = {"env_steps": 600, "accepted": True, "why": "passes"}
    self.fake.decided = json.dumps(row) + "\n"
    code, out, _ = self.call("made", "--seeds=1")
    self.assertEqual(code, 0)
    self.assertIn("| second | 1 | 100% | passes: 1 | - - - - - - |", out)
    picture = self.folder / "out" / "decisions.png"
    self.assertTrue(picture.read_bytes().startswith(b"\x89PNG"))

  def test_a_file_in_the_place_of_a_folder_is_refused(self):
    file = self.create_tempfile("file").full_path
    for flag in ("--out", "--runs"):
      code, out, err = self.call("made", more=(f"{flag}={file}",))
      self.assertEqual((code, out), (2, ""))
      self.assertIn(f"{flag}={file}: is a file, allowed: a folder", err)
      self.assertEmpty(list(self.folder.iterdir()))

  @parameterized.parameters(
    (("maid",), "study: 'maid' is not one of made, did you mean 'made'?"),
    ((), "the following arguments are required: NAME"),
    (("made", "--minutes=0"), "'0' is not a number of minutes from 0.1"),
    (("made", "--seeds=0"), "'0' is not a whole number from 1"),
    (("made", "--steps=0"), "'0' is not a number of steps from 1"),
    (("made", "--steps=9", "--minutes=1"), "not allowed with argument"),
    (
      ("made", "--size=smal"),
      "--size: 'smal' is not one of usual, small, did you mean 'small'?",
    ),
    (
      ("made", "--launcher=locl"),
      "--launcher: 'locl' is not one of local, ray, device, did you mean",
    ),
  )
  def test_bad_input_is_one_line(self, argv, message):
    code, out, err = self.call(*argv)
    self.assertEqual((code, out), (2, ""))
    self.assertIn(message, err)
    self.assertEqual(err.count("\n"), 1)
    self.assertEmpty(self.fake.played)


if __name__ == "__main__":
  absltest.main()
