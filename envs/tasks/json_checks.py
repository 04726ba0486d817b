"""Reads JSON that people write, and checks what is in it.

Errors are one line, name the place and what is allowed. A place is written as
in the text that people see: `rules[1]`, `world.tiles`.
"""

import json
import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SHOWN = 60  # Characters of a refused value that an error repeats.
_LARGEST = 1e9
# More than any task or config takes, and no burden to read.
MAX_BYTES = 1_000_000


def load(path: str | os.PathLike[str]) -> Any:
  """Returns what a JSON file holds.

  Raises:
    OSError: If it can't be read.
    ValueError: See `parse`.
  """
  with open(path, "rb") as file:
    return parse(file.read(MAX_BYTES + 1))


def parse(data: bytes | str) -> Any:
  """Returns what a JSON text holds: UTF-8, no field twice, finite numbers.

  Raises:
    ValueError: If it is no such text, or larger than MAX_BYTES.
  """
  if len(data) > MAX_BYTES:
    raise ValueError(f"larger than {MAX_BYTES} bytes, allowed for such a file")
  try:
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    return json.loads(
      text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant
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
  raise ValueError(f"{name} is given, allowed: finite numbers")


def shown(value: object) -> str:
  """Writes a refused value as an error repeats it, cut if it is long."""
  if isinstance(value, str):
    text = json.dumps(value[:_SHOWN])
  else:
    text = reprlib.repr(value)  # Not repr: it may be nested deeply.
  return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def refusal(place: str, value: object, allowed: str) -> ValueError:
  """The error for a value that is not as it must be."""
  return ValueError(f"{place} is {shown(value)}, allowed: {allowed}")


def read_fields(
  value: Any, place: str, allowed: Iterable[str], needed: Sequence[str] = ()
) -> Mapping[str, Any]:
  """Checks that a value is an object with known keys and the needed ones."""
  allowed = tuple(allowed)
  if not isinstance(value, dict):
    raise refusal(place, value, f"an object with {', '.join(allowed)}")
  for key in value:
    if key not in allowed:
      raise ValueError(
        f"{place} has the unknown field {shown(key)}, allowed: "
        f"{', '.join(allowed)}"
      )
  for key in needed:
    if key not in value:
      raise ValueError(
        f'{place} lacks the field "{key}", needed: {", ".join(needed)}'
      )
  return value


def read_list(value: Any, place: str, what: str) -> list[Any]:
  """Checks that a value is a list of `what`."""
  if not isinstance(value, list):
    raise refusal(place, value, f"a list of {what}")
  return value


def read_text(value: Any, place: str) -> str:
  """Checks that a value is a text."""
  if not isinstance(value, str):
    raise refusal(place, value, "a text in quotes")
  return value


def read_whole(value: Any, place: str) -> int:
  """Checks that a value is a whole number."""
  if isinstance(value, bool) or not isinstance(value, int):
    raise refusal(place, value, "a whole number")
  return value


def read_number(value: Any, place: str) -> float:
  """Checks that a value is a finite number."""
  if isinstance(value, bool) or not isinstance(value, (int, float)):
    raise refusal(place, value, "a number")
  if not abs(value) <= _LARGEST:  # Also refuses what is not a number.
    raise refusal(place, value, "a finite number of at most 1e9")
  return float(value)


def read_flag(value: Any, place: str) -> bool:
  """Checks that a value is true or false."""
  if not isinstance(value, bool):
    raise refusal(place, value, "true or false")
  return value
