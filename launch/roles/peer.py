"""Calls from one role to another."""

from typing import Any, Protocol

from adaland.launch import errors

# Errors that reach the caller unchanged, as they end a run.
_EXPECTED = (errors.UserError, errors.RunError)


class RemoteError(RuntimeError):
  """A call failed in the role that was called."""


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
      UserError: If the call raised one there.
      RunError: If the call raised one there.
      RemoteError: If the call raised any other error in another process; an
        error in this process is raised as it is.
    """
    ...


def remote_error(error: Exception) -> Exception:
  """Returns the error that a caller gets for an error in another process."""
  for kind in _EXPECTED:
    if isinstance(error, kind):
      return kind(errors.one_line(str(error)))
  return RemoteError(errors.describe(error))
