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


def forbidden(package: str, names: set[str]) -> set[str]:
  """Returns those of our own packages in `names` that `package` may not use."""
  ours = {name for name in names if name.split(".")[0] in _ALLOWED}
  bad = {name for name in ours if name.split(".")[0] not in _ALLOWED[package]}
  if package == "curriculum":
    bad |= {
      name
      for name in ours
      if name.startswith("envs") and name.split(".")[1:2] not in ([], ["task"])
    }
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

  def test_a_forbidden_import_is_seen(self):
    tree = ast.parse("def f():\n  from launch import config\n")
    self.assertEqual(
      forbidden("agent", imported(tree)), {"launch", "launch.config"}
    )
    tree = ast.parse("from envs import land\nfrom envs import task")
    self.assertEqual(forbidden("curriculum", imported(tree)), {"envs.land"})

  @parameterized.parameters(
    (
      ("agent.learner", "agent.network", "curriculum.plr", "envs.land"),
      ("tensorflow", "reverb", "ray"),
    ),
    # What acts, and what reads a config, does without what learns.
    (
      ("launch.config", "launch.presets", "launch.local.actor_main"),
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
