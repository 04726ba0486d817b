"""Tests of the direction of imports, and of the cost of light imports."""

import ast
import collections
import subprocess
import sys

from absl.testing import absltest, parameterized

from tests import import_graph

_ALLOWED = {
  "envs": {"envs"},
  "agent": {"agent"},
  "curriculum": {"curriculum", "envs"},
  "launch": {"agent", "curriculum", "envs", "launch"},
}

# Layer -> layers of the same package that it may import. Modules directly in a
# package without a row of their own form its layer "*".
_TASKS = {"constants", "shapes", "tables", "tasks"}
_WORLD = {*_TASKS, "physics", "worlds"}
_STEP = {
  *_WORLD,
  "physics.gpu",
  "game",
  "observations",
  "land_types",
  "stepping",
}
_BASE = {"errors", "caches", "cli", "config", "output"}
_BUILD = {*_BASE, "recipes", "run", "acting", "builder"}
_EVALUATION = {*_BUILD, "evaluation.comparison", "agents"}
_ROLES = {*_EVALUATION, "evaluation", "roles"}
_RUNTIMES = {*_ROLES, "tasking", "watching", "runtimes", "runtimes.single"}
_LAYERS = {
  "envs": {
    "added_rows": set(),
    "tables": {"added_rows"},
    "constants": {"tables"},
    "shapes": {"constants", "tables"},
    "tasks": {"constants", "shapes", "tables"},
    "sampling": {*_TASKS, "worlds"},
    "physics": {"constants", "shapes", "physics.gpu"},
    "physics.gpu": {"constants", "shapes", "physics"},
    "worlds": {*_TASKS, "physics"},
    "game": _TASKS,
    "observations": {*_TASKS, "game", "physics"},
    "land_types": {*_TASKS, "observations", "physics"},
    "stepping": _STEP - {"stepping"},
    "land": _STEP,
    "land_state": {*_STEP, "land"},
    "adaptors": {*_STEP, "land", "sampling"},
    "expert.ways": {*_WORLD, "land"},
    "expert.control": {*_WORLD, "land", "expert.ways"},
    "expert.exploring": {*_WORLD, "land", "expert.ways", "expert.control"},
    "expert": {
      *_WORLD,
      "land",
      "sampling",
      "expert.ways",
      "expert.control",
      "expert.exploring",
    },
    "*": set(),
  },
  "agent": {
    "types": set(),
    "array_text": set(),
    "validation": set(),
    "config": {"validation"},
    "algorithm_config": {"validation"},
    "learner_config": {"algorithm_config", "validation"},
    "sizes": {"config", "validation"},
    "distributions": {"types"},
    "initialization": {"types"},
    "layers": {"types"},
    "optimizers": {"learner_config"},
    "checkpoint": {"array_text"},
    "memory": {"config", "initialization", "layers", "types"},
    "muesli": {"distributions", "learner_config", "types"},
    "privileged": {"distributions", "learner_config", "muesli", "types"},
    "network": {
      "config",
      "initialization",
      "layers",
      "memory",
      "privileged",
      "types",
    },
    "actor_critic": {"distributions", "learner_config", "muesli", "types"},
    "updates": {
      "actor_critic",
      "distributions",
      "learner_config",
      "muesli",
      "privileged",
      "types",
    },
    "learner": {"learner_config", "optimizers", "types", "updates"},
    "acting": {"distributions", "muesli", "types"},
    "replay": {"array_text", "types", "replay.reverb", "validation"},
    "replay.reverb": {"array_text", "types", "replay"},
    "*": {"config", "learner_config", "types"},
  },
  "curriculum": {"*": set()},
  "launch": {
    "errors": set(),
    "caches": set(),
    "output": {"errors"},
    "cli": {"errors", "output"},
    "config": {"errors", "cli"},
    "recipes": _BASE,
    "run": _BASE,
    "acting": {*_BASE, "run"},
    "builder": {*_BASE, "recipes", "run", "acting", "agents"},
    "evaluation.comparison": _BASE,
    "agents": {*_BASE, "run", "evaluation.comparison"},
    "evaluation": _EVALUATION,
    "watching": {*_EVALUATION, "evaluation"},
    "tasking": {*_EVALUATION, "evaluation"},
    "studio": {*_EVALUATION, "evaluation"},
    "roles": {*_EVALUATION, "evaluation"},
    "runtimes.single": _ROLES,
    "runtimes": {*_ROLES, "runtimes.single"},
    "bench.lib": _RUNTIMES,
    "bench": {*_RUNTIMES, "bench.lib"},
    "studies": {*_RUNTIMES, "*"},
    # The commands.
    "*": _RUNTIMES,
  },
}
# Parts of one layer: code that chooses a part imports it where it is chosen.
_PAIRS = {("physics", "physics.gpu"), ("replay", "replay.reverb")}
_MAX_MODULES = 16


def misspelt(names: set[str]) -> set[str]:
  """Returns the names in `names` that lack the prefix `adaland.`."""
  return {name for name in names if name.split(".")[0] in _ALLOWED}


