"""What a format's check says of a fault."""

from typing import Any


def same(one: Any, other: Any) -> None:
  """Raises AssertionError if they differ."""
  if one != other:
    raise AssertionError(f"came back as {other!r}, was {one!r}")
