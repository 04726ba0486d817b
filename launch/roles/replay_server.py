"""The replay server's role, and the ends that follow it where it goes."""

import contextlib
import dataclasses
import logging
import os
import pathlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from adaland.agent import types
from adaland.agent.replay import spec as spec_lib
from adaland.launch import builder, errors
from adaland.launch.roles import actor_channel, peer, role

FOLDER = "replay"
# Where the server was, for the next process of this role.
_PORT_FILE = "replay.port"
_PORT_SECONDS = 10.0
_POST_SECONDS = 1.0
# A learner looks this often where it is.
_LOOK_SECONDS = 0.5
# An insert waits no longer than this before it looks where the server is.
_WRITE_SECONDS = 2.0


class ReplayRole(role.RunningRole):
  """Owns the Reverb server, which starts from its last checkpoint.

  Args:
    setup: The run.
    board: Where its address is put up.
  """

  def __init__(self, setup: role.Setup, board: peer.Peer):
    super().__init__("replay", setup)
    self._board = board
    self._replay: Any = None
    self._ready = threading.Event()

  def _work(self) -> None:
    made = builder.agent(self.setup.experiment)
    spec = builder.unroll_spec(self.setup.experiment, made)
    with errors.user_input():
      self._replay = self._start(spec)
    try:
      self._ready.set()
      while not self._stop.wait(_POST_SECONDS):
        self._board.call("post_replay", self._address())
    finally:
      self._replay.close()

  def _start(self, spec: spec_lib.UnrollSpec) -> Any:
    """Starts the server, on the port it had before if machines are many."""
    from adaland.agent.replay.reverb import owner

    config = self.setup.experiment.replay
    folder = os.path.join(self.setup.folder, FOLDER)
    hung_seconds = self.setup.experiment.cluster.hung_seconds
    if config.port or not self.setup.many_machines:
      return owner.start_server(config, spec, folder, hung_seconds)
    remembered = pathlib.Path(self.setup.folder, _PORT_FILE)
    with contextlib.suppress(OSError, ValueError):
      port = int(remembered.read_text())
      deadline = time.monotonic() + _PORT_SECONDS
      while time.monotonic() < deadline:
        try:
          return owner.start_server(
            dataclasses.replace(config, port=port), spec, folder, hung_seconds
          )
        except ValueError as error:
          # The server of a process that was killed takes a moment to end.
          logging.warning("%s", error)
          time.sleep(0.5)
    port = _free_port()
    replay = owner.start_server(
      dataclasses.replace(config, port=port), spec, folder, hung_seconds
    )
    remembered.write_text(str(port))
    return replay

  def _address(self) -> str:
    """The server's address as other roles must write it."""
    address = self._replay.address
    if not self.setup.many_machines or address.startswith("unix:"):
      return address
    import ray

    port = address.rsplit(":", 1)[1]
    return f"{ray.util.get_node_ip_address()}:{port}"

  def checkpoint(self) -> str:
    """Writes the store's content; returns the reason if it can't."""
    self._ready.wait()
    try:
      self._replay.checkpoint(os.path.join(self.setup.folder, FOLDER))
    except OSError as error:
      return errors.describe_os_error(error)
    except RuntimeError as error:
      return errors.one_line(str(error))
    return ""

  def stats(self) -> dict[str, Any]:
    """Size, totals, and the server's process."""
    result = super().stats()
    if self._ready.is_set():
      result["server_pid"] = self._replay.pid
      with contextlib.suppress(TimeoutError, RuntimeError):
        result |= self._replay.info()._asdict()
    return result


def _free_port() -> int:
  with socket.socket() as probe:
    probe.bind(("", 0))
    return probe.getsockname()[1]


class FollowingWriter:
  """An actor's end of a server that may come back somewhere else.

  Args:
    spec: What one unroll looks like.
    address: Says where the server is now; empty if nowhere yet.
    insert_timeout: Seconds an insert may wait.
  """

  def __init__(
    self,
    spec: spec_lib.UnrollSpec,
    address: Callable[[], str],
    insert_timeout: float,
  ):
    self._spec = spec
    self._find = address
    self._timeout = min(insert_timeout, _WRITE_SECONDS)
    self._address = ""
    self._writer: Any = None

  def insert(self, unroll: types.Unroll) -> None:
    """See `ReplayWriter.insert`."""
    self._follow()
    self._writer.insert(unroll)

  def _follow(self) -> None:
    from adaland.agent.replay.reverb import client

    address = self._find()
    if not address:
      time.sleep(_POST_SECONDS / 2)
      raise TimeoutError("There is no replay server yet.")
    if address != self._address:
      self.close()
      self._writer = client.ReverbWriter(address, self._spec, self._timeout)
      self._address = address

  def close(self) -> None:
    """Lets go."""
    if self._writer is not None:
      self._writer.close()
    self._writer, self._address = None, ""


def sampler(
  setup: role.Setup, board: peer.Peer, spec: spec_lib.UnrollSpec
) -> "FollowingSampler":
  """Makes a learner's end: it draws that learner's share of every batch.

  Args:
    setup: The run.
    board: Where the server's address is put up.
    spec: What one unroll looks like.
  """
  config = setup.experiment.replay
  reader = actor_channel.BoardReader(
    board, _LOOK_SECONDS, look_up=lambda _: None
  )
  return FollowingSampler(
    spec,
    reader.replay,
    config.batch_size // setup.experiment.cluster.num_learners,
    config.sampling == "queue",
  )


class FollowingSampler:
  """A learner's end of a server that may come back somewhere else.

  Args:
    spec: What one unroll looks like.
    address: Says where the server is now; empty if nowhere yet.
    batch_size: Unrolls in a batch.
    queue: Whether each unroll is drawn once: then few are drawn ahead.
  """

  def __init__(
    self,
    spec: spec_lib.UnrollSpec,
    address: Callable[[], str],
    batch_size: int,
    queue: bool,
  ):
    self._spec = spec
    self._find = address
    self._batch_size = batch_size
    self._queue = queue
    self._address = ""
    self._sampler: Any = None

  def sample(self, timeout: float | None = None) -> types.Unroll:
    """See `ReplaySampler.sample`."""
    from adaland.agent.replay.reverb import client

    address = self._find()
    if address and address != self._address:
      self.close()
      self._sampler = client.ReverbSampler(
        address,
        self._spec,
        self._batch_size,
        prefetch=1 if self._queue else 2,
        buffer_size=1 if self._queue else None,
      )
      self._address = address
    if self._sampler is None:
      time.sleep(timeout or _POST_SECONDS)
      raise TimeoutError("There is no replay server yet.")
    return self._sampler.sample(timeout)

  def close(self) -> None:
    """Lets go."""
    if self._sampler is not None:
      self._sampler.close()
    self._sampler, self._address = None, ""
