"""Tests of launch.tasks; bad_input_test has its bad input."""

import contextlib
import dataclasses
import io
import json
import os

import numpy as np
from absl.testing import absltest

from adaland.envs.sampling import sampler
from adaland.envs.tasks import complexity, json_files
from adaland.launch import errors, tasks
from adaland.launch.config import preset_configs
from adaland.launch.recipes import presets
from adaland.launch.run import rundir
from tests.launch import fakes


def _run(*argv):
  args = tasks.make_parser().parse_args(list(argv))
  out = io.StringIO()
  with contextlib.redirect_stdout(out):
    tasks.run(args)
  return out.getvalue()


def _drawn(index, split="train"):
  config = preset_configs.smoke().tasks
  config = dataclasses.replace(config, split=split)
  return sampler.TaskSampler(config).task(index)


class TasksTest(absltest.TestCase):
  def test_list_names_the_probes_and_families(self):
    found = json.loads(_run("list", "--json=-"))
    self.assertLen(found["probes"], 30)
    self.assertLen(found["two_player_probes"], 28)
    self.assertIn("traps", found["families"])
    text = _run("list")
    self.assertRegex(text, "probe:kickball +near.yellow sphere, black wall.")
    self.assertStartsWith(text, "30 probes for one player:\n")
    self.assertIn("\n28 probes for two players:\n", text)
    self.assertRegex(text, "\nFamilies: .*traps")

  def test_sample_prints_one_task_a_line(self):
    out = _run("sample", "--preset=smoke", "--index=4", "--num_tasks=2")
    read = [json_files.loads(line) for line in out.splitlines()]
    self.assertEqual(read, [_drawn(4), _drawn(5)])

  def test_the_test_split_has_other_tasks(self):
    out = _run("sample", "--preset=smoke", "--split=test", "--json=-")
    [task] = json.loads(out)["tasks"]
    self.assertEqual(json_files.from_json(task), _drawn(0, "test"))
    self.assertNotEqual(_drawn(0, "test"), _drawn(0))

  def test_files_are_named_after_their_tasks(self):
    folder = os.path.join(self.create_tempdir().full_path, "new", "folder")
    out = _run("sample", "--preset=smoke", f"--out={folder}")
    self.assertEqual(out, f"1 file written to {folder}\n")
    self.assertEqual(os.listdir(folder), ["train_0.json"])
    path = os.path.join(folder, "train_0.json")
    self.assertEqual(json_files.load(path), _drawn(0))

  def test_names_can_t_lead_out_of_the_folder(self):
    folder = self.create_tempdir().full_path
    tasks._write(
      folder,
      {"a": fakes.make_task("../../x y"), "b": fakes.make_task("")},
    )
    self.assertEqual(
      sorted(os.listdir(folder)), [".._.._x_y.json", "task.json"]
    )

  def test_each_task_has_its_own_file(self):
    folder = self.create_tempdir().full_path
    for names, files in (
      (("a b", "a_b"), ["a_b_0", "a_b_1"]),
      (("x", "x", "x_0"), ["x_0", "x_1", "x_2"]),
      (("x_1", "x", "x"), ["x_1", "x_2", "x_3"]),
    ):
      target = os.path.join(folder, "-".join(names))
      made = {str(i): fakes.make_task(n) for i, n in enumerate(names)}
      tasks._write(target, made)
      self.assertEqual(
        sorted(os.listdir(target)), [f"{name}.json" for name in files]
      )
      found = [
        json_files.load(os.path.join(target, name)).name
        for name in os.listdir(target)
      ]
      self.assertCountEqual(found, names)

  def test_a_file_where_the_folder_should_be(self):
    path = self.create_tempfile("x").full_path
    with self.assertRaisesRegex(errors.UserError, "--out: .*File exists"):
      _run("sample", "--preset=smoke", f"--out={path}")

  def test_show_describes_the_goal(self):
    task = _drawn(0)
    out = _run("show", "--preset=smoke", "sample:0", "sample:1")
    self.assertIn(f"Goal of player1: {task.players[0].goal}", out)
    self.assertEqual(out.count("Goal of player1"), 2)

  def test_complexity_lists_the_measures(self):
    out = _run("complexity", "--preset=smoke", "sample:3", "--json=-")
    self.assertEqual(
      json.loads(out)["complexity"],
      {"sample:3": json.loads(json.dumps(complexity.measures(_drawn(3))))},
    )
    text = _run("complexity", "--preset=smoke", "sample:3")
    self.assertStartsWith(text, "sample:3\n  ")

  def test_complexity_of_a_distribution_beside_the_paper_s(self):
    args = ("complexity", "--preset=smoke", "--num_tasks=3")
    found = json.loads(_run(*args, "--json=-"))
    rules = [len(_drawn(index).rules) for index in range(3)]
    self.assertAlmostEqual(found["mean"]["rules"], sum(rules) / 3)
    self.assertEqual(found["ada"]["rules"], 3.35)
    text = _run(*args).splitlines()
    self.assertRegex(text[0], "mean of 3 tasks +here +AdA")
    self.assertLen(text, 13)

  def test_complexity_of_a_folder_counts_each_task_once(self):
    folder = self.create_tempdir().full_path
    tasks._write(folder, {str(i): _drawn(i) for i in range(3)})
    workdir = self.create_tempdir().full_path
    config = presets.smoke(tasks=folder).resolved()
    rundir.RunDir(workdir).begin(config).close()
    args = ("complexity", f"--workdir={workdir}", "--json=-")
    self.assertEqual(json.loads(_run(*args))["num_tasks"], 3)
    found = json.loads(_run(*args, "--num_tasks=2"))
    self.assertEqual(found["num_tasks"], 2)

  def test_import_names_what_is_not_carried_over(self):
    path = self.create_tempfile("rules.npz").full_path
    np.savez(
      path,
      goals=np.array([[2, 3, 5, 0, 0], [11, 3, 5, 0, 0], [3, 3, 5, 0, 0]]),
      rules=np.zeros((3, 1, 7), int),
      init_tiles=np.array([[[3, 5]]] * 3),
    )
    argv = ("import", "xland-minigrid", path, "--num_tasks=9")
    found = json.loads(_run(*argv, "--json=-"))
    made = [json_files.from_json(task) for task in found["tasks"]]
    for task in made:
      goal = str(task.players[0].goal)
      self.assertEqual(goal, "near(player1, yellow sphere)")
    # Each ruleset has its own world.
    self.assertEqual([task.world.seed for task in made], [1, 2])
    notes = found["not_carried_over"]
    self.assertEqual(set(notes), {"0", "1"})
    self.assertStartsWith(notes["0"][0], "not a task: the goal is 'on tile'")
    self.assertEqual(notes["1"], ["without the goal's direction"])
    lines = _run(*argv).splitlines()
    self.assertStartsWith(lines[0], "ruleset 0 not a task: the goal is")
    self.assertEqual(lines[1], "ruleset 1 without the goal's direction")
    self.assertEqual([json_files.loads(line) for line in lines[2:]], made)
    folder = self.create_tempdir().full_path
    out = _run(*argv, f"--out={folder}").splitlines()
    self.assertEqual(out, [*lines[:2], f"2 files written to {folder}"])
    self.assertLen(os.listdir(folder), 2)
    with self.assertRaisesRegex(
      errors.UserError, "from 0 to 0 can be converted, allowed: 0 to 2; 0: not"
    ):
      _run("import", "xland-minigrid", path)
    with self.assertRaisesRegex(errors.UserError, "index=3: allowed: 0 to 2"):
      _run(*argv, "--index=3")

  def test_worth_measures_the_held_out_half(self):
    asked = []

    def measure(drawn, trials, env, seed, say):
      say("explorer plays")
      asked.append(([task.name for task in drawn], trials, seed))
      return {"trials": trials}

    with (
      absltest.mock.patch.object(tasks.worth, "measure", measure),
      absltest.mock.patch.object(tasks.worth, "table", lambda result: "text"),
    ):
      out = _run("worth", "traps+find", "--num_tasks=2", "--json=-")
      self.assertEqual(
        json.loads(out), {"trials": 4, "family": "traps+find", "seed": 0}
      )
      _run("worth", "--preset=smoke", "--num_tasks=1", "--trials=2")
    self.assertEqual(
      asked,
      [(["traps test 0", "find test 0"], 4, 0), (["test 0"], 2, 0)],
    )


if __name__ == "__main__":
  absltest.main()
