"""Tests of adaland.launch.studies.processor_time; study_test has more."""

import json
import pathlib
import time

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.run import process_tree
from adaland.launch.studies import processor_time


class ProcessorTimeTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path, "spent.json")
    self.now = 100.0
    for target, name, value in (
      (process_tree, "tree_cpu_seconds", lambda pid: self.now),
      (processor_time, "_PERIOD", 0.01),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, value))

  def read(self):
    return json.loads(self.path.read_text())["cpu_seconds"]

  def wait_for(self, seconds):
    """Waits until the file has so many seconds."""
    deadline = time.monotonic() + 60
    while not self.path.exists() or self.read() != seconds:
      self.assertLess(time.monotonic(), deadline)
      time.sleep(0.01)

  def test_counts_from_the_earlier_starts(self):
    self.path.write_text('{"cpu_seconds": 7}')
    with processor_time.Counter(self.path) as spent:
      self.now = 130.0
      self.wait_for(37.0)
    self.assertEqual(spent.seconds, 37.0)
    # As after a kill: the next start continues from the file.
    with processor_time.Counter(self.path):
      self.now = 131.0
    self.assertEqual(self.read(), 38.0)

  def test_processes_that_have_left_the_tree_count(self):
    with processor_time.Counter(self.path) as spent:
      self.now = 150.0
      self.wait_for(50.0)
      self.now = 110.0
    self.assertEqual((self.read(), spent.seconds), (50.0, 50.0))

  def test_an_error_in_the_run_is_raised_after_the_last_write(self):
    with (
      self.assertRaisesRegex(ValueError, "run"),
      processor_time.Counter(self.path),
    ):
      self.now = 120.0
      raise ValueError("run")
    self.assertEqual(self.read(), 20.0)

  def test_a_damaged_file_is_named(self):
    self.path.write_text("{}")
    with self.assertRaisesRegex(errors.UserError, "spent.json: is not of the"):
      processor_time.Counter(self.path)
    self.path.write_text('{"cpu_seconds": "many"}')
    with self.assertRaisesRegex(
      errors.UserError, 'spent.json: cpu_seconds is "many", allowed: a finite'
    ):
      processor_time.Counter(self.path)


if __name__ == "__main__":
  absltest.main()
