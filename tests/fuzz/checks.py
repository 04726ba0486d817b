"""Checks that formats share."""

from typing import Any


def same(one: Any, other: Any) -> None:
  """Raises AssertionError if two values differ."""
  if one != other:
    raise AssertionError(f"came back as {other!r}, was {one!r}")
