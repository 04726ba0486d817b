"""The control channel between the learner's process and an actor's.

Each actor holds one connection of its own (a Unix socket, one request and one
reply at a time), so an actor killed in the middle of a message takes no lock
with it and disturbs nobody else. Tasks, episode records and parameters travel
here; unrolls only do where there is no replay server.

Messages are pickled, so who may send them may run code here: processes of the
same user that know the key. No file is ever read that way.
"""

import collections
import contextlib
import logging
import multiprocessing
import os
import pickle
import queue
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

from agent import types
from curriculum import base
from launch.roles import channel

# Tasks an actor holds in reserve, so that it seldom waits for one.
_TASKS_AHEAD = 4
_IDLE_SECONDS = 0.02
# An actor says so often that it lives, whatever else it has to say.
_ALIVE_SECONDS = 1.0
# So many faults in a row, so far apart, are not a matter of one actor.
_MAX_FAULTS = 50
_FAULT_SECONDS = 0.1
# Begins an address in Linux's name space of sockets, as `ss` prints it.
_ABSTRACT = "@"


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


class Client:
  """An actor's end: requests go out from a thread, so the actor seldom waits.

  All threads of an actor may use it at once.

  Args:
    address: Where the server listens.
    key: Its key.
    poll_seconds: How often to ask for newer parameters.
  """

  def __init__(self, address: str, key: bytes, poll_seconds: float):
    self._conn = connection.Client(socket_name(address), "AF_UNIX", authkey=key)
    self._poll_seconds = poll_seconds
    self._tasks: queue.SimpleQueue[base.Assignment] = queue.SimpleQueue()
    self._records: queue.SimpleQueue[base.EpisodeRecord] = queue.SimpleQueue()
    self._steps = 0
    self._steps_lock = threading.Lock()
    self._params: collections.deque[channel.Versioned] = collections.deque(
      maxlen=1
    )
    self._version = -1
    self._wanted = threading.Event()
    self._failure: Exception | None = None
    self._closed = False
    self._thread = threading.Thread(target=self._run, daemon=True)
    self._thread.start()

  def _ask(self, method: str, *args: Any) -> Any:
    self._conn.send((method, args))
    return self._conn.recv()

  def _run(self) -> None:
    next_poll = next_word = 0.0
    try:
      while not self._closed:
        self._wanted.clear()
        if time.monotonic() >= next_word:
          next_word = time.monotonic() + _ALIVE_SECONDS
          self._ask("alive", os.getpid())
        self._tell()
        if self._tasks.qsize() < _TASKS_AHEAD:
          for assignment in self._ask("next_tasks", _TASKS_AHEAD):
            self._tasks.put(assignment)
        if time.monotonic() >= next_poll:
          next_poll = time.monotonic() + self._poll_seconds
          blob = self._ask("params", self._version)
          if blob:
            params: channel.Versioned = pickle.loads(blob)
            self._version = params.version
            self._params.append(params)
        self._wanted.wait(_IDLE_SECONDS)
      self._tell()
    except (EOFError, OSError) as error:
      self._failure = error

  def _tell(self) -> None:
    while not self._records.empty():
      self._ask("report", self._records.get())
    with self._steps_lock:
      steps, self._steps = self._steps, 0
    if steps:
      self._ask("count_steps", steps)

  def _check(self) -> None:
    if self._failure is not None:
      raise ConnectionError("the learner went away") from self._failure

  def next_task(self) -> base.Assignment:
    """Returns a task, waiting if none is in reserve."""
    while True:
      self._check()
      try:
        return self._tasks.get_nowait()
      except queue.Empty:
        self._wanted.set()
        with contextlib.suppress(queue.Empty):
          return self._tasks.get(timeout=0.2)

  def report(self, record: base.EpisodeRecord) -> None:
    """Queues a record."""
    self._check()
    self._records.put(record)

  def count_steps(self, steps: int) -> None:
    """Adds to the number of steps to tell."""
    self._check()
    with self._steps_lock:
      self._steps += steps

  def new_params(self) -> channel.Versioned | None:
    """Returns parameters if newer ones came since the last call."""
    self._check()
    try:
      return self._params.pop()
    except IndexError:
      return None

  def close(self) -> None:
    """Sends what is queued, within a bounded time."""
    self._closed = True
    self._wanted.set()
    self._thread.join(timeout=2.0)
    self._conn.close()


class Sender:
  """Sends encoded unrolls over a connection of its own: in-memory replay.

  The reply comes when the unroll is stored, so a full replay holds the actor.
  """

  def __init__(self, address: str, key: bytes):
    self._conn = connection.Client(socket_name(address), "AF_UNIX", authkey=key)

  def __call__(self, data: bytes) -> None:
    """Delivers one unroll."""
    self._conn.send(("insert_encoded", (data,)))
    self._conn.recv()

  def close(self) -> None:
    """Lets go of the connection."""
    self._conn.close()
