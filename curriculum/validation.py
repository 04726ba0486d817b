"""The check of a setting, as in `adaland.agent.validation`.

Curricula import nothing of the agent.
"""

from typing import Any


def require(ok: bool, field: str, value: Any, allowed: str) -> None:
  """Raises a ValueError that names field, value and allowed values."""
  if not ok:
    raise ValueError(f"{field} is {value!r}, allowed: {allowed}")
