"""Rules for strings: first words of docstrings, and plurals in messages.

Docstrings begin as those of rlax and dm_control do. `python -m tests.english
FOLDER...` lists the strings that break the rules.
"""

import ast
import pathlib
import re
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _words(text: str) -> frozenset[str]:
  return frozenset(text.split())


# A docstring that begins with one of these lacks its subject or its noun.
BANNED = _words(
  """
  And Are As Because But By Can For From Had Has Have How If In Is Not
  Nothing Of On Or So That Those To Was What When Where Whether Which Who Whom
  Whose Why With
  """
)
# Words ending in "s" that are not verbs.
_NO_VERBS = _words(
  """
  Actions Always Axes Bias Bytes Classes Has Its Is Less Loss Mass Names
  Numbers Perhaps Plus Rows Seconds Shapes This Thus Tasks Values Was
  Words
  """
)
# Verbs with which no class docstring begins; none is also a plural noun.
_VERBS = _words(
  """
  Adds Acts Answers Applies Asks Asserts Builds Casts Closes Collects Compares
  Computes Connects Creates Decides Deletes Describes Does Draws Embeds
  Encodes Ends Fills Finds Gets Gives Has Holds Is Keeps Learns Lets Looks
  Makes Merges Observes Opens Passes Plays Prints Puts Raises Reads Receives
  Remembers Removes Repeats Replaces Returns Rewrites Runs Says Sends Serves
  Shows Starts Stores Takes Tells Tracks Trains Tries Waits Walks Watches
  Wraps Writes Yields
  """
)
# A plural for any number; `output.plural` writes the one that fits.
_ANY_NUMBER = re.compile(r"\w+\(s\)")
_PROPERTIES = ("property", "cached_property")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def complaint(node: ast.AST, text: str) -> str:
  """Returns the fault of a docstring's first word, or an empty string.

  Args:
    node: The module, class or function.
    text: Its docstring.
  """
  words = text.split()
  if not words:
    return "is empty"
  first = words[0].rstrip(",.:;")
  if first in BANNED:
    return f"begins with {first!r}"
  if isinstance(node, ast.ClassDef):
    return f"of a class begins with a verb, {first!r}" * (first in _VERBS)
  if isinstance(node, _Function) and not _is_free(node):
    is_verb = re.fullmatch(r"[A-Z][a-z]+(-[a-z]+)?s", first)
    if first != "See" and (not is_verb or first in _NO_VERBS):
      return f"of a function does not begin with a verb in -s, but {first!r}"
  return ""


def _is_free(function: _Function) -> bool:
  """Returns True for properties and tests, which may begin with a noun."""
  if function.name.startswith("test"):
    return True
  decorators = [ast.unparse(each) for each in function.decorator_list]
  return any(
    each.split("(")[0].rpartition(".")[2] in _PROPERTIES for each in decorators
  )


def complaints_of(source: str) -> Iterator[tuple[int, str]]:
  """Yields the line and complaint of each faulty string of a module."""
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
      for found in _ANY_NUMBER.findall(node.value):
        yield node.lineno, f"{found!r}: write the singular or the plural"
    if isinstance(node, ast.Module | ast.ClassDef | _Function):
      text = ast.get_docstring(node)
      if text is None:
        continue
      found = complaint(node, text)
      if found:
        first_line = text.partition("\n")[0]
        yield node.body[0].lineno, f"docstring {found}: {first_line}"


def complaints(folder: str) -> list[str]:
  """Returns the complaints of all modules in a folder, or of one module.

  Args:
    folder: A path below the repository's root.
  """
  path = ROOT / folder
  files = [path] if path.is_file() else sorted(path.rglob("*.py"))
  return [
    f"{file.relative_to(ROOT)}:{line}: {text}"
    for file in files
    for line, text in complaints_of(file.read_text())
  ]


if __name__ == "__main__":
  for argument in sys.argv[1:]:
    print("\n".join(complaints(argument)))
