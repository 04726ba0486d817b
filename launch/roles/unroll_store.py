"""The store of unrolls from which a run's learner draws.

It is in the learner's role, or in a replay server that all roles can reach.
"""

import dataclasses
import os
import threading
from typing import Any

from adaland.agent.replay import base, factory, in_memory
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch import errors
from adaland.launch.roles import peer, replay_server, role

# If the store is full, an actor sends its unroll again later, so that no thread
# is blocked here.
_INSERT_SECONDS = 0.02


class UnrollStore:
  """The store of unrolls of a run, as its learner uses it.

  Args:
    setup: The run.
    parameter_server: Knows the replay server's address.
    replay: The replay server; None if the store is in this process.
  """

  def __init__(
    self,
    setup: role.Setup,
    parameter_server: peer.Peer,
    replay: peer.Peer | None,
  ):
    self._setup = setup
    self._parameter_server = parameter_server
    self._replay = replay
    self._own: in_memory.InMemoryReplay | None = None

  def sampler(
    self, spec: UnrollSpec, stop: threading.Event
  ) -> base.ReplaySampler | None:
    """Makes the sampler; returns None if the run is told to stop before.

    Args:
      spec: Columns of the run's unrolls.
      stop: Set when the run is told to stop.
    """
    if self._replay is not None:
      return replay_server.sampler(
        self._setup, self._parameter_server, spec, stop
      )
    experiment = self._setup.experiment
    settings = dataclasses.replace(
      experiment.replay, kind="memory", insert_timeout=_INSERT_SECONDS
    )
    store = factory.make_replay(
      settings, spec, self._folder, experiment.run.seed
    )
    assert isinstance(store, in_memory.InMemoryReplay)
    self._own = store
    return store.sampler()

  def insert_encoded(self, data: bytes) -> bool:
    """Stores an unroll here; returns False if there is no room for it now."""
    if self._own is None:
      return False
    try:
      self._own.insert_encoded(data)
    except TimeoutError:
      return False
    return True

  def save(self) -> None:
    """Writes a checkpoint of the store.

    Raises:
      RunError: If it can't be written.
    """
    reason: str | None = ""
    if self._replay is not None:
      while (reason := self._replay.call("checkpoint")) is None:
        pass  # The call itself waits for the server's start.
    elif self._own is not None:
      try:
        self._own.checkpoint(self._folder)
      except OSError as error:
        reason = errors.describe_os_error(error)
    if reason:
      raise errors.RunError(f"cannot write checkpoint {self._folder}: {reason}")

  def info(self) -> dict[str, Any]:
    """Returns size and totals of a store in this process."""
    return {} if self._own is None else dict(self._own.info()._asdict())

  @property
  def _folder(self) -> str:
    return os.path.join(self._setup.folder, replay_server.FOLDER)
