"""Tests of the examples: each runs as a user would run it, but shortly."""

import ast
import json
import os
import pathlib
import subprocess
import sys

import pytest
from absl.testing import absltest, parameterized

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_EXAMPLES = _ROOT / "examples"
_MOST_LINES = 60


def _run(*command: str, cwd: str) -> str:
  """Runs a Python program outside of the repository; returns its stdout."""
  done = subprocess.run(
    [sys.executable, *command],
    cwd=cwd,
    env={**os.environ, "PYTHONPATH": str(_ROOT)},
    capture_output=True,
    text=True,
    timeout=600,
    check=False,
  )
  if done.returncode:
    raise AssertionError(f"{command}: {done.returncode}\n{done.stderr}")
  return done.stdout


@pytest.mark.long
class ExamplesTest(parameterized.TestCase):
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

  # On newer Pythons CI runs all of them with the installed package.
  @pytest.mark.once
  def test_own_agent(self):
    folder = self.create_tempdir().full_path
    out = _run(str(_EXAMPLES / "own_agent.py"), "--smoke", cwd=folder)
    self.assertIn("seconds of reward", out)
    self.assertIn("| greedy |", out)

  @pytest.mark.once
  @parameterized.parameters("own_memory", "own_curriculum", "own_tasks")
  def test_training_with(self, name):
    folder = self.create_tempdir().full_path
    script = str(_EXAMPLES / f"{name}.py")
    out = _run(script, "--smoke", "--workdir=run", cwd=folder)
    self.assertIn("| agent |", out)
    config = pathlib.Path(folder, "run", "config.json").read_text()
    parts = json.loads(config)["config"]["factories"]
    self.assertLen([p for p in parts.values() if p.startswith(script)], 1)


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
    out = _run(program, cwd=self.create_tempdir().full_path)
    self.assertIn("| random |", out)
    self.assertIn("| expert |", out)


if __name__ == "__main__":
  absltest.main()
