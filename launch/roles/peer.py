"""Calls from one role to another."""

from typing import Any, Protocol


class Peer(Protocol):
  """Another role of the run, wherever it is."""

  def call(self, method: str, *args: Any, timeout: float | None = None) -> Any:
    """Calls a method of the role and returns its result.

    A restarted role may see a call twice.

    Args:
      method: The method's name.
      *args: Its arguments.
      timeout: Seconds to wait, including restarts of the role; None waits
        forever.

    Raises:
      TimeoutError: If there was no result in time.
      ConnectionError: If the role is gone for good.
    """
    ...
