"""Tests of task_source: a run's own tasks, or the sampler's."""

import dataclasses
import os
import pickle
from unittest import mock

from absl.testing import absltest, parameterized

from adaland.envs.sampling import candidates, families, sampler
from adaland.envs.tasks import json_files
from adaland.envs.tasks.task import ObjectSpec, ObjectType, Task
from adaland.launch import errors
from adaland.launch.recipes import presets, task_source


def fetch(index):
  """Returns tasks that fit the smoke preset."""
  return Task.of(
    "hold(player1, black cube)", ["black cube"], name=f"fetch {index}",
    trials=2, trial_seconds=2,
  )  # fmt: skip


def fetch_by_default(index=0, task=fetch):
  """Returns tasks that fit the smoke preset."""
  return task(index)


def crowded(index):
  """Returns tasks with too many objects for the smoke preset."""
  return dataclasses.replace(
    fetch(index),
    objects=(ObjectSpec(ObjectType.from_name("black cube"), 7),),
  )


def endless(index):
  """Returns tasks with longer episodes than the smoke preset has."""
  return dataclasses.replace(fetch(index), trials=3)


def once(index):
  """Returns tasks of one trial."""
  return dataclasses.replace(fetch_by_default(index), trials=1)


def none(index):
  """Lacks a return value."""
  del index


def family():
  """Returns a family."""
  return families.TaskFunction(fetch, num_tasks=16)


class Family:
  """A family with the smallest interface."""

  num_tasks = 3

  def task(self, index):
    return fetch(index)

  def training(self):
    return families.TaskFunction(fetch, 2)

  def held_out(self):
    return families.TaskFunction(lambda i: fetch(i + 2), 2)


class Unhashable(Family):
  """A family that can't be a key."""

  __hash__ = None


INSTANCE = Unhashable()


def _config(tasks):
  return presets.smoke(tasks=tasks).resolved()


class TaskSourceTest(parameterized.TestCase):
  def test_a_folder_that_is_gone_is_named(self):
    config = presets.smoke(tasks="/no/such/folder").resolved()
    config.factories.refuse_unless(False)
    config.factories.share()
    with self.assertRaisesRegex(
      errors.UserError, "factories.tasks: .*/no/such/folder"
    ):
      task_source.TaskSource(config).task(0)

  def test_a_named_family_s_halves(self):
    config = presets.smoke({"tasks.family": "traps", "env.max_rules": 4}).config
    self.assertEqual(families.make(config.tasks), candidates.Traps())
    for held_out, name in ((False, "traps train 5"), (True, "traps test 5")):
      source = task_source.TaskSource(config, held_out)
      self.assertEqual(source.task(5).name, name)

  def test_the_sampler_s_halves(self):
    config = presets.smoke().config
    for held_out, split in ((False, "train"), (True, "test")):
      source = task_source.TaskSource(config, held_out)
      tasks = sampler.TaskSampler(
        dataclasses.replace(config.tasks, split=split)
      )
      self.assertEqual(source.num_tasks, tasks.num_tasks)
      self.assertEqual(source.task(7), tasks.task(7))

  @parameterized.parameters(
    fetch, fetch_by_default, family, Family, f"{__name__}:INSTANCE"
  )
  def test_what_a_family_may_be(self, tasks):
    config = _config(tasks)
    for held_out in (False, True):
      source = task_source.TaskSource(config, held_out)
      self.assertStartsWith(source.task(1).name, "fetch ")
    self.assertNotEqual(
      task_source.TaskSource(config).task(0),
      task_source.TaskSource(config, held_out=True).task(0),
    )

  def test_an_edited_folder_is_read_again(self):
    folder = self.create_tempdir("tasks:1").full_path

    def put(index, kind):
      task = Task.of(
        f"hold(player1, black {kind})", [f"black {kind}"], name=f"{index}",
        trials=2, trial_seconds=2,
      )  # fmt: skip
      json_files.save(os.path.join(folder, f"{index}.json"), task)

    put(0, "sphere")
    before = task_source.TaskSource(_config(folder))
    self.assertEqual(before.num_tasks, 1)
    put(1, "pyramid")
    self.assertEqual(task_source.TaskSource(_config(folder)).num_tasks, 2)

  def test_a_function_that_was_defined_again(self):
    """A cell of a notebook that runs again does so."""
    source = task_source.TaskSource(_config(fetch))
    self.assertEqual(source.task(5).trials, 2)
    with mock.patch.dict(globals(), fetch=once):
      self.assertEqual(source.task(5).trials, 1)
    self.assertEqual(source.task(5).trials, 2)

  @parameterized.parameters(
    fetch, Family, f"{__name__}:INSTANCE", f"{__name__}:INSTANCE.task"
  )
  def test_a_family_is_made_once(self, tasks):
    # A seed of its own, so that no other test has or gets this family.
    config = presets.smoke({"run.seed": 83}, tasks=tasks).resolved()
    source = task_source.TaskSource(config)
    made = mock.create_autospec(task_source.family, return_value=Family())
    with mock.patch.object(task_source, "family", made):
      self.assertEqual(source.num_tasks, 2)
      self.assertEqual(source.num_tasks, 2)
    made.assert_called_once()

  def test_a_folder_of_task_files(self):
    folder = self.create_tempdir().full_path
    for index, kind in enumerate(("cube", "sphere", "pyramid", "wall") * 3):
      colour = ("black", "purple", "yellow")[index // 4]
      task = Task.of(
        f"hold(player1, {colour} {kind})", [f"{colour} {kind}"],
        name=f"{index}", trials=2, trial_seconds=2,
      )  # fmt: skip
      json_files.save(os.path.join(folder, f"{index}.json"), task)
    whole = families.TaskFolder(folder)
    source = task_source.TaskSource(_config(folder))
    self.assertEqual(source.num_tasks, whole.training().num_tasks)
    self.assertEqual(source.task(2), whole.training().task(2))

  def test_it_may_be_sent_to_other_processes(self):
    source = task_source.TaskSource(_config(fetch))
    again = pickle.loads(pickle.dumps(source))
    self.assertEqual(again.task(5), source.task(5))

  @parameterized.parameters(
    (crowded, "task 'fetch 0' has 7 objects; the run's environments hold at"),
    (endless, "task 'fetch 0' lasts 45 steps, allowed: 30, the longest"),
    (none, r"factories.tasks: none\(0\)"),
    ("tests.launch.recipes.task_source_test:__doc__", "factories.tasks: "),
    ("tests.launch.recipes.task_source_test:nothing", "has no 'nothing'"),
    ("/no/such/folder", "factories.tasks: /no/such/folder: no such folder"),
  )
  def test_one_line_on_a_bad_family(self, tasks, message):
    source = task_source.TaskSource(_config(tasks))
    with self.assertRaisesRegex(errors.UserError, message) as caught:
      source.task(0)
    self.assertNotIn("\n", str(caught.exception))

  def test_too_long_a_task_names_the_setting_that_holds(self):
    for settings, message in (
      ({}, "allowed: 30, the longest episode of tasks.trials and tasks.tria"),
      (
        {
          "tasks.family": "traps:trials=1,trial_seconds=2",
          "env.max_rules": 4,
          "network.memory_length": 16,
        },
        "allowed: 15, the longest episode of tasks.family ",
      ),
    ):
      made = presets.smoke(settings, tasks=endless)
      with self.assertRaisesRegex(errors.UserError, message):
        task_source.TaskSource(made.resolved()).task(0)


if __name__ == "__main__":
  absltest.main()
