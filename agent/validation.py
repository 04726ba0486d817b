"""The check of a setting, with the phrase that all errors have."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

# Maximum of sizes and counts of which a network or an update has arrays.
MAX_SIZE: Final = 100_000
# Range of the numbers that float32 holds in full precision.
_LEAST_FLOAT32: Final = 1.2e-38
_MOST_FLOAT32: Final = 3.4e38


def require(ok: bool, field: str, value: Any, allowed: str) -> None:
  """Raises a ValueError that names field, value and allowed values."""
  if not ok:
    raise ValueError(f"{field} is {value!r}, allowed: {allowed}")


def require_size(field: str, value: int) -> None:
  """Raises a ValueError unless the value is a size or a count."""
  require(1 <= value <= MAX_SIZE, field, value, f"1 to {MAX_SIZE}")


def require_float32(config: Any, prefix: str = "") -> None:
  """Raises a ValueError unless float32 holds all numbers of a dataclass.

  Learning computes with float32, in which others would be 0 or infinite.

  Args:
    config: An instance.
    prefix: Put before the names of its fields.
  """
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    if isinstance(value, float) and value:
      require(
        _LEAST_FLOAT32 <= abs(value) <= _MOST_FLOAT32,
        prefix + field.name,
        value,
        f"0, or a magnitude of {_LEAST_FLOAT32} to {_MOST_FLOAT32}",
      )


def require_choice(field: str, value: Any, choices: Sequence[str]) -> None:
  """Raises a ValueError unless the value is one of the choices."""
  require(value in choices, field, value, ", ".join(choices))
