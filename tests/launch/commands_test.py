"""Tests of commands that are used as they should be."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

from adaland.launch import cli
from tests.launch import commands


class GoodInputTest(parameterized.TestCase):
  @parameterized.parameters(*commands.COMMANDS)
  def test_help_has_examples(self, command):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), self.assertRaises(SystemExit) as end:
      commands.COMMANDS[command](["--help"])
    self.assertEqual(end.exception.code, 0)
    self.assertIn(f"adaland {command} ", out.getvalue())

  def test_sampled_files_check_and_come_back(self):
    folder = self.create_tempdir().full_path
    code, out, err = commands.call(
      "tasks", "sample", "--num_tasks=3", "--split=test", f"--out={folder}"
    )
    self.assertEqual(code, 0, err)
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    self.assertLen(files, 3)
    code, out, err = commands.call("tasks", "check", *files)
    self.assertEqual((code, out), (0, "3 tasks are fine\n"), err)
    code, out, _ = commands.call("tasks", "show", files[0], "--json=-")
    self.assertEqual(
      json.loads(out)["tasks"],
      [json.loads(pathlib.Path(files[0]).read_text())],
    )

  def test_play_is_repeatable(self):
    argv = ["--task=sample:1", "--preset=smoke", "--policy=random", "--json=-"]
    first, second = commands.call("play", *argv), commands.call("play", *argv)
    self.assertEqual(first[0], 0, first[2])
    self.assertEqual(first[1], second[1])
    self.assertEqual(
      set(json.loads(first[1])), {"task", "policy", "seed", "rewards"}
    )

  def test_bench_is_flat_and_names_end_in_their_unit(self):
    code, out, err = commands.call(
      "bench", "replay", "--preset=smoke", "--seconds=0.1", "--json=-"
    )
    self.assertEqual(code, 0, err)
    for name, value in json.loads(out).items():
      self.assertRegex(name, r"_(per_s|bytes|ratio|count)$")
      self.assertGreater(value, 0)

  def test_exit_code_of_the_process(self):
    done = subprocess.run(
      [sys.executable, "-m", "adaland.launch.tasks", "show", "probe:x"],
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual((done.returncode, done.stdout), (2, ""))
    self.assertEqual(done.stderr.count("\n"), 1)

  def test_a_full_disk_is_one_line_and_exit_1(self):
    if not os.path.exists("/dev/full"):
      self.skipTest("this system has no /dev/full")

    def work(args):
      del args
      with open("/dev/full", "w") as file:
        file.write("x")

    err = io.StringIO()
    with contextlib.redirect_stderr(err):
      code = cli.main(lambda: cli.Parser(), work, [])
    self.assertEqual(code, 1)
    self.assertIn("No space left on device", err.getvalue())
    self.assertEqual(err.getvalue().count("\n"), 1)


if __name__ == "__main__":
  absltest.main()
