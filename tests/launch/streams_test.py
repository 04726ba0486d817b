"""Tests of adaland.launch.streams, by programs of their own."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

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
from adaland.launch import cli
from adaland.launch.run import progress

def run(args):
  cli.say("starting")
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
  def test_messages_that_cannot_be_written_end_no_work(self, output):
    if output == "nobody":
      reader, number = os.pipe()
      os.close(reader)
    elif os.path.exists(output):
      number = os.open(output, os.O_WRONLY)
    else:
      self.skipTest(f"this system has no {output}")
    with os.fdopen(number, "wb") as stderr:
      done = subprocess.run(
        [sys.executable, "-c", _MESSAGES],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=False,
      )
    self.assertEqual((done.returncode, done.stdout), (0, "done\n"))


if __name__ == "__main__":
  absltest.main()
