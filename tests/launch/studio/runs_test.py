"""Tests of the curves of a run."""

import itertools
import json
import pathlib

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.config import preset_configs
from adaland.launch.evaluation.comparison import evaluation_files
from adaland.launch.run import rundir, status_file
from adaland.launch.studio import runs


class RunsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.run_dir = rundir.RunDir(str(self.folder))
    self.run_dir.begin(preset_configs.smoke()).close()

  def write(self, *lines):
    (self.folder / "metrics.jsonl").write_text("\n".join(lines))

  def test_a_run_that_has_only_begun(self):
    found = runs.curves(self.run_dir)
    self.assertEqual((found["steps"], found["curves"]), ([], {}))
    self.assertIsNone(found["status"])
    self.assertEqual(found["evaluations"], {})

  def test_curves_of_what_was_written_and_of_nothing_broken(self):
    self.write(
      '{"step": 10, "time": 1.5, "reward/episode": 0.5, "zz": 1}',
      "[]",
      '{"step": "no"}',
      '{"step": 20, "reward/episode": NaN, "loss": 2}',
      '{"step": 30, "rew',
    )
    found = runs.curves(self.run_dir)
    self.assertEqual(found["steps"], [10, 20])
    self.assertEqual(
      found["curves"],
      {"reward/episode": [0.5, None], "loss": [None, 2], "zz": [1, None]},
    )
    # Those that matter most come first.
    self.assertEqual(list(found["curves"]), ["reward/episode", "loss", "zz"])
    json.dumps(found, allow_nan=False)

  def test_long_runs_are_thinned_out_and_keep_the_newest_row(self):
    self.write(*(json.dumps({"step": i, "loss": i}) for i in range(1000)))
    found = runs.curves(self.run_dir)
    self.assertLen(found["steps"], 200)
    self.assertEqual(found["steps"][-1], 999)

  def test_curves_of_long_runs_begin_at_the_run_s_start(self):
    more = "x" * 3000
    self.write(
      *(json.dumps({"step": i, "more": more}) for i in range(10_000)), "{"
    )
    steps = runs.curves(self.run_dir)["steps"]
    self.assertEqual((steps[0], steps[-1]), (0, 9999))
    self.assertBetween(len(steps), 190, 200)
    gaps = [after - before for before, after in itertools.pairwise(steps)]
    self.assertBetween(min(gaps), 1, max(gaps))
    self.assertLess(max(gaps), 60)

  def test_a_run_that_was_killed_does_not_run(self):
    counters = {"env_steps": 5, "episodes": 2, "updates": 3, "seconds": 1.5}
    status_file.write(self.run_dir, "local", "running", counters, {}, [])
    status = runs.curves(self.run_dir)["status"]
    self.assertEqual(status["state"], "not running")
    with self.run_dir.begin(preset_configs.smoke()):
      status = runs.curves(self.run_dir)["status"]
    self.assertEqual(status, {"state": "running", "counters": counters})

  def test_status_and_evaluations_beside_files_of_other_kinds(self):
    counters = {"env_steps": 5, "episodes": 2, "updates": 3, "seconds": 1.5}
    status_file.write(self.run_dir, "local", "ended", counters, {}, [])
    by_trial = {"mean": [0.1, 0.7], "stderr": [0.0, 0.1]}
    content = {"policy": "agent", "by_trial": by_trial, "tasks": []}
    (self.folder / "agent.json").write_text(json.dumps(content))
    (self.folder / "broken.json").write_text("{")
    (self.folder / "other.json").write_text('{"by_trial": 3}')
    for i, text in enumerate(
      (
        '{"mean": [1e999], "stderr": [0]}',
        '{"mean": ["0.1"], "stderr": [0]}',
        '{"mean": [0.1, 0.2], "stderr": [0]}',
        '{"mean": "0.1"}',
      )
    ):
      (self.folder / f"{i}.json").write_text(f'{{"by_trial": {text}}}')
    found = runs.curves(self.run_dir)
    self.assertEqual(found["status"]["state"], "ended")
    self.assertEqual(found["status"]["counters"]["env_steps"], 5)
    self.assertEqual(
      found["evaluations"],
      {
        "agent.json": {
          "policy": "agent",
          "curves": {"by_trial": by_trial},
          "episodes": [],
        }
      },
    )

  def test_kept_episodes_are_listed_and_given_one_by_one(self):
    kept = [
      {"task": n, "name": "t", "policy": "prompted", "demo": f"AA{n}"}
      for n in range(2)
    ]
    damaged = [
      kept[0] | change
      for change in (
        {"type": "task"},
        {"demo": 3},
        {"task": "1"},
        {"rewards": [[1.0]]},
        {"episode": None},
      )
    ]
    content = {"agent_sha256": "ab", "episodes": [*kept, 3, *damaged]}
    (self.folder / "prompt.json").write_text(json.dumps(content))
    (self.folder / "other.json").write_text('{"episodes": 3}')
    found = runs.curves(self.run_dir)["evaluations"]
    self.assertEqual(list(found), ["prompt.json"])
    self.assertEqual(
      found["prompt.json"]["episodes"][1],
      {"task": 1, "name": "t", "policy": "prompted"},
    )
    self.assertEqual(
      runs.kept_episode(self.run_dir, "prompt.json", 1),
      kept[1] | {"agent": "ab"},
    )
    for file, number, message in (
      ("prompt.json", 2, "number is 2, allowed: below 2"),
      ("../prompt.json", 0, "is not one of config.json, "),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        runs.kept_episode(self.run_dir, file, number)

  def test_evaluations_of_many_tasks_within_a_size_of_all_together(self):
    by_trial = {"mean": [0.5], "stderr": [0.1]}
    text = json.dumps({"by_trial": by_trial, "workdir": " " * 1_100_000})
    for name in "ab":
      (self.folder / f"{name}.json").write_text(text)
    found = runs.curves(self.run_dir)["evaluations"]
    self.assertEqual(list(found), ["a.json", "b.json"])
    with absltest.mock.patch.object(evaluation_files, "MAX_BYTES", 2_000_000):
      found = runs.curves(self.run_dir)["evaluations"]
    self.assertEqual(list(found), ["a.json"])


if __name__ == "__main__":
  absltest.main()
