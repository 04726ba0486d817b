"""The graph of imports among the modules of this repository.

A module is named without the package's prefix, as its path: `envs.tasks.task`.
A folder is named by its path with dots. Modules directly in one of the
packages, such as `launch.cli`, count one by one, because each may be in a
different layer; in all other folders, the modules form one layer.
"""

import ast
import functools
import pathlib
from collections.abc import Iterable, Mapping

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ("envs", "agent", "curriculum", "launch")
_PREFIX = "adaland."


def names_imported(tree: ast.AST) -> set[str]:
  """Returns the dotted names that a module imports, anywhere in it."""
  names = set()
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
      names.add(node.module or "")
      names |= {f"{node.module}.{alias.name}" for alias in node.names}
  return names


@functools.cache
def parse(path: pathlib.Path) -> ast.Module:
  """Returns the syntax tree of a file."""
  return ast.parse(path.read_text())


@functools.cache
def modules() -> dict[str, pathlib.Path]:
  """Returns the path of every module of the packages, by its name."""
  found = {}
  for package in PACKAGES:
    for path in sorted((ROOT / package).rglob("*.py")):
      parts = path.relative_to(ROOT).with_suffix("").parts
      if parts[-1] == "__init__":
        parts = parts[:-1]
      found[".".join(parts)] = path
  return found


@functools.cache
def imports() -> dict[str, frozenset[str]]:
  """Returns the modules of the packages that each module imports."""
  known = modules()
  graph = {}
  for module, path in known.items():
    names = names_imported(parse(path))
    found = {name.removeprefix(_PREFIX) for name in names} & known.keys()
    # `from adaland.envs import land` imports a module of the package, not names
    # in its __init__.
    found = {
      name
      for name in found
      if not any(other.startswith(f"{name}.") for other in found)
    }
    graph[module] = frozenset(found - {module})
  return graph


def layer(module: str) -> str:
  """Returns the entry of the table of layers that a module belongs to."""
  path = modules()[module]
  folder = ".".join(path.parent.relative_to(ROOT).parts)
  if path.name == "__init__.py" or folder not in PACKAGES:
    return folder
  return module


def layer_imports() -> dict[str, dict[str, str]]:
  """Returns, for each layer, the layers it imports, with one import of each."""
  found: dict[str, dict[str, str]] = {}
  for module, imported in imports().items():
    for other in sorted(imported):
      if layer(module) != layer(other):
        found.setdefault(layer(module), {}).setdefault(
          layer(other), f"{module} -> {other}"
        )
  return found


def find_circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
  """Returns the nodes of one cycle in order, or an empty list.

  Args:
    graph: For each node the nodes that it points to.
  """
  done: set[str] = set()

  def search(node: str, path: list[str]) -> list[str]:
    if node in path:
      return [*path[path.index(node) :], node]
    if node in done:
      return []
    for other in sorted(graph.get(node, ())):
      if circle := search(other, [*path, node]):
        return circle
    done.add(node)
    return []

  for node in sorted(graph):
    if circle := search(node, []):
      return circle
  return []
