"""References to Python objects, by which other processes find them.

"module:name" is an object at the top level of an importable module,
"/folder/script.py:name" one of a script that was run as the main program. A
process that did not run the script loads it under another name, as
`multiprocessing` does, so the script must guard its actions with
`if __name__ == "__main__"`.
"""

import ast
import contextvars
import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
import types
from typing import Any

from adaland.launch import errors

_MAIN = "__main__"
# Scripts are loaded as modules with this prefix and a hash of their path.
_SCRIPT = "adaland_script_"
_importing = contextvars.ContextVar("importing", default="")


def of(value: Any, what: str) -> str:
  """Returns the reference of a class or function.

  Args:
    value: The object, or its reference.
    what: Name of the argument, for messages.

  Raises:
    UserError: If other processes can't find the object by name.
  """
  if isinstance(value, str):
    check(value, what)
    return value
  module = getattr(value, "__module__", None)
  name = getattr(value, "__qualname__", None)
  if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
    raise errors.UserError(
      f"{what} is {errors.shown(value)}, allowed: a class or function at the "
      "top of a module, which other processes can import; wrap a lambda, inner "
      "function, partial or instance in such a function"
    )
  reference = f"{_place(module, what)}:{name}"
  if resolve(reference, what) is not value:
    raise errors.UserError(
      f"{what}: {reference} is a different object from the one given; give the "
      "one that other processes import by that name"
    )
  return reference


def _place(module: str, what: str) -> str:
  """Returns the name of a module, or the file of a script."""
  if module.startswith(_SCRIPT):
    file = sys.modules[module].__file__
    assert file is not None
    return file
  if module != _MAIN:
    return module
  main = sys.modules[_MAIN]
  spec = getattr(main, "__spec__", None)
  if spec is not None and spec.name != _MAIN:
    return spec.name
  file = getattr(main, "__file__", None)
  if file is None or not os.path.isfile(file):
    raise errors.UserError(
      f"{what} is defined in a notebook or an interactive session, where other "
      "processes can't import it; write it in a module and import that"
    )
  return os.path.abspath(file)


def check(reference: str, what: str) -> None:
  """Raises UserError unless the text has the form of a reference."""
  place, colon, name = reference.rpartition(":")
  is_file = place.endswith(".py") and os.path.isabs(place)
  is_module = not place.endswith(".py") and all(
    part.isidentifier() for part in place.split(".")
  )
  is_name = all(part.isidentifier() for part in name.split("."))
  if not colon or not is_name or not (is_file or is_module):
    raise errors.UserError(
      f"{what}: {errors.shown(reference)} is not of the form module:name or "
      "/folder/script.py:name"
    )


def resolve(reference: str, what: str) -> Any:
  """Imports the object of a reference.

  Args:
    reference: As `of` returned it.
    what: Name of the argument or field, for messages.

  Raises:
    UserError: If there is no such module or object, or the module can't be
      imported.
  """
  check(reference, what)
  place, _, name = reference.rpartition(":")
  found: Any = _module(place, what)
  for part in name.split("."):
    if not hasattr(found, part):
      raise errors.UserError(f"{what}: {place} has no {name!r}")
    found = getattr(found, part)
  return found


def importing() -> str:
  """Returns the module or script that `resolve` is importing, "" if none."""
  return _importing.get()


def has_no_guard(reference: str) -> bool:
  """Returns True if importing the main program would repeat its actions.

  A script without an `if` at its top level does the same when other processes
  import it. One with an `if` may do so too, which is found when they do.

  Args:
    reference: An object's; False unless its place is the main program.
  """
  place, _, _ = reference.rpartition(":")
  file = getattr(sys.modules[_MAIN], "__file__", None)
  if file is None or not _is_main(place):
    return False
  with open(file, "rb") as script:
    body = ast.parse(script.read()).body
  conditional = ast.If | ast.Match | ast.Try | ast.While
  return not any(isinstance(statement, conditional) for statement in body)


def _is_main(place: str) -> bool:
  """Returns True if a file or module is the main program."""
  main = sys.modules[_MAIN]
  if os.path.isabs(place):
    file = getattr(main, "__file__", None)
    return file is not None and os.path.abspath(file) == place
  return getattr(getattr(main, "__spec__", None), "name", None) == place


def _module(place: str, what: str) -> types.ModuleType:
  if _is_main(place):
    return sys.modules[_MAIN]
  token = _importing.set(place)
  try:
    if os.path.isabs(place):
      return _load(place)
    return importlib.import_module(place)
  except errors.UserError:
    raise
  except (Exception, SystemExit) as error:
    # The module is the user's and may raise any error.
    raise errors.UserError(
      f"{what}: {place} can't be imported: {errors.describe(error)}"
    ) from error
  finally:
    _importing.reset(token)


def _load(file: str) -> types.ModuleType:
  """Loads a script once, but not as the main program."""
  name = f"{_SCRIPT}{hashlib.sha256(file.encode()).hexdigest()[:16]}"
  if name in sys.modules:
    return sys.modules[name]
  if not os.path.isfile(file):
    raise FileNotFoundError("no such file")
  spec = importlib.util.spec_from_file_location(name, file)
  assert spec is not None
  assert spec.loader is not None
  module = importlib.util.module_from_spec(spec)
  # A script may import its neighbours.
  share(os.path.dirname(file))
  sys.modules[name] = module
  try:
    spec.loader.exec_module(module)
  except BaseException:
    del sys.modules[name]
    raise
  return module


def share_folder_of(reference: str) -> None:
  """Lets child processes import a reference's module as this process does."""
  place, _, _ = reference.rpartition(":")
  if os.path.isabs(place):
    share(os.path.dirname(place))
    return
  file = getattr(_module(place, reference), "__file__", None)
  if file is None:
    return  # Compiled in.
  folder = os.path.dirname(os.path.abspath(file))
  depth = place.count(".") + (os.path.basename(file) == "__init__.py")
  for _ in range(depth):
    folder = os.path.dirname(folder)
  # Installed modules are found in any case.
  if folder not in sysconfig.get_paths().values():
    share(folder)


def share(folder: str) -> None:
  """Puts a folder on the import path of this process and of its children."""
  if folder not in sys.path:
    sys.path.append(folder)
  before = os.environ.get("PYTHONPATH")
  paths = before.split(os.pathsep) if before else []
  if folder not in paths:
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, folder])
