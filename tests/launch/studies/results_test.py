"""Tests of adaland.launch.studies.results."""

import json
import pathlib

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.studies import results


class ResultsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path, "one-0.json")

  def write(self, content):
    self.path.write_text(json.dumps(content))

  def test_tasks_launcher_and_training_are_read(self):
    self.write(
      {
        "tasks_sha256": "abc",
        "trials": [4],
        "launcher": "device",
        "training": {"seed": 1, "env_steps": 12.5},
      }
    )
    self.assertEqual(results.tasks(self.path), ("abc", [4]))
    self.assertEqual(results.launcher(self.path), "device")
    found = results.training(self.path)
    self.assertEqual(found, {"seed": 1.0, "env_steps": 12.5})

  def test_old_files_name_no_launcher(self):
    self.write({})
    self.assertEqual(results.launcher(self.path), "")

  def test_files_of_another_form_are_named(self):
    for content in ({}, {"training": 3}, 3):
      self.write(content)
      for read in (results.tasks, results.training):
        with self.assertRaisesRegex(errors.UserError, "one-0.json: is not of"):
          read(self.path)
    self.path.unlink()
    with self.assertRaisesRegex(errors.UserError, "one-0.json: No such file"):
      results.tasks(self.path)

  def test_values_that_are_no_numbers_are_named(self):
    for value, shown in (("long", '"long"'), (True, "True"), (None, "None")):
      self.write({"training": {"env_steps": 3e9, "seconds": value}})
      message = (
        f"{self.path}: training.seconds is {shown}, allowed: a finite number"
      )
      with self.subTest(shown), self.assertRaises(errors.UserError) as caught:
        results.training(self.path)
      self.assertEqual(str(caught.exception), message)


if __name__ == "__main__":
  absltest.main()
