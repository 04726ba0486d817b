"""Checks of values read from JSON; errors name the place and what is allowed.

A place is written as in the text that people see: `rules[1]`, `world.tiles`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SHOWN = 60  # Characters of a refused value that an error repeats.
_LARGEST = 1e9


def shown(value: object) -> str:
  """Writes a refused value as an error repeats it, cut if it is long."""
  text = repr(value) if not isinstance(value, str) else json.dumps(value)
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
