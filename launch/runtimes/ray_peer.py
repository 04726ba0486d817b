"""Calls between roles that are Ray actors, and their store of parameters."""

import functools
import time
from typing import Any

from adaland.agent import types
from adaland.launch.roles import peer

_AGAIN_SECONDS = 0.2


class RayPeer:
  """A role that Ray knows by name; may be sent to other processes.

  It holds a name, not a handle: arguments that hold handles are kept in the
  object store, and a role would need them there to be restarted.

  Args:
    name: The role's name.
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
        return ray.get(self._handle.call.remote(method, *args), timeout=left)
      except ray.exceptions.RayTaskError as error:
        # Before the others, as it is also of the class of its cause. Its text
        # is a traceback.
        raise peer.remote_error(error.cause) from error
      except ray.exceptions.ActorUnavailableError as error:
        if deadline is not None and time.monotonic() >= deadline:
          raise TimeoutError(f"{method}: no answer") from error
        time.sleep(_AGAIN_SECONDS)
      except ray.exceptions.RayActorError as error:
        raise ConnectionError(f"{method}: the role is gone") from error


class RayStore:
  """A store of parameters in Ray's object store, one copy per machine.

  A reference is wrapped in a tuple: Ray would resolve a bare one in transit.
  """

  def put(self, params: types.Params) -> tuple[Any]:
    """See `parameters.Store.put`."""
    import ray

    return (ray.put(params),)

  def get(self, reference: tuple[Any]) -> types.Params | None:
    """See `parameters.Store.get`."""
    import ray

    try:
      return ray.get(reference[0])
    except ray.exceptions.RayError:
      # Lost with the process that made them; the learner publishes others.
      return None
