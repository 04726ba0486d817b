"""Tests of the console command."""

import argparse
import contextlib
import importlib
import io
import subprocess
import sys

from absl.testing import absltest

from adaland.launch import main


def _call(*argv):
  """Runs the command; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = main.main(list(argv))
  return code, out.getvalue(), err.getvalue()


def _shown(default):
  """Returns a flag's default as a user would write it."""
  if isinstance(default, list):
    return ",".join(map(str, default))
  return f"{default:g}" if isinstance(default, float) else str(default)


class MainTest(absltest.TestCase):
  def test_help_lists_all_commands(self):
    code, out, err = _call("--help")
    self.assertEqual((code, err), (0, ""))
    for name in main.COMMANDS:
      self.assertRegex(out, rf"(?m)^  {name} ")

  def test_no_command(self):
    code, out, _ = _call()
    self.assertEqual(code, 2)
    self.assertIn("usage: adaland COMMAND", out)

  def test_an_unknown_command_is_one_line(self):
    code, out, err = _call("trian", "--workdir=x")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("'trian' is not one of train, watch", err)
    self.assertIn("did you mean 'train'", err)
    self.assertEqual(err.count("\n"), 1)

  def test_a_command_gets_the_other_arguments_and_gives_its_exit_code(self):
    code, out, err = _call("tasks", "show", "probe:dont-act")
    self.assertEqual((code, err), (0, ""))
    self.assertIn("Goal of player1", out)
    code, _, err = _call("evaluate", "--policy=nobody")
    self.assertEqual(code, 2)
    self.assertIn("--policy: 'nobody' is not one of", err)

  def test_every_command_has_a_module(self):
    for name in main.COMMANDS:
      if name not in ("bench", "studio"):  # Has its own test of the help.
        with self.assertRaises(SystemExit) as caught:
          _call(name, "--help")
        self.assertEqual(caught.exception.code, 0)

  def test_every_argument_has_a_help_text_with_its_default(self):
    for module in main.MODULES.values():
      made = importlib.import_module(module).make_parser()
      for parser, argument in made.arguments():
        self.assertRegex(parser.description, r"^[A-Z][a-z]+s\b")
        name = f"{parser.prog} {argument.option_strings or argument.dest}"
        self.assertTrue(argument.help, name)
        if argument.default in ("", [], None, argparse.SUPPRESS):
          continue
        if argument.default is not False:
          self.assertIn("default", argument.help, name)
          self.assertIn(_shown(argument.default), argument.help, name)

  def test_the_package_runs_as_a_program_without_loading_the_rest(self):
    code = (
      "import runpy, sys\n"
      "sys.argv = ['adaland', '--help']\n"
      "try:\n"
      "  runpy.run_module('adaland', run_name='__main__')\n"
      "except SystemExit as error:\n"
      "  assert error.code == 0\n"
      "print([m for m in ('jax', 'mujoco', 'gymnasium') if m in sys.modules])\n"
    )
    done = subprocess.run(
      [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    self.assertIn("usage: adaland COMMAND", done.stdout)
    self.assertEndsWith(done.stdout, "[]\n")


if __name__ == "__main__":
  absltest.main()
