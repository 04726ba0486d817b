"""Tests of adaland.launch.evaluation.recording; rollout_test records."""

import argparse
import base64

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.evaluation import demo, recording
from tests.launch import fakes


class RecorderTest(absltest.TestCase):
  def test_of_repeated_tasks_the_first_episode_is_kept(self):
    # From episode 10 on, tasks 0, 1 and 2 have three episodes each.
    recorder = recording.Recorder([2, 0], first=10, repeats=3)
    for step in range(15):
      for job in range(20):
        recorder.act(job, np.array([(job + step) % 3, 0, 0, 0, 0, 0]))
    for job in reversed(range(20)):
      task = fakes.make_task(str(job))
      recorder.end(job, task, 7, job % 4, [1.0, job])
    found = recorder.entries("agent")
    self.assertEqual(
      [(each["task"], each["name"], each["episode"]) for each in found],
      [(0, "10", 2), (2, "16", 0)],
    )
    self.assertEqual(found[1]["rewards"], [1.0, 16.0])
    kept = demo.decode(base64.b64decode(found[1]["demo"]))
    np.testing.assert_array_equal(kept.actions[:, 0], 5 * [1, 2, 0])

  def test_actions_may_change_after_they_were_taken(self):
    recorder = recording.Recorder([0])
    action = np.zeros(6, np.int32)
    for step in range(15):
      action[:] = step % 2
      recorder.act(0, action)
    recorder.end(0, fakes.make_task(), 7, 0, [1.0, 2.0])
    [entry] = recorder.entries("agent")
    kept = demo.decode(base64.b64decode(entry["demo"]))
    np.testing.assert_array_equal(kept.actions[:, 0], [*7 * [0, 1], 0])

  def test_an_episode_that_has_not_ended_is_left_out(self):
    recorder = recording.Recorder([0])
    recorder.act(0, np.zeros(6))
    self.assertEmpty(recorder.entries("agent"))


class EntryTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    kept = demo.Demo(
      fakes.make_task("3"), 7, np.zeros((4, 6), np.int32), np.ones(2) / 3
    )
    self.entry = recording.entry(5, "expert", kept, 1)

  def test_rewards_have_three_decimals(self):
    self.assertEqual(self.entry["rewards"], [0.333, 0.333])
    recording.check_entry(self.entry)

  def test_rewards_and_the_number_of_the_episode_may_be_missing(self):
    del self.entry["rewards"], self.entry["episode"]
    recording.check_entry(self.entry)

  @parameterized.parameters(
    ("task", "1"),
    ("task", -1),
    ("episode", 0.5),
    ("episode", -1),
    ("episode", 100_001),
    ("name", 3),
    ("policy", None),
    ("demo", []),
    ("rewards", 1.0),
    ("rewards", ["1"]),
    ("more", 1),
  )
  def test_other_forms_are_refused(self, name, value):
    self.entry[name] = value
    with self.assertRaisesRegex(ValueError, name):
      recording.check_entry(self.entry)


class FlagTest(parameterized.TestCase):
  def parse(self, *argv):
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--json", default="")
    recording.add_flag(parser)
    return parser.parse_args(argv)

  def test_numbers_are_sorted_and_counted_once(self):
    self.assertEqual(self.parse("--keep=5,0,1,0").keep, [0, 1, 5])
    most = range(recording.MAX_KEPT)
    given = ",".join(map(str, most))
    self.assertEqual(self.parse(f"--keep={given}").keep, [*most])
    with self.assertRaisesRegex(argparse.ArgumentError, "at most 16 numbers"):
      self.parse(f"--keep={given},{recording.MAX_KEPT}")

  @parameterized.parameters("", "a", "-1", "3,-1", "1.0")
  def test_other_texts_are_refused(self, text):
    with self.assertRaisesRegex(argparse.ArgumentError, "is not a list of at"):
      self.parse(f"--keep={text}")

  def test_a_task_that_is_not_played_is_refused(self):
    args = self.parse("--keep=0,2", "--json=out")
    recording.check_flag(args, 3)
    with self.assertRaisesRegex(
      errors.UserError, "--keep=2: allowed for 2 tasks: 0 to 1"
    ):
      recording.check_flag(args, 2)

  def test_it_needs_a_file(self):
    recording.check_flag(self.parse(), 0)
    with self.assertRaisesRegex(errors.UserError, "allowed with --json only"):
      recording.check_flag(self.parse("--keep=0"), 3)


if __name__ == "__main__":
  absltest.main()
