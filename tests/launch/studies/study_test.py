"""Tests of a whole study, with runs and evaluations that take no time."""

import contextlib
import dataclasses
import io
import json
import pathlib
import time

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import train
from adaland.launch.config import experiment
from adaland.launch.evaluation import fewshot, tasksets
from adaland.launch.run import process_tree, rundir
from adaland.launch.studies import __main__ as command
from adaland.launch.studies import processor_time, study, table

_ROWS = 12
_CPU_SECONDS = 30.0
_FIRST_AND_SECOND = ["first-0", "second-0"]


class FakeRuns:
  """A stand-in for training and playing, which counts both."""

  def __init__(self):
    self.trained = []
    self.played = []
    self.stop_at = ""
    self.minutes_before = 0.0
    self.decided = ""
    self.during = lambda workdir: None
    self._cpu_seconds = 0.0

  def cpu_seconds(self, pid):
    """Returns more at each call, as a busy process does."""
    self._cpu_seconds += _CPU_SECONDS
    return self._cpu_seconds

  def train(self, config, workdir, launcher):
    """Writes metrics, as a run of the config's length does."""
    name = pathlib.Path(workdir).name
    self.trained.append((name, config.teaching.agent, launcher))
    self.during(pathlib.Path(workdir))
    # A run bounded by steps takes an hour.
    seconds = 60 * (config.run.max_minutes or 60.0)
    if name == self.stop_at:
      seconds /= 2
    # A run that is over ends at once.
    seconds = max(seconds, self.minutes_before * 60)
    path = pathlib.Path(workdir, "metrics.jsonl")
    run = rundir.RunDir(workdir)
    run.begin(config, experiment.FREE_FIELDS).close()
    with open(path, "w") as file:
      for i in range(1, _ROWS + 1):
        row = {"step": 1000 * i, "seconds": seconds * i / _ROWS}
        file.write(json.dumps(row | {"reward/trial_2": i / _ROWS}) + "\n")
    if name.startswith("second"):
      (path.parent / "decisions.jsonl").write_text(self.decided)
    counters = {"env_steps": 1000.0 * _ROWS, "updates": 7.0, "seconds": seconds}
    params = {"w": np.frombuffer(name.encode(), np.uint8)}
    return train.Outcome(workdir, counters, params, {}, "")

  def play(self, name, env, tasks, trials, maker, seed, repeats, say):
    """Returns results as `fewshot.evaluate` does."""
    self.played.append(name)
    rewards = np.linspace(0.1, len(name) / 20, trials[0])
    return {
      "policy": name,
      "tasks_sha256": tasksets.fingerprint(tasks),
      "trials": list(trials),
      "tasks": [
        {"id": str(i), "trial_rewards": rewards.tolist(), "expert": 1.0}
        for i in range(len(tasks))
      ],
    }


class StudyTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.fake = FakeRuns()
    size = study.Size("test", 2, "smoke", num_tasks=3, minutes=30.0)
    made = study.Study(
      "Does it matter?",
      (
        study.Variant("first"),
        study.Variant(
          "second",
          ("learner.privileged.distillation_weight=1",),
          teacher="first",
        ),
        study.Variant("third", ("learner.learning_rate=0.5",)),
      ),
      {
        "usual": size,
        "small": study.Size(
          "test", 2, "smoke", num_tasks=3, steps=12_000, launcher="device"
        ),
      },
    )
    self.enter_context(
      absltest.mock.patch.dict(table.STUDIES, {"made": made}, clear=True)
    )
    self.enter_context(
      absltest.mock.patch.object(train, "train_and_evaluate", self.fake.train)
    )
    self.enter_context(
      absltest.mock.patch.object(
        process_tree, "tree_cpu_seconds", self.fake.cpu_seconds
      )
    )
    self.enter_context(
      absltest.mock.patch.object(fewshot, "evaluate", self.fake.play)
    )
    self.enter_context(
      absltest.mock.patch.object(fewshot, "agent_policy", lambda *args: None)
    )

  def call(self, *argv, more=()):
    """Runs the command; returns (code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    folders = [f"--runs={self.folder}/runs", f"--out={self.folder}/out"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      code = command.main([*argv, *folders, *more])
    return code, out.getvalue(), err.getvalue()

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
    results = self.folder / "out"
    self.assertEqual(out, (results / "README.md").read_text() + "\n")
    for line in (
      "| first (2 seeds) | 0.10 [0.10, 0.10] | 0.25 [0.25, 0.25] |",
      "| random | 0.10 [0.10, 0.10] | 0.30 [0.30, 0.30] |",
      "| at 0.01 million steps | at 2.0 minutes | at 0.5 processor minutes |",
      # The mean of the last nine of twelve rows: 8 / 12.
      "| second | 0.01 | 7 | 0.5 |" + 3 * " 0.67 [0.67, 0.67] |",
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
    self.assertEqual(spent, {"cpu_seconds": 2 * _CPU_SECONDS})

  def test_processor_time_is_written_during_a_run_that_may_be_killed(self):
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
    self.assertGreaterEqual(seen[0], _CPU_SECONDS)
    result = json.loads((self.folder / "out" / "first-0.json").read_text())
    last = json.loads(path.read_text())["cpu_seconds"]
    self.assertGreater(last, seen[0])
    self.assertEqual(result["training"]["cpu_seconds"], last)

  def test_what_people_found_is_on_the_page(self):
    argv = ("made", "--seeds=1", "--launcher=device")
    self.call(*argv)
    (self.folder / "out" / "finding.md").write_text("It does not.\n")
    _, out, _ = self.call(*argv)
    self.assertIn("Does it matter?\n\nIt does not.\n\nEach variant", out)
    # The size has another launcher.
    self.assertIn(" made --seeds=1 --minutes=30 --launcher=device\n", out)

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

  def test_some_variants_and_the_others_later(self):
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
    row = {"env_steps": 600, "accepted": True, "why": "passes"}
    self.fake.decided = json.dumps(row) + "\n"
    code, out, _ = self.call("made", "--seeds=1")
    self.assertEqual(code, 0)
    self.assertIn("| second | 1 | 100% | passes: 1 | - - - - - - |", out)
    picture = self.folder / "out" / "decisions.png"
    self.assertTrue(picture.read_bytes().startswith(b"\x89PNG"))

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
