"""Calls from one role to another, and what of Ray's errors matters."""

import functools
import time
from typing import Any, Protocol

_AGAIN_SECONDS = 0.2


class Peer(Protocol):
  """Another role of the run."""

  def call(self, method: str, *args: Any, timeout: float | None = None) -> Any:
    """Calls a method and returns its answer.

    A role that was restarted may see a call twice.

    Args:
      method: Its name.
      *args: Its arguments.
      timeout: Seconds to wait, restarts of the role included; None: for ever.

    Raises:
      TimeoutError: If there was no answer in time.
      ConnectionError: If the role is gone for good.
    """
    ...


class RayPeer:
  """A role that Ray knows by name; may be sent to other processes.

  A name, not a handle: an argument that holds one is kept in the object
  store, which a role would need again to be restarted.

  Args:
    name: Of the role.
  """

  def __init__(self, name: str):
    self._name = name

  @functools.cached_property
  def _handle(self) -> Any:
    import ray

    return ray.get_actor(self._name)

  def call(self, method: str, *args: Any, timeout: float | None = None) -> Any:
    """See `Peer.call`."""
    import ray

    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
      left = None if deadline is None else max(0, deadline - time.monotonic())
      try:
        return ray.get(
          getattr(self._handle, method).remote(*args), timeout=left
        )
      except ray.exceptions.ActorUnavailableError as error:
        if deadline is not None and time.monotonic() >= deadline:
          raise TimeoutError(f"{method}: no answer") from error
        time.sleep(_AGAIN_SECONDS)
      except ray.exceptions.RayActorError as error:
        raise ConnectionError(f"{method}: the role is gone") from error
