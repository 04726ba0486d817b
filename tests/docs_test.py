"""Tests that all references in the documentation and docstrings resolve."""

import ast
import importlib
import json
import pathlib
import re

import numpy as np
import safetensors.numpy
from absl.testing import absltest, parameterized

from adaland.agent.checkpoint import weights
from adaland.envs.tasks import probes
from adaland.launch.agents import agent_dir

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_PACKAGES = ("adaland", "agent", "curriculum", "envs", "launch")
_FOLDERS = (*_PACKAGES, "docs", "examples", "results", "tests")
# Not a file format such as adaland.task/1.
_NAME = re.compile(r"(?<![\w./:])adaland(?:\.[A-Za-z_]\w*)+\b(?!/)")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_FILE = re.compile(
  rf"(?<![\w./-])(?:{'|'.join(_FOLDERS)})/[\w./-]+\.(?:py|md|json|yaml|sbatch)\b"
)


def resolves(name: str) -> bool:
  """Returns True if a dotted name is a module or an attribute of one."""
  parts = name.split(".")
  for i in range(len(parts), 0, -1):
    try:
      found = importlib.import_module(".".join(parts[:i]))
    except ModuleNotFoundError as error:
      if error.name and not error.name.startswith("adaland"):
        return True  # An optional package such as Reverb is missing.
      continue
    for part in parts[i:]:
      if not hasattr(found, part):
        # Fields of dataclasses without a default are annotations only.
        return part in getattr(found, "__annotations__", {})
      found = getattr(found, part)
    return True
  return False


def pages() -> list[pathlib.Path]:
  """Returns all pages of documentation."""
  found = [*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")]
  found += (_ROOT / "results").rglob("*.md")
  # The changelog mentions names that no longer exist.
  return [path for path in found if path.name != "CHANGELOG.md"]


def code(page: pathlib.Path) -> str:
  """Returns the lines of a page that are indented as code."""
  lines = page.read_text().splitlines()
  return "\n".join(line for line in lines if line.startswith("    "))


def docstrings(path: pathlib.Path) -> list[str]:
  """Returns the docstrings of a module and of everything that it defines."""
  documented = (
    ast.Module,
    ast.ClassDef,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
  )
  tree = ast.parse(path.read_text())
  return [
    ast.get_docstring(node) or ""
    for node in ast.walk(tree)
    if isinstance(node, documented)
  ]


class DocsTest(parameterized.TestCase):
  def test_names_in_pages_resolve(self):
    for page in pages():
      for name in set(_NAME.findall(page.read_text())):
        self.assertTrue(resolves(name), f"{page.relative_to(_ROOT)}: {name}")

  @parameterized.parameters(*_PACKAGES[1:])
  def test_names_in_docstrings_resolve(self, package):
    for path in (_ROOT / package).rglob("*.py"):
      for text in docstrings(path):
        for name in set(_NAME.findall(text)):
          self.assertTrue(resolves(name), f"{path.relative_to(_ROOT)}: {name}")

  def test_linked_files_are_there(self):
    for page in pages():
      for target in set(_LINK.findall(page.read_text())):
        if "://" not in target:
          linked = page.parent / target
          self.assertTrue(
            linked.exists(), f"{page.relative_to(_ROOT)}: {target}"
          )

  def test_named_files_are_there(self):
    for page in pages():
      for name in set(_FILE.findall(page.read_text())):
        self.assertTrue(
          (_ROOT / name).exists(), f"{page.relative_to(_ROOT)}: {name}"
        )

  @parameterized.parameters("chain", "fetch", "find", "traps")
  def test_scores_of_the_mixture_are_those_of_its_files(self, family):
    folder = _ROOT / "results" / "mixture"
    result = json.loads((folder / f"{family}.json").read_text())
    score = result["score"]
    cells = [
      f"{score['mean'][str(k)]:.2f} ± {score['stderr'][str(k)]:.2f}"
      for k in result["trials"]
    ]
    page = (folder / "README.md").read_text().splitlines()
    self.assertIn(f"| `{family}` | {' | '.join(cells)} |", page)

  def test_agents_of_the_package_were_evaluated(self):
    evaluated = {
      json.loads(file.read_text()).get("agent_sha256")
      for file in (_ROOT / "results").glob("*/**/*.json")
      if '"by_trial"' in file.read_text()
    }
    for name in agent_dir.names():
      file = agent_dir.SHIPPED / name / "weights.safetensors"
      arrays = safetensors.numpy.load_file(file)
      params = {key: x.astype(np.float32) for key, x in arrays.items()}
      self.assertIn(weights.fingerprint(params), evaluated, name)

  def test_scores_of_the_explorers_are_those_of_their_files(self):
    page = " ".join((_ROOT / "docs" / "expert.md").read_text().split())
    for name in ("explorer", "forgetful"):
      file = _ROOT / "results" / "testsets" / f"{name}.json"
      means = json.loads(file.read_text())["by_trial"]["mean"]
      *first, last = [f"{mean:.2f}" for mean in means]
      self.assertIn(f"{', '.join(first)} and {last}", page)

  def test_probes_have_their_expert_s_rewards(self):
    page = (_ROOT / "docs" / "probes.md").read_text()
    file = _ROOT / "results" / "testsets" / "probes.json"
    best = {
      task["id"].replace(" ", "-"): task["expert"]
      for task in json.loads(file.read_text())["tasks"]
    }
    self.assertEqual(sorted(best), sorted(probes.names()))
    shown = {}
    rows = re.findall(r"^\| (\S.*) \| .* \| ([\d., ]+) of \d+ \|$", page, re.M)
    for names, rewards in rows:
      shown |= zip(names.split(", "), rewards.split(", "), strict=True)
    self.assertEqual(shown, {name: f"{best[name]:.1f}" for name in best})

  @parameterized.parameters("evaluate", "load_agent", "make", "train")
  def test_the_guide_shows_the_public_functions(self, name):
    guide = [code(page) for page in (_ROOT / "docs").glob("*.md")]
    self.assertTrue(any(f"adaland.{name}(" in text for text in guide))

  def test_broken_references_are_seen(self):
    self.assertTrue(resolves("adaland.envs.land.Land.step"))
    self.assertTrue(resolves("adaland.envs.tasks"))
    self.assertFalse(resolves("adaland.envs.land.Sea"))
    self.assertFalse(resolves("adaland.envs.seas"))
    self.assertEqual(
      _LINK.findall("[x](a/b.md#c) [y](d.md)"), ["a/b.md", "d.md"]
    )
    self.assertEqual(_FILE.findall("see `agent/none.py`:"), ["agent/none.py"])


if __name__ == "__main__":
  absltest.main()
