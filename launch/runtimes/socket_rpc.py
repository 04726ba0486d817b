"""The control channel between the learner's process and an actor's.

This is the learner's end; `control_client` has the actor's. Each actor holds
one connection of its own (a Unix socket, one request and one reply at a time),
so an actor killed in the middle of a message takes no lock with it and disturbs
nobody else. Tasks, episode records and parameters travel here; unrolls only do
where there is no replay server.

Messages are pickled, so who may send them may run code here: processes of the
same user that know the key. No file is ever read that way.
"""

import contextlib
import logging
import multiprocessing
import os
import pickle
import secrets
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
from multiprocessing import connection
from typing import Any, Protocol

from adaland.agent import types
from adaland.curriculum import base
from adaland.launch.acting import channel

# So many faults in a row, so far apart, are not a matter of one actor.
_MAX_FAULTS = 50
_FAULT_SECONDS = 0.1
# Begins an address in Linux's name space of sockets, as `ss` prints it.
_ABSTRACT = "@"


def connect(address: str, key: bytes) -> connection.Connection:
  """Returns a connection to a server.

  Args:
    address: Where it listens.
    key: Its key.

  Raises:
    OSError: If nobody listens there.
    AuthenticationError: If the key is another's.
  """
  return connection.Client(socket_name(address), "AF_UNIX", authkey=key)


def socket_name(address: str) -> str:
  """Returns what the system calls an address."""
  if address.startswith(_ABSTRACT):
    return "\0" + address.removeprefix(_ABSTRACT)
  return address


class Role(Protocol):
  """What the learner's side does for the actors; called from many threads."""

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Tasks to play next."""
    ...

  def report(self, record: base.EpisodeRecord) -> None:
    """Takes in a finished episode."""
    ...

  def count_steps(self, steps: int) -> None:
    """Takes in how many environment steps were made since the last call."""
    ...

  def insert_encoded(self, data: bytes) -> None:
    """Stores an unroll that `UnrollSpec.encode` made."""
    ...


class Publisher:
  """Holds the newest parameters, pickled once for all actors."""

  def __init__(self):
    self._lock = threading.Lock()
    self._version = -1
    self._blob = b""

  def publish(self, version: int, params: types.Params) -> None:
    """Replaces the parameters; leaves must be NumPy arrays."""
    blob = pickle.dumps(channel.Versioned(version, params), protocol=5)
    with self._lock:
      self._version, self._blob = version, blob

  def newer(self, than: int) -> bytes:
    """Returns the pickled parameters, empty if none are newer."""
    with self._lock:
      return self._blob if self._version > than else b""


class Server:
  """Accepts actors and answers them, one thread each.

  Attributes:
    heard: When each process last said that it lives, monotonic seconds.
  """

  def __init__(self, role: Role, publisher: Publisher):
    self._role = role
    self._publisher = publisher
    self.heard: dict[int, float] = {}
    self._folder = ""
    if sys.platform == "linux":
      # A name without a file, which goes when this process does.
      self.address = f"{_ABSTRACT}adaland-{os.getpid()}-{secrets.token_hex(4)}"
    else:
      # Of our own, readable by nobody else, and short: a socket's path may
      # have 107 characters, which a work directory's often exceeds.
      self._folder = tempfile.mkdtemp(prefix="adaland-")
      self.address = os.path.join(self._folder, "control")
    self.key = secrets.token_bytes(16)
    # Without the key: who connects and is silent would hold up all others.
    self._listener = connection.Listener(
      socket_name(self.address), "AF_UNIX", backlog=64
    )
    self._closed = False
    self._failure: Exception | None = None
    threading.Thread(target=self._accept, daemon=True).start()

  def check(self) -> None:
    """Raises here what went wrong while answering an actor."""
    if self._failure is not None:
      raise self._failure

  def _accept(self) -> None:
    faults = 0
    while not self._closed:
      try:
        conn = self._listener.accept()
      except OSError as error:
        # An actor killed while it connects is no reason to stop listening.
        faults += 1
        if faults == _MAX_FAULTS and not self._closed:
          self._failure = OSError(
            error.errno, error.strerror, "no actor can connect"
          )
          return
        time.sleep(_FAULT_SECONDS)
        continue
      faults = 0
      if _of_this_user(conn):
        threading.Thread(target=self._serve, args=(conn,), daemon=True).start()
      else:
        conn.close()

  def _serve(self, conn: connection.Connection) -> None:
    with conn:
      try:
        connection.deliver_challenge(conn, self.key)
        connection.answer_challenge(conn, self.key)
      except (EOFError, OSError, multiprocessing.AuthenticationError) as error:
        logging.debug("control: a connection failed: %s", error)
        return
      while not self._closed:
        try:
          method, args = conn.recv()
        except (EOFError, OSError):
          return  # The actor went away; the supervisor starts another.
        try:
          answer = self._answer(method, args)
        except Exception as error:
          self._failure = error
          return
        with contextlib.suppress(OSError):
          conn.send(answer)

  def _answer(self, method: str, args: tuple[Any, ...]) -> Any:
    if method == "params":
      return self._publisher.newer(*args)
    if method == "alive":
      self.heard[args[0]] = time.monotonic()
      return None
    return getattr(self._role, method)(*args)

  def close(self) -> None:
    """Stops listening."""
    self._closed = True
    self._listener.close()
    if self._folder:
      shutil.rmtree(self._folder, ignore_errors=True)


def _of_this_user(conn: connection.Connection) -> bool:
  """Whether the other end is; a name in Linux's name space is open to all."""
  if sys.platform != "linux":
    return True
  peer = struct.Struct("3i")  # Process, user, group.
  with socket.socket(fileno=os.dup(conn.fileno())) as copy:
    data = copy.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, peer.size)
  return peer.unpack(data)[1] == os.getuid()
