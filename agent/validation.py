"""The check of a setting, with the phrase that all errors have."""

from collections.abc import Sequence
from typing import Any


def require(ok: bool, field: str, value: Any, allowed: str) -> None:
  """Raises a ValueError that names field, value and allowed values."""
  if not ok:
    raise ValueError(f"{field} is {value!r}, allowed: {allowed}")


def require_choice(field: str, value: Any, choices: Sequence[str]) -> None:
  """Raises a ValueError unless the value is one of the choices."""
  require(value in choices, field, value, ", ".join(choices))
