"""Reading of JSON written by people, with checks of its values.

Errors are one line and name the field, its value and what is allowed. A field
is named by its path in the file: `rules[1]`, `world.tiles`.
"""

import json
import math
import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SHOWN = 60  # Characters of a rejected value that an error repeats.
_LARGEST = 1e9
# More than any task or config needs.
MAX_BYTES = 1_000_000


def load(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Any:
  """Returns the content of a JSON file.

  Args:
    path: The file.
    max_bytes: Its maximum size.

  Raises:
    OSError: If it can't be read.
    ValueError: See `parse`.
  """
  with open(path, "rb") as file:
    return parse(file.read(max_bytes + 1), max_bytes)


def parse(data: bytes | str, max_bytes: int = MAX_BYTES) -> Any:
  """Returns the content of a JSON text.

  Args:
    data: The text.
    max_bytes: Its maximum length.

  Raises:
    ValueError: If the text is not JSON or not UTF-8, is larger than
      `max_bytes`, or has a duplicate field or a number that is not finite.
  """
  if len(data) > max_bytes:
    raise ValueError(f"larger than {max_bytes} bytes, allowed for such a file")
  try:
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    return json.loads(
      text,
      object_pairs_hook=_no_duplicates,
      parse_constant=_no_constant,
      parse_float=_finite,
    )
  except UnicodeDecodeError:
    raise ValueError("not UTF-8 text") from None
  except json.JSONDecodeError as error:
    raise ValueError(
      f"line {error.lineno}, column {error.colno}: no JSON: {error.msg}"
    ) from None
  except RecursionError:
    raise ValueError("lists or objects are nested too deeply") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
  found: dict[str, Any] = {}
  for key, value in pairs:
    if key in found:
      raise ValueError(f"the field {shown(key)} is given twice, allowed: once")
    found[key] = value
  return found


def _no_constant(name: str) -> float:
  raise ValueError(f"{_cut(name)} is given, allowed: finite numbers")


def _finite(text: str) -> float:
  number = float(text)
  if math.isinf(number):  # For example 1e999.
    return _no_constant(text)
  return number


def shown(value: object) -> str:
  """Returns a rejected value as errors show it, shortened if it is long."""
  if isinstance(value, str):
    text = json.dumps(value[:_SHOWN])
  else:
    text = reprlib.repr(value)  # Not repr: the value may be deeply nested.
  return _cut(text)


def _cut(text: str) -> str:
  return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def refusal(path: str, value: object, allowed: str) -> ValueError:
  """Returns the error for a value that is not allowed."""
  return ValueError(f"{path} is {shown(value)}, allowed: {allowed}")


def read_fields(
  value: Any, path: str, allowed: Iterable[str], needed: Sequence[str] = ()
) -> Mapping[str, Any]:
  """Returns a value if it is an object with only known and all needed keys."""
  allowed = tuple(allowed)
  if not isinstance(value, dict):
    raise refusal(path, value, f"an object with {', '.join(allowed)}")
  for key in value:
    if key not in allowed:
      raise ValueError(
        f"{path} has the unknown field {shown(key)}, allowed: "
        f"{', '.join(allowed)}"
      )
  for key in needed:
    if key not in value:
      raise ValueError(
        f'{path} lacks the field "{key}", needed: {", ".join(needed)}'
      )
  return value


def read_list(value: Any, path: str, what: str) -> list[Any]:
  """Returns a value if it is a list; `what` names its entries in errors."""
  if not isinstance(value, list):
    raise refusal(path, value, f"a list of {what}")
  return value


def read_text(value: Any, path: str) -> str:
  """Returns a value if it is a string."""
  if not isinstance(value, str):
    raise refusal(path, value, "a text in quotes")
  return value


def read_whole(value: Any, path: str) -> int:
  """Returns a value if it is an integer."""
  if isinstance(value, bool) or not isinstance(value, int):
    raise refusal(path, value, "a whole number")
  return value


def read_number(value: Any, path: str) -> float:
  """Returns a value if it is a finite number."""
  if isinstance(value, bool) or not isinstance(value, (int, float)):
    raise refusal(path, value, "a number")
  if not abs(value) <= _LARGEST:  # False for NaN too.
    raise refusal(path, value, "a finite number of at most 1e9")
  return float(value)


def read_flag(value: Any, path: str) -> bool:
  """Returns a value if it is true or false."""
  if not isinstance(value, bool):
    raise refusal(path, value, "true or false")
  return value
