"""Tests of adaland.launch.cli."""

import argparse
import contextlib
import io
import json
import os
import pathlib

from absl.testing import absltest, parameterized

from adaland.launch import cli, errors, output


def _run(work, *argv):
  """Runs a command; returns (exit code, stdout, stderr)."""

  def make_parser():
    parser = cli.Parser(prog="test")
    parser.add_argument("--count", type=cli.positive_int, default=1)
    parser.add_argument("--skip", type=cli.non_negative_int, default=0)
    parser.add_argument("--how", choices=["slow", "fast"])
    cli.add_json_flag(parser)
    return parser

  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = cli.main(make_parser, work, list(argv))
  return code, out.getvalue(), err.getvalue()


class CliTest(parameterized.TestCase):
  @parameterized.parameters(
    ("--coutn=3", "unknown argument '--coutn=3', did you mean '--count'?"),
    ("--cou=3", "unknown argument '--cou=3'"),
    ("--count=x", "argument --count: 'x' is not a whole number from 1"),
    ("--count=0", "argument --count: '0' is not a whole number from 1"),
    ("--skip=-1", "argument --skip: '-1' is not a whole number from 0"),
    ("--json=/nowhere/x", "directory /nowhere does not exist"),
    ("--json=/", "/ is a directory"),
    ("--json=", "an empty path"),
    ("stray", "unknown argument 'stray'"),
    (
      "--how=fats",
      "--how: 'fats' is not one of slow, fast, did you mean 'fast'?",
    ),
  )
  def test_bad_flags_are_one_line_and_exit_2(self, flag, message):
    code, out, err = _run(lambda args: self.fail("ran"), flag)
    self.assertEqual((code, out), (2, ""))
    self.assertEqual(err.count("\n"), 1)
    self.assertIn(message, err)

  @parameterized.parameters(
    (errors.UserError("bad\nvalue"), 2, "error: bad value\n"),
    (errors.RunError("port 1 is busy"), 1, "error: port 1 is busy\n"),
    (OSError(28, "No space left on device", "f"), 1, "error: f: No space"),
    (KeyboardInterrupt(), 130, "interrupted\n"),
  )
  def test_exit_codes(self, error, code, message):
    def work(args):
      raise error

    given, out, err = _run(work)
    self.assertEqual((given, out), (code, ""))
    self.assertIn(message, err)
    self.assertEqual(err.count("\n"), 1)

  def test_a_defect_keeps_its_traceback(self):
    with self.assertRaises(ValueError):
      _run(lambda args: int("x"))

    def work(args):
      raise RuntimeError("no such state")

    with self.assertRaises(RuntimeError):
      _run(work)

  def test_results_go_to_the_requested_output(self):
    def work(args):
      output.emit({"a": 1}, "a is one", args.json)

    path = os.path.join(self.create_tempdir().full_path, "out.json")
    self.assertEqual(_run(work), (0, "a is one\n", ""))
    code, out, _ = _run(work, "--json=-")
    self.assertEqual((code, json.loads(out)), (0, {"a": 1}))
    code, out, _ = _run(work, f"--json={path}")
    self.assertEqual((code, out), (0, "a is one\n"))
    self.assertEqual(json.loads(pathlib.Path(path).read_text()), {"a": 1})

  def test_an_unknown_flag_is_reported_before_missing_ones(self):
    parser = cli.Parser()
    parser.add_argument("--task", required=True)
    with self.assertRaisesRegex(errors.UserError, "'--tsak=a', did you mean"):
      parser.parse_args(["--tsak=a"])

  def test_an_unknown_subcommand_has_a_suggestion(self):
    parser = cli.Parser()
    commands = parser.add_subparsers(dest="command", metavar="{list,sample}")
    for name in ("list", "sample"):
      cli.add_subcommand(commands, name, f"{name}s")
    with self.assertRaisesRegex(
      errors.UserError,
      "^command: 'sampel' is not one of list, sample, did you mean 'sample'",
    ):
      parser.parse_args(["sampel"])

  def test_counts_and_seeds_have_bounds(self):
    self.assertEqual(cli.positive_int("100000"), 100_000)
    for parse, text in (
      (cli.positive_int, "100001"),
      (cli.positive_int, "0"),
      (cli.non_negative_int, str(2**62 + 1)),
      (cli.non_negative_int, "-1"),
    ):
      with self.assertRaisesRegex(argparse.ArgumentTypeError, "whole number"):
        parse(text)

  @parameterized.parameters(
    (MemoryError(), ""),
    (MemoryError("Unable to allocate 1. TiB"), ": Unable to allocate 1. TiB"),
    (
      RuntimeError("RESOURCE_EXHAUSTED: 9\nbytes"),
      ": RESOURCE_EXHAUSTED: 9 bytes",
    ),
  )
  def test_no_memory_is_one_line(self, error, reason):
    def work(args):
      del args
      raise error

    code, out, err = _run(work)
    self.assertEqual((code, out), (1, ""))
    self.assertEqual(err, f"error: out of memory{reason}\n")


if __name__ == "__main__":
  absltest.main()
