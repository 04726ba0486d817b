"""Tests of adaland.launch.evaluation.tasksets."""

import hashlib
import pathlib

from absl.testing import absltest, parameterized

from adaland.envs.sampling import sampler, task_sets
from adaland.envs.tasks import json_files, probes
from adaland.launch import cli, errors
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import tasksets
from tests.launch import fakes

_SOURCE = sampler.TaskSampler(preset_configs.smoke().tasks)


class TasksetsTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def test_one(self):
    for index in (0, 7, cli.MAX_SEED):
      task = tasksets.one(f"sample:{index}", _SOURCE)
      self.assertEqual(task, _SOURCE.task(index))
    name = probes.names()[3]
    self.assertEqual(tasksets.one(f"probe:{name}", _SOURCE), probes.load(name))
    task = fakes.make_task("mine")
    json_files.save(self.folder / "a.json", task)
    self.assertEqual(tasksets.one(f"{self.folder}/a.json", _SOURCE), task)

  @parameterized.parameters(
    ("sample:", "'' is not a number.*; write sample:0"),
    ("", "^an empty task; give a file, "),
    ("sample:-1", "'-1' is not a number"),
    (f"sample:{cli.MAX_SEED + 1}", f"a number from 0 to {cli.MAX_SEED}"),
    ("sample:1.5", "'1.5' is not a number"),
    ("sample:²", "'²' is not a number"),
    ("probe:nothing", "nothing"),
    ("no/such.json", "no/such.json: no such task file .*probe:NAME"),
    (".", "^.: Is a directory"),
  )
  def test_one_refuses(self, spec, message):
    with self.assertRaisesRegex(errors.UserError, message):
      tasksets.one(spec, _SOURCE)

  def test_many(self):
    drawn = tasksets.many("test", _SOURCE, 3)
    self.assertEqual(
      drawn, [tasksets.one(f"sample:{i}", _SOURCE) for i in range(3)]
    )
    self.assertEqual(
      tasksets.many("probe", _SOURCE, 2),
      [probes.load(name) for name in probes.names()[:2]],
    )

  def test_the_held_out_half_of_a_named_family(self):
    names = [task.name for task in tasksets.many("traps+find", _SOURCE, 3)]
    self.assertEqual(names, ["traps test 0", "find test 0", "traps test 1"])
    for spec, message in (
      ("traps:size=3", "^taskset: 'traps:size=3': traps has no field 'size'"),
      ("", "^taskset=: no such file or folder; "),
      ("trap", "^taskset=trap: no such file or folder; .* traps, find, "),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        tasksets.many(spec, _SOURCE, 3)

  def test_no_more_held_out_tasks_than_there_are(self):
    tasks = task_sets.TaskList((fakes.make_task("a"), fakes.make_task("b")))
    read = tasksets.many("test", tasks, 3)
    self.assertEqual([task.name for task in read], ["a", "b"])

  def test_folders_are_read_in_the_order_of_names(self):
    for name in ("b", "a", "c"):
      json_files.save(self.folder / f"{name}.json", fakes.make_task(name))
    (self.folder / "notes.txt").write_text("no task")
    read = tasksets.many(str(self.folder), _SOURCE, 2)
    self.assertEqual([task.name for task in read], ["a", "b"])
    read = tasksets.many(str(self.folder / "c.json"), _SOURCE, 9)
    self.assertEqual([task.name for task in read], ["c"])
    (self.folder / "b.json").write_text("{")
    with self.assertRaisesRegex(errors.UserError, r"b\.json: line 1"):
      tasksets.many(str(self.folder), _SOURCE, 2)

  def test_an_empty_folder_is_refused(self):
    with self.assertRaisesRegex(errors.UserError, "there is no .json file in"):
      tasksets.many(str(self.folder), _SOURCE, 2)

  def test_held_out_sets(self):
    for name, held_out in (("test", True), ("2*traps", True), ("probe", False)):
      self.assertEqual(tasksets.is_held_out(name), held_out)

  def test_a_hash_of_tasks_ignores_names_and_numbers_of_trials(self):
    def make(*args, **kwargs):
      return tasksets.fingerprint([fakes.make_task(*args, **kwargs)])

    # Saved evaluations have this hash, so it must not change.
    text = (
      '{"format": "adaland.task/1", "hide": {"objects": [], "predicates": [], '
      '"rules": []}, "name": "", "objects": [{"count": 1, "frozen": false, '
      '"type": "black cube"}], "players": [{"goal": "near(player1, black '
      'cube)"}], "rules": [], "trial_seconds": 2.0, "trials": 1, "world": '
      '{"levels": 1, "seed": 0, "tiles": [8, 8]}}\n'
    )
    wanted = hashlib.sha256(text.encode()).hexdigest()
    self.assertEqual(make("mine", trials=2), wanted)
    self.assertEqual(make("other", trials=5), wanted)
    self.assertNotEqual(make("mine", seconds=4.0), wanted)
    one, two = fakes.make_task(), fakes.make_task(seconds=4.0)
    self.assertNotEqual(
      tasksets.fingerprint([one, two]), tasksets.fingerprint([two, one])
    )

  def test_ids_tell_equal_names_apart(self):
    tasks = [fakes.make_task(name) for name in ("x", "y", "x", "")]
    self.assertEqual(tasksets.ids(tasks), ["x #0", "y", "x #2", "task"])

  def test_ids_differ_from_names_that_are_numbered_already(self):
    tasks = [fakes.make_task(name) for name in ("x", "x", "x #1", "y")]
    self.assertEqual(tasksets.ids(tasks), ["x #0", "x #1", "x #1 #2", "y #3"])


if __name__ == "__main__":
  absltest.main()
