"""Tests of adaland.launch.cli."""

import argparse
import contextlib
import io
import json
import os
import pathlib

from absl.testing import absltest, parameterized

from adaland.launch import cli, errors


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
  def test_plural(self):
    found = [cli.plural(number, "task") for number in (0, 1, 2)]
    self.assertEqual(found, ["0 tasks", "1 task", "2 tasks"])

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
      cli.emit({"a": 1}, "a is one", args.json)

    path = os.path.join(self.create_tempdir().full_path, "out.json")
    self.assertEqual(_run(work), (0, "a is one\n", ""))
    code, out, _ = _run(work, "--json=-")
    self.assertEqual((code, json.loads(out)), (0, {"a": 1}))
    code, out, _ = _run(work, f"--json={path}")
    self.assertEqual((code, out), (0, "a is one\n"))
    self.assertEqual(json.loads(pathlib.Path(path).read_text()), {"a": 1})

  def test_only_json_may_go_to_stdout(self):
    self.assertEqual(cli.path_or_stdout("-"), "-")
    with self.assertRaisesRegex(argparse.ArgumentTypeError, "- is stdout, all"):
      cli.output_path("-")

  def test_a_failed_write_leaves_only_the_old_file(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "f").write_text("old")
    with self.assertRaises(TypeError):
      cli.write_atomically(str(folder / "f"), 3)  # pyrefly: ignore[bad-argument-type] (what is tested)
    self.assertEqual([p.name for p in folder.iterdir()], ["f"])
    self.assertEqual((folder / "f").read_text(), "old")

  def test_files_have_the_permissions_of_new_files(self):
    path = pathlib.Path(self.create_tempdir().full_path, "f")
    before = os.umask(0o027)
    try:
      cli.write_atomically(str(path), "new")
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
      path = cli.output_path(str(folder / name))
      cli.write_atomically(path, "new")
    self.assertEqual(os.read(reader, 10), b"new")
    os.close(reader)
    self.assertEqual((folder / "f").read_text(), "new")
    self.assertTrue((folder / "link").is_symlink())
    self.assertTrue((folder / "pipe").is_fifo())

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
