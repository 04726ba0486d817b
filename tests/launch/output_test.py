"""Tests of adaland.launch.output; of streams, by programs of their own."""

import argparse
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

from adaland.launch import output

_COMMAND = """
import os, sys
from adaland.launch import cli

def run(args):
  with open(args.file, "w") as file:
    os.write(1, b"of a library")
    file.write("of the command")
  print("5 \\xb1 1")

def make_parser():
  parser = cli.Parser(prog="test")
  parser.add_argument("file")
  return parser

sys.exit(cli.main(make_parser, run))
"""

_MESSAGES = """
import sys
from adaland.launch import cli, output
from adaland.launch.run import progress

def run(args):
  output.say("starting")
  line = progress.Progress(quiet_seconds=0)
  for n in range(1000):
    line.update(f"step {n}")
  line.say("ended")
  line.close()
  print("done")

sys.exit(cli.main(cli.Parser, run))
"""


def _run(arguments, stdout=subprocess.PIPE, shell="", **environment):
  """Runs Python in a shell; returns (exit code, stdout, stderr)."""
  done = subprocess.run(
    ["sh", "-c", f'"$0" "$@" {shell}', sys.executable, *arguments],
    stdout=stdout,
    stderr=subprocess.PIPE,
    text=True,
    check=False,
    env=os.environ | {"PYTHONUNBUFFERED": ""} | environment,
  )
  return done.returncode, done.stdout, done.stderr


class StreamsTest(parameterized.TestCase):
  def test_no_file_takes_the_number_of_a_closed_stream(self):
    path = pathlib.Path(self.create_tempdir().full_path, "file")
    ended = _run(["-c", _COMMAND, str(path)], shell="<&- >&- 2>&-")
    self.assertEqual(ended, (0, "", ""))
    self.assertEqual(path.read_text(), "of the command")

  def test_characters_that_the_terminal_lacks_are_escaped(self):
    code, out, err = _run(
      ["-c", _COMMAND, os.devnull], PYTHONIOENCODING="ascii"
    )
    self.assertEqual((code, err), (0, ""))
    self.assertEndsWith(out, "5 \\xb1 1\n")

  @parameterized.parameters(
    (["-m", "adaland", "--help"],), (["-c", _COMMAND, "--help"],)
  )
  def test_help_that_cannot_be_written(self, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
      self.assertEqual(_run(arguments, nobody), (1, None, ""))
    if not os.path.exists("/dev/full"):
      self.skipTest("this system has no /dev/full")
    with open("/dev/full", "wb") as full:
      message = "error: No space left on device\n"
      self.assertEqual(_run(arguments, full), (1, None, message))

  @parameterized.parameters("/dev/full", "nobody")
  def test_messages_that_cannot_be_written_end_no_work(self, file):
    if file == "nobody":
      reader, number = os.pipe()
      os.close(reader)
    elif os.path.exists(file):
      number = os.open(file, os.O_WRONLY)
    else:
      self.skipTest(f"this system has no {file}")
    with os.fdopen(number, "wb") as stderr:
      done = subprocess.run(
        [sys.executable, "-c", _MESSAGES],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=False,
      )
    self.assertEqual((done.returncode, done.stdout), (0, "done\n"))


class MessagesTest(absltest.TestCase):
  def test_plural(self):
    found = [output.plural(number, "task") for number in (0, 1, 2)]
    self.assertEqual(found, ["0 tasks", "1 task", "2 tasks"])


class FilesTest(absltest.TestCase):
  def test_only_json_may_go_to_stdout(self):
    self.assertEqual(output.path_or_stdout("-"), "-")
    with self.assertRaisesRegex(argparse.ArgumentTypeError, "- is stdout, all"):
      output.writable_path("-")

  def test_a_failed_write_leaves_only_the_old_file(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "f").write_text("old")
    with self.assertRaises(TypeError):
      output.write_atomically(str(folder / "f"), 3)  # pyrefly: ignore[bad-argument-type] (what is tested)
    self.assertEqual([p.name for p in folder.iterdir()], ["f"])
    self.assertEqual((folder / "f").read_text(), "old")

  def test_files_have_the_permissions_of_new_files(self):
    path = pathlib.Path(self.create_tempdir().full_path, "f")
    before = os.umask(0o027)
    try:
      output.write_atomically(str(path), "new")
    finally:
      os.umask(before)
    self.assertEqual(path.stat().st_mode & 0o777, 0o640)

  def test_a_link_stays_a_link_and_a_device_a_device(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "f").write_text("old")
    (folder / "link").symlink_to(folder / "f")
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for name in ("link", "pipe"):
      path = output.writable_path(str(folder / name))
      output.write_atomically(path, "new")
    self.assertEqual(os.read(reader, 10), b"new")
    os.close(reader)
    self.assertEqual((folder / "f").read_text(), "new")
    self.assertTrue((folder / "link").is_symlink())
    self.assertTrue((folder / "pipe").is_fifo())


if __name__ == "__main__":
  absltest.main()
