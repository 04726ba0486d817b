"""Tests of experiments and recipes."""

import dataclasses
import os
import pathlib
import sys
import textwrap
from typing import Any

from absl.testing import absltest, parameterized

from adaland.envs.sampling import families
from adaland.launch import errors
from adaland.launch.config import factories, preset_configs
from adaland.launch.recipes import presets, recipe


class MyMemory:
  """A stand-in for a memory; nothing calls it."""


def my_tasks(index):
  """Stands in for a family of tasks; nothing calls it."""
  raise AssertionError(index)


class ExperimentTest(absltest.TestCase):
  def test_parts_are_recorded_by_reference(self):
    made = presets.smoke(memory=MyMemory, tasks=my_tasks).resolved("a:b")
    self.assertEqual(
      made.factories,
      factories.FactoriesConfig(
        recipe="a:b",
        memory=f"{__name__}:MyMemory",
        tasks=f"{__name__}:my_tasks",
      ),
    )
    self.assertEqual(
      dataclasses.replace(made, factories=factories.FactoriesConfig()),
      preset_configs.smoke(),
    )

  def test_a_folder_of_tasks_is_recorded_by_its_whole_path(self):
    for given in ("./my_tasks", pathlib.Path("my_tasks")):
      made = presets.smoke(tasks=given).resolved()
      self.assertEqual(made.factories.tasks, os.path.abspath("my_tasks"))
    folder = self.create_tempdir("day 3, 10:15").full_path
    self.assertEqual(
      presets.smoke(tasks=folder).resolved().factories.tasks, folder
    )

  def test_tasks_may_be_the_name_of_a_family(self):
    for given in ("traps", "traps:candidates=4"):
      made = presets.laptop(tasks=given).resolved()
      self.assertEqual(made, presets.laptop({"tasks.family": given}).resolved())
    with self.assertRaisesRegex(errors.UserError, "traps:holes=4"):
      presets.laptop(tasks="traps:holes=4").resolved()
    for given in ("trap", "trap:candidates=2", "3*trap+find"):
      with self.assertRaisesRegex(
        errors.UserError, "^tasks: .* did you mean 'traps'"
      ) as caught:
        presets.laptop(tasks=given).resolved()
      self.assertIn(repr(given), str(caught.exception))
    # A module may have such a name.
    made = presets.laptop(tasks="trap:make").resolved()
    self.assertEqual(made.factories.tasks, "trap:make")

  def test_a_family_that_no_process_can_import_is_named(self):
    family: Any = families.TaskFunction(my_tasks, 100)
    with self.assertRaisesRegex(
      errors.UserError, "^tasks is TaskFunction.*; wrap .* in such a function"
    ):
      presets.smoke(tasks=family).resolved()

  def test_a_relative_folder_is_refused_in_settings(self):
    for given in ("./my_tasks", "traps"):
      with self.assertRaisesRegex(
        errors.UserError,
        f"factories.tasks is '{given}', allowed: .* absolute path of a folder",
      ):
        presets.smoke({"factories.tasks": given})

  def test_the_part_that_can_t_be_imported_is_named(self):
    with self.assertRaisesRegex(errors.UserError, "^curriculum is <function"):
      presets.smoke(curriculum=lambda sample_task, seed: None).resolved()

  def test_settings_by_dotted_name(self):
    made = presets.smoke({"learner.learning_rate": 2e-3, "run.seed": 4})
    self.assertEqual(made.config.learner.learning_rate, 2e-3)
    self.assertEqual(made.config.run.seed, 4)
    for settings, message in (
      ({"learner.rate": 1}, "learner.rate: no such field"),
      ({"run.seed": "x"}, "run.seed: 'x' is not a whole number"),
      ({"run.seed": -1}, "run: seed is -1, allowed: a number from 0"),
      ({"run": 1}, "run: is a group of fields"),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        presets.smoke(settings)

  def test_every_preset_is_a_recipe(self):
    for name, make in preset_configs.PRESETS.items():
      self.assertEqual(presets.named(name).resolved(), make())
    self.assertEqual(presets.ada("6m").config, preset_configs.get("ada_6m"))
    with self.assertRaisesRegex(errors.UserError, "did you mean 'laptop'"):
      presets.named("labtop")


class LoadTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir()
    self.enter_context(absltest.mock.patch.object(sys, "path", [*sys.path]))
    self.enter_context(absltest.mock.patch.dict(sys.modules))

  def module(self, name, text):
    self.folder.create_file(f"{name}.py", textwrap.dedent(text))
    before = pathlib.Path.cwd()
    os.chdir(self.folder.full_path)
    self.addCleanup(os.chdir, before)

  def test_a_recipe_in_the_present_folder(self):
    self.module(
      "recipes_a",
      """
      import adaland
      class EMA: pass
      def ema():
        return adaland.presets.smoke(memory=EMA)
      """,
    )
    made = recipe.load("recipes_a:ema")
    self.assertEqual(made.factories.recipe, "recipes_a:ema")
    self.assertEqual(made.factories.memory, "recipes_a:EMA")

  def test_a_recipe_in_a_script(self):
    self.module(
      "recipes_c",
      """
      import adaland
      class EMA: pass
      def ema():
        return adaland.presets.smoke(memory=EMA)
      """,
    )
    made = recipe.load("recipes_c.py:ema")
    script = os.path.join(os.getcwd(), "recipes_c.py")
    self.assertEqual(made.factories.recipe, f"{script}:ema")
    # Other processes find it by the file's name, not the module's.
    self.assertEqual(made.factories.memory, f"{script}:EMA")

  def test_one_line_on_a_bad_recipe(self):
    self.module(
      "recipes_b",
      """
      import sys
      import adaland
      number = 3
      def config():
        return adaland.presets.smoke().config
      def wrong():
        return adaland.presets.smoke({"run.seed": -1})
      def closure():
        return adaland.presets.smoke(memory=lambda config: None)
      def broken():
        return {}["x"]
      def leaves():
        sys.exit()
      def demanding(size):
        return adaland.presets.smoke()
      def preset():
        return adaland.Experiment("smoke")
      def nested():
        return adaland.Experiment(adaland.presets.smoke())
      """,
    )
    for name, message in (
      ("number", "is 3, allowed: a function that returns an Experiment"),
      ("config", "returned ExperimentConfig, allowed: an Experiment"),
      ("wrong", "run: seed is -1"),
      ("closure", "memory is <function .*, allowed: a class or function"),
      ("broken", "KeyError: 'x'"),
      ("leaves", "SystemExit"),
      ("demanding", "TypeError: .* missing 1 required"),
      ("nothing", "recipes_b has no 'nothing'"),
      ("preset", "config is 'smoke', allowed: an ExperimentConfig, such as"),
      ("nested", "config is Experiment, allowed: an ExperimentConfig, such as"),
    ):
      with self.assertRaisesRegex(errors.UserError, message) as caught:
        recipe.load(f"recipes_b:{name}")
      self.assertStartsWith(str(caught.exception), f"--recipe=recipes_b:{name}")
      self.assertNotIn("\n", str(caught.exception))

  @parameterized.parameters("", "recipes", "recipes:", "/no/such.py:f")
  def test_no_recipe(self, text):
    with self.assertRaisesRegex(errors.UserError, f"^--recipe={text}: "):
      recipe.load(text)


if __name__ == "__main__":
  absltest.main()
