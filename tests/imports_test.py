"""The one-way street of imports, and what a light import may cost."""

import ast
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_ALLOWED = {
  "envs": {"envs"},
  "agent": {"agent"},
  "curriculum": {"curriculum", "envs"},
  "launch": {"agent", "curriculum", "envs", "launch"},
}


def imported(tree: ast.AST) -> set[str]:
  """Returns the dotted names a module imports, wherever it does."""
  names = set()
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
      names.add(node.module or "")
      names |= {f"{node.module}.{alias.name}" for alias in node.names}
  return names


def misspelt(names: set[str]) -> set[str]:
  """Returns the names in `names` that lack the prefix `adaland.`."""
  return {name for name in names if name.split(".")[0] in _ALLOWED}


def forbidden(package: str, names: set[str]) -> set[str]:
  """Returns those of our own packages in `names` that `package` may not use."""
  bad = set()
  for name in names:
    root, *parts = name.split(".")
    if root != "adaland" or not parts:
      continue
    is_task_type = parts[1:2] in ([], ["tasks"]) and parts[2:3] in (
      [],
      ["task"],
    )
    if parts[0] not in _ALLOWED[package] or (
      (package, parts[0]) == ("curriculum", "envs") and not is_task_type
    ):
      bad.add(name)
  return bad


class ImportsTest(parameterized.TestCase):
  @parameterized.parameters(*_ALLOWED)
  def test_package_keeps_to_the_one_way_street(self, package):
    files = list((_ROOT / package).rglob("*.py"))
    self.assertNotEmpty(files)
    for path in files:
      names = imported(ast.parse(path.read_text()))
      self.assertEmpty(
        forbidden(package, names), f"{path.relative_to(_ROOT)} imports these"
      )

  def test_there_is_one_spelling_of_imports(self):
    for package in (*_ALLOWED, "tests"):
      for path in (_ROOT / package).rglob("*.py"):
        names = imported(ast.parse(path.read_text()))
        self.assertEmpty(misspelt(names), f"{path.relative_to(_ROOT)}: these")
    self.assertEqual(misspelt({"envs.land", "adaland.envs"}), {"envs.land"})

  def test_a_forbidden_import_is_seen(self):
    tree = ast.parse("def f():\n  from adaland.launch import cli\n")
    self.assertEqual(
      forbidden("agent", imported(tree)),
      {"adaland.launch", "adaland.launch.cli"},
    )
    tree = ast.parse(
      "from adaland.envs import land\nfrom adaland.envs.tasks import task"
    )
    self.assertEqual(
      forbidden("curriculum", imported(tree)), {"adaland.envs.land"}
    )

  @parameterized.parameters(
    (
      (
        "adaland.agent.learner",
        "adaland.agent.network.network",
        "adaland.curriculum.plr",
        "adaland.envs.land",
      ),
      ("tensorflow", "reverb", "ray"),
    ),
    # What acts, and what reads a config, does without what learns.
    (
      (
        "adaland.launch.config.experiment",
        "adaland.launch.config.presets",
        "adaland.launch.runtimes.local_main",
      ),
      ("rlax", "optax", "orbax", "tensorflow", "ray"),
    ),
  )
  def test_imports_are_light(self, modules, heavy):
    code = "import sys\n" + "\n".join(f"import {name}" for name in modules)
    code += f"\nbad = {set(heavy)} & set(sys.modules)"
    code += '\nsys.exit(f"imported: {bad}" if bad else 0)'
    result = subprocess.run(
      [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True
    )
    self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
  absltest.main()
