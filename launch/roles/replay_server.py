"""The replay server's role, and its clients, which look up its address."""

import contextlib
import dataclasses
import logging
import os
import pathlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from adaland.agent.replay import base
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch import builder, errors
from adaland.launch.roles import parameters, peer, role

FOLDER = "replay"
# Holds the server's port, for the role's next incarnation.
_PORT_FILE = "replay.port"
_PORT_SECONDS = 10.0
_PUBLISH_SECONDS = 1.0
# Longest time that a call waits for the server's start.
_START_SECONDS = 1.0
# A learner looks up the server's address this often.
_LOOK_SECONDS = 0.5

_End = TypeVar("_End")
StartServer = Callable[[ReplayConfig, UnrollSpec, str, float], Any]


def start_reverb(
  config: ReplayConfig,
  spec: UnrollSpec,
  folder: str,
  hung_seconds: float,
) -> Any:
  """Starts a Reverb server; see `owner.start_server`."""
  # Imported where used: it imports TensorFlow.
  from adaland.agent.replay.reverb import owner

  return owner.start_server(config, spec, folder, hung_seconds)


class ReplayServer(role.Role):
  """The owner of the Reverb server, which starts from its last checkpoint.

  Args:
    setup: The run.
    parameter_server: Receives the server's address.
    start_server: Starts the server.
  """

  def __init__(
    self,
    setup: role.Setup,
    parameter_server: peer.Peer,
    start_server: StartServer = start_reverb,
  ):
    super().__init__("replay", setup)
    self._parameter_server = parameter_server
    self._start_server = start_server
    self._replay: Any = None
    self._counts: dict[str, int] = {}
    self._ready = threading.Event()

  def _work(self) -> None:
    made = builder.agent(self.setup.experiment)
    spec = builder.unroll_spec(self.setup.experiment, made)
    with errors.user_input():
      self._replay = self._start(spec)
    try:
      self._ready.set()
      while True:
        self._parameter_server.call("set_replay_address", self._address())
        # A server that is being restarted has no counts.
        with contextlib.suppress(TimeoutError, RuntimeError):
          self._counts = self._replay.info()._asdict()
        if self._stop.wait(_PUBLISH_SECONDS):
          return
    finally:
      self._replay.close()

  def _start(self, spec: UnrollSpec) -> Any:
    """Starts the server; on many machines, on its previous port."""
    config = self.setup.experiment.replay
    if config.port or not self.setup.many_machines:
      return self._start_at(config.port, spec)
    remembered = pathlib.Path(self.setup.folder, _PORT_FILE)
    with contextlib.suppress(OSError, ValueError):
      port = int(remembered.read_text())
      deadline = time.monotonic() + _PORT_SECONDS
      while time.monotonic() < deadline:
        try:
          return self._start_at(port, spec)
        except ValueError as error:
          # The server of a killed process takes a moment to end.
          logging.warning("%s", error)
          time.sleep(0.5)
    port = _free_port()
    replay = self._start_at(port, spec)
    remembered.write_text(str(port))
    return replay

  def _start_at(self, port: int, spec: UnrollSpec) -> Any:
    experiment = self.setup.experiment
    return self._start_server(
      dataclasses.replace(experiment.replay, port=port),
      spec,
      os.path.join(self.setup.folder, FOLDER),
      experiment.cluster.hung_seconds,
    )

  def _address(self) -> str:
    """Returns the server's address as the run's other processes know it."""
    address = self._replay.address
    if not self.setup.many_machines or address.startswith("unix:"):
      return address
    port = address.rsplit(":", 1)[1]
    return f"{self.setup.address}:{port}"

  def checkpoint(self) -> str | None:
    """Writes the store's content.

    Returns:
      An empty string; the reason if it fails; None if there is no server yet.
      The caller then calls again, as another role may replace one whose server
      does not start.
    """
    if not self._ready.wait(_START_SECONDS):
      return None
    try:
      self._replay.checkpoint(os.path.join(self.setup.folder, FOLDER))
    except OSError as error:
      return errors.describe_os_error(error)
    except RuntimeError as error:
      return errors.one_line(str(error))
    return ""

  def stats(self) -> dict[str, Any]:
    """Returns recent size and totals, and the server's process."""
    result = super().stats()
    if self._ready.is_set():
      result |= {
        "server_pid": self._replay.pid,
        "server_restarts": self._replay.restarts,
        **self._counts,
      }
    return result


def _free_port() -> int:
  with socket.socket() as probe:
    probe.bind(("", 0))
    return probe.getsockname()[1]


class NoServerError(ConnectionError):
  """A connection error: the role had to end before there was a server."""


def writer(
  spec: UnrollSpec,
  reader: parameters.Reader,
  insert_timeout: float,
  stop: threading.Event,
) -> base.ReplayWriter:
  """Makes an actor's writer, once there is a server.

  Args:
    spec: The unrolls' shapes and types.
    reader: Knows the server's address.
    insert_timeout: Seconds that an insert may wait.
    stop: Set when the actor must end.

  Raises:
    NoServerError: If the actor must end before there is a server.
  """
  from adaland.agent.replay.reverb import client

  made = _connect(
    lambda: client.ReverbWriter(reader.replay_address, spec, insert_timeout),
    stop,
  )
  if made is None:
    raise NoServerError("There is no replay server.")
  return made


def sampler(
  setup: role.Setup,
  parameter_server: peer.Peer,
  spec: UnrollSpec,
  stop: threading.Event,
) -> base.ReplaySampler | None:
  """Makes a learner's sampler, once there is a server.

  It draws that learner's shard of every batch.

  Args:
    setup: The run.
    parameter_server: Knows the server's address.
    spec: The unrolls' shapes and types.
    stop: Set when the learner must end.

  Returns:
    The sampler; None if the learner must end before there is a server.
  """
  from adaland.agent.replay.reverb import client

  config = setup.experiment.replay
  reader = parameters.Reader(parameter_server, _LOOK_SECONDS)
  # A queue yields each unroll once, so few are drawn ahead, to lose few.
  queue = config.sampling == "queue"
  return _connect(
    lambda: client.ReverbSampler(
      reader.replay_address,
      spec,
      config.batch_size // setup.num_learners,
      prefetch=1 if queue else 2,
      buffer_size=1 if queue else None,
    ),
    stop,
  )


def _connect(make: Callable[[], _End], stop: threading.Event) -> _End | None:
  while not stop.is_set():
    try:
      return make()
    except TimeoutError as error:
      logging.info("%s", error)
  return None
