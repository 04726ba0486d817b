"""Tests of launch.cli, launch.rundir and launch.progress."""

import contextlib
import dataclasses
import io
import json
import os
import pathlib

from absl.testing import absltest, parameterized

from launch import cli, errors, progress, rundir


def _run(work, *argv):
  """Runs a command; returns (exit code, stdout, stderr)."""

  def make_parser():
    parser = cli.Parser(prog="test")
    parser.add_argument("--count", type=cli.positive_int, default=1)
    parser.add_argument("--skip", type=cli.non_negative_int, default=0)
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

  def test_result_goes_where_it_was_asked_for(self):
    def work(args):
      cli.emit({"a": 1}, "a is one", args.json)

    path = os.path.join(self.create_tempdir().full_path, "out.json")
    self.assertEqual(_run(work), (0, "a is one\n", ""))
    code, out, _ = _run(work, "--json=-")
    self.assertEqual((code, json.loads(out)), (0, {"a": 1}))
    code, out, _ = _run(work, f"--json={path}")
    self.assertEqual((code, out), (0, "a is one\n"))
    self.assertEqual(json.loads(pathlib.Path(path).read_text()), {"a": 1})

  def test_a_failed_write_leaves_the_old_file_and_no_rest(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "f").write_text("old")
    with self.assertRaises(TypeError):
      cli.write_atomically(str(folder / "f"), 3)  # pyrefly: ignore[bad-argument-type] (what is tested)
    self.assertEqual([p.name for p in folder.iterdir()], ["f"])
    self.assertEqual((folder / "f").read_text(), "old")


@dataclasses.dataclass(frozen=True)
class Config:
  """A config."""

  size: int = 1


class RunDirTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def test_begin_makes_it_and_takes_it_again(self):
    run = rundir.RunDir(str(self.folder / "a" / "b"))
    run.begin(Config())
    self.assertEqual(run.read_config(), {"size": 1})
    rundir.RunDir(str(run.path)).begin(Config())

  def test_another_config_is_refused_by_field(self):
    run = rundir.RunDir(str(self.folder / "run"))
    run.begin(Config())
    run.begin(Config(2))  # Nothing has happened there yet.
    (run.path / "metrics.jsonl").write_text("{}\n")
    with self.assertRaisesRegex(errors.UserError, r"size: 1, not 2"):
      run.begin(Config())
    run.begin(Config(3), free_fields=["size"])
    self.assertEqual(run.read_config(), {"size": 3})

  def test_foreign_directories_are_left_alone(self):
    (self.folder / "thesis.txt").write_text("mine")
    with self.assertRaisesRegex(errors.UserError, "is not a run"):
      rundir.RunDir(str(self.folder)).begin(Config())
    with self.assertRaisesRegex(errors.UserError, "is not a run"):
      rundir.RunDir(str(self.folder / "thesis.txt")).begin(Config())
    self.assertEqual([p.name for p in self.folder.iterdir()], ["thesis.txt"])

  def test_reading_what_is_no_run(self):
    with self.assertRaisesRegex(errors.UserError, "no such directory"):
      rundir.RunDir(str(self.folder / "x")).read_config()
    with self.assertRaisesRegex(errors.UserError, "not a run"):
      rundir.RunDir(str(self.folder)).read_config()
    (self.folder / "config.json").write_text("{")
    with self.assertRaisesRegex(errors.UserError, "config.json: Expecting"):
      rundir.RunDir(str(self.folder)).read_config()
    (self.folder / "config.json").write_text('{"format": "other"}')
    with self.assertRaisesRegex(errors.UserError, "the format is not"):
      rundir.RunDir(str(self.folder)).read_config()

  def test_only_one_train_at_a_time(self):
    run = rundir.RunDir(str(self.folder / "run"))
    run.begin(Config())
    with (
      run.lock(),
      self.assertRaisesRegex(errors.UserError, "another train is running"),
    ):
      run.lock()
    run.lock().close()


class ProgressTest(absltest.TestCase):
  def test_lines_where_there_is_no_terminal(self):
    stream = io.StringIO()
    bar = progress.Progress(stream, quiet_seconds=1000)
    bar.update("one")
    bar.update("two")
    bar.update("three", force=True)
    bar.close()
    self.assertEqual(stream.getvalue(), "one\nthree\n")

  def test_a_terminal_line_is_rewritten_in_full(self):
    stream = io.StringIO()
    stream.isatty = lambda: True
    bar = progress.Progress(stream)
    bar.update("long text")
    bar.update("short")
    bar.close()
    self.assertEqual(stream.getvalue(), "\rlong text\rshort    \n")

  def test_numbers_for_people(self):
    self.assertEqual(progress.duration(3 * 3600 + 125), "3h02m")
    self.assertEqual(progress.duration(61.6), "1m02s")
    self.assertEqual(progress.duration(7.2), "7s")
    self.assertEqual(progress.count(12345678), "12.3M")
    self.assertEqual(progress.count(1500), "1.5k")
    self.assertEqual(progress.count(12), "12")


if __name__ == "__main__":
  absltest.main()
