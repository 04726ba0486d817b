"""User-defined rows of the tables of predicates and shapes."""

import importlib
import math
import os
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

# Environment variable that names modules with rows, separated by commas.
VARIABLE: Final = "ADALAND_TABLES"
_TABLES: Final = ("PREDICATES", "SHAPES")


def read(table: str, kind: type) -> list[Any]:
  """Returns a table's rows from the modules named by ADALAND_TABLES.

  Args:
    table: The table's name in the modules.
    kind: The class of its rows.

  Raises:
    ValueError: If a module can't be imported, has no rows, or has a row of
      another class.
  """
  rows = []
  for name in filter(None, map(str.strip, _names())):
    try:
      module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
      # The module is the user's, and may raise any error.
      reason = f"{type(error).__name__}: {error}"
      raise ValueError(f"{VARIABLE} names {name!r}: {reason}") from error
    if not any(hasattr(module, each) for each in _TABLES):
      # Such a module imports Adaland, so it must not be imported first.
      raise ValueError(
        f"{VARIABLE} names {name!r}, which has no rows yet, allowed: modules "
        f"with {' or '.join(_TABLES)} that nothing imports before adaland"
      )
    found = getattr(module, table, ())
    # A single row is a tuple too, but not of rows.
    if not isinstance(found, (tuple, list)) or not all(
      isinstance(row, kind) for row in found
    ):
      raise ValueError(
        f"{VARIABLE} names {name!r}, whose {table} is {reprlib.repr(found)}, "
        f"allowed: a tuple of rows, such as ({kind.__name__}(...),)"
      )
    rows += found
  return rows


def _names() -> list[str]:
  return os.environ.get(VARIABLE, "").split(",")


def check(
  rows: Sequence[Any],
  first: int,
  last: int,
  names: set[str],
  allowed: Mapping[str, Sequence[str]],
) -> None:
  """Raises ValueError unless rows can be added to a table.

  Args:
    rows: The rows.
    first: Id of the first row; the others follow it.
    last: Largest id.
    names: Names that are taken.
    allowed: The allowed values of enumerated fields, by field.
  """
  taken = set(names)
  for wanted, row in enumerate(rows, start=first):
    where = f"{type(row).__name__.lower()} {row.name!r} of {VARIABLE}"
    if not row.name.isidentifier() or row.name in taken:
      raise ValueError(f"{where}, allowed: a word that is not in use")
    taken.add(row.name)
    if row.id != wanted or wanted > last:
      ids = wanted if wanted <= last else f"none, as {last} is the last"
      raise ValueError(f"{where}: id is {row.id}, allowed: {ids}")
    for field in set(row._fields) & set(allowed):
      given = getattr(row, field)
      for value in given if isinstance(given, tuple) else (given,):
        if value not in allowed[field]:
          raise ValueError(
            f"{where}: {field} is {value!r}, allowed: "
            f"{', '.join(allowed[field])}"
          )
    sizes = getattr(row, "half_extents", ())
    if not all(0 < size < math.inf for size in sizes):
      raise ValueError(
        f"{where}: half_extents is {sizes}, allowed: finite numbers above 0"
      )
    # Samplers draw objects as second arguments.
    weight = getattr(row, "weight", 0)
    if weight < 0 or (weight and row.arguments[1] == "player"):
      raise ValueError(
        f"{where}: weight is {weight}, allowed: from 0, and 0 where b is a "
        "player"
      )