def aliases(tree: ast.AST) -> set[str]:
  """Returns the aliases that a module gives to our own modules.

  A `__main__` may have an alias, because its own name is special.
  """
  return {
    alias.asname
    for node in ast.walk(tree)
    if isinstance(node, ast.ImportFrom)
    and (node.module or "").split(".")[0] in ("adaland", "tests")
    for alias in node.names
    if alias.asname and alias.name != "__main__"
  }


def forbidden(package: str, names: set[str]) -> set[str]:
  """Returns the names in `names` of our packages that `package` may not use."""
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


def row(layer: str) -> tuple[str, str]:
  """Returns package and row of `_LAYERS` that a layer belongs to."""
  package, _, name = layer.partition(".")
  return package, name if name in _LAYERS[package] else "*"


class PackagesTest(parameterized.TestCase):
  @parameterized.parameters(*_ALLOWED)
  def test_package_keeps_to_the_one_way_street(self, package):
    files = list((import_graph.ROOT / package).rglob("*.py"))
    self.assertNotEmpty(files)
    for path in files:
      names = import_graph.names_imported(import_graph.parse(path))
      self.assertEmpty(forbidden(package, names), f"{path} imports these")

  def test_there_is_one_spelling_of_imports(self):
    for package in (*_ALLOWED, "tests"):
      for path in (import_graph.ROOT / package).rglob("*.py"):
        names = import_graph.names_imported(import_graph.parse(path))
        self.assertEmpty(misspelt(names), f"{path}: these")
        found = aliases(import_graph.parse(path))
        self.assertEmpty(found, f"{path}: no names of its own for our modules")
    self.assertEqual(misspelt({"envs.land", "adaland.envs"}), {"envs.land"})
    tree = ast.parse("from adaland.envs import land as worlds, shapes")
    self.assertEqual(aliases(tree), {"worlds"})

  def test_a_forbidden_import_is_seen(self):
    names = import_graph.names_imported(
      ast.parse("def f():\n  from adaland.launch import cli\n")
    )
    self.assertEqual(
      forbidden("agent", names), {"adaland.launch", "adaland.launch.cli"}
    )
    names = {"adaland.envs.land", "adaland.envs.tasks.task"}
    self.assertEqual(forbidden("curriculum", names), {"adaland.envs.land"})


class LayersTest(parameterized.TestCase):
  @parameterized.parameters(*_LAYERS)
  def test_layers_import_what_their_rows_allow(self, package):
    bad = []
    for layer, imported in import_graph.layer_imports().items():
      for other, example in imported.items():
        (home, name), (of, used) = row(layer), row(other)
        if home != package or of != package or name == used:
          continue
        if used not in _LAYERS[package][name]:
          bad.append(f"{layer} may not import {other}: {example}")
    self.assertEmpty(bad, "\n".join(bad))

  @parameterized.parameters(*_LAYERS)
  def test_rows_allow_no_circle(self, package):
    graph = {
      name: {
        other
        for other in allowed
        if (name, other) not in _PAIRS and (other, name) not in _PAIRS
      }
      for name, allowed in _LAYERS[package].items()
    }
    self.assertEmpty(import_graph.find_circle(graph))

  def test_modules_import_in_no_circle(self):
    self.assertEmpty(import_graph.find_circle(import_graph.imports()))

  def test_circles_are_found(self):
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"e"}, "d": {"b"}}
    self.assertEqual(import_graph.find_circle(graph), ["b", "d", "b"])
    graph["d"] = {"c"}
    self.assertEmpty(import_graph.find_circle(graph))

  def test_folders_stay_small(self):
    counts = collections.Counter(
      ".".join(path.parent.relative_to(import_graph.ROOT).parts)
      for path in import_graph.modules().values()
      if path.name != "__init__.py"
    )
    self.assertIn("envs.tasks", counts)
    for folder, count in counts.items():
      self.assertLessEqual(count, _MAX_MODULES, folder)

  def test_the_graph_has_imports_of_functions_and_of_packages(self):
    graph = import_graph.imports()
    self.assertIn("envs.constants", graph["envs.tasks.literals"])
    # Imported in a function.
    self.assertIn("launch.bench.train", graph["launch.bench.__main__"])
    self.assertEqual(import_graph.layer("launch.bench.train"), "launch.bench")
    self.assertEqual(import_graph.layer("launch.cli"), "launch.cli")
    self.assertEqual(import_graph.layer("envs.tasks"), "envs.tasks")


class CostTest(parameterized.TestCase):
  @parameterized.parameters(
    (
      (
        "adaland.agent.learner",
        "adaland.agent.network",
        "adaland.curriculum.plr",
        "adaland.envs.land",
      ),
      ("tensorflow", "reverb", "ray"),
    ),
    # Actors and config readers don't import the learner's packages.
    (
      (
        "adaland.launch.config.experiment",
        "adaland.launch.config.preset_configs",
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
      [sys.executable, "-c", code],
      cwd=import_graph.ROOT,
      capture_output=True,
      text=True,
    )
    self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
  absltest.main()
