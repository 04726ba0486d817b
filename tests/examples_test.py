"""Tests of the examples: each runs as a user would run it, but briefly.

Nothing is trained here: `.ci/package` trains with each example, installed from
the wheel, and `own_parts_test` with parts of the same kinds.
"""

import ast
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import runpy
import sys
import types
from unittest import mock

import pytest
from absl.testing import absltest, parameterized

import adaland
from adaland.launch.recipes import extensions, presets, recipe

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_EXAMPLES = _ROOT / "examples"
_MOST_LINES = 60


def _run(script: str, *flags: str) -> str:
  """Runs a Python program; returns its stdout."""
  out = io.StringIO()
  with (
    mock.patch.object(sys, "argv", [script, *flags]),
    contextlib.redirect_stdout(out),
  ):
    runpy.run_path(script, run_name="__main__")
  return out.getvalue()


class ExamplesTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    # A run passes its own parts to child processes through these two.
    self.enter_context(mock.patch.dict(os.environ))
    self.enter_context(mock.patch.object(sys, "path", [*sys.path]))

  def test_all_are_listed_here_and_short(self):
    found = {path.stem for path in _EXAMPLES.glob("*.py")}
    self.assertEqual(
      found, {"own_agent", "own_memory", "own_curriculum", "own_tasks"}
    )
    for name in found:
      text = (_EXAMPLES / f"{name}.py").read_text()
      self.assertLess(len(text.splitlines()), _MOST_LINES, name)
      self.assertIn(
        f"python examples/{name}.py", ast.get_docstring(ast.parse(text)) or ""
      )

  # On newer Python versions, CI runs it with the installed package.
  @pytest.mark.once
  def test_own_agent(self):
    out = _run(str(_EXAMPLES / "own_agent.py"), "--smoke")
    self.assertIn("seconds of reward", out)
    self.assertIn("| greedy |", out)

  @parameterized.parameters("own_memory", "own_curriculum", "own_tasks")
  def test_an_experiment_of_one_s_own(self, name):
    script = str(_EXAMPLES / f"{name}.py")
    part = name.removeprefix("own_")
    trained = {}

    def train(source, workdir):
      config = source.resolved()
      extensions.check(config)
      trained[workdir] = config
      return types.SimpleNamespace(evaluation={"agent": "| agent |"})

    with (
      mock.patch.object(adaland, "train", train),
      mock.patch.object(adaland, "evaluate"),
    ):
      self.assertIn("| agent |", _run(script, "--smoke", "--workdir=short"))
      _run(script, "--workdir=long")
    short, long = trained["short"], trained["long"]
    self.assertEqual(short.run.max_steps, 300)
    self.assertEqual(long.run, presets.laptop().config.run)
    parts = dataclasses.asdict(short.factories)
    self.assertStartsWith(parts.pop(part), f"{script}:")
    self.assertFalse(any(parts.values()), parts)
    # The command that the example names trains the same agent.
    config = recipe.load(f"{script}:recipe")
    self.assertEqual(
      dataclasses.replace(config.factories, recipe=""), long.factories
    )


class NotebookTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    path = _EXAMPLES / "first_steps.ipynb"
    self.notebook = json.loads(path.read_text())

  def test_its_form(self):
    self.assertEqual(self.notebook["nbformat"], 4)
    for cell in self.notebook["cells"]:
      self.assertIn(cell["cell_type"], ("markdown", "code"))
      for output in cell.get("outputs", []):
        # Text only: pictures would make the file large.
        self.assertEqual(output["output_type"], "stream")

  def test_its_cells_run_in_order(self):
    cells = [
      "".join(cell["source"])
      for cell in self.notebook["cells"]
      if cell["cell_type"] == "code"
    ]
    program = self.create_tempfile("cells.py", "\n\n".join(cells)).full_path
    out = _run(program)
    self.assertIn("| random |", out)
    self.assertIn("| expert |", out)


if __name__ == "__main__":
  absltest.main()
