"""Calls between processes of one machine, over Unix sockets.

The server is in the training process; each peer in a child process holds one
connection, with one request and one reply at a time. A child that is killed in
the middle of a message therefore holds no lock and disturbs no other.

Messages are pickled, so a sender can run code here: only processes of the same
user that know the key are accepted. Files are never unpickled.
"""

import contextlib
import errno
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
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

from adaland.agent import types
from adaland.launch.roles import peer

# Holds the server's key in a child's environment.
KEY_VARIABLE = "ADALAND_CONTROL_KEY"
# The name under which children call the runtime, not a role.
RUNTIME = ""
# Number of faults in a row that a single child can't cause.
_MAX_FAULTS = 50
_FAULT_SECONDS = 0.1
# Prefix of an address in Linux's abstract socket namespace, as `ss` prints it.
_ABSTRACT = "@"


def connect(address: str, key: bytes) -> connection.Connection:
  """Returns a connection to a server.

  Args:
    address: The server's address.
    key: The server's key.

  Raises:
    OSError: If no server listens there.
    AuthenticationError: If the server has another key.
  """
  return connection.Client(socket_name(address), "AF_UNIX", authkey=key)


def socket_name(address: str) -> str:
  """Returns the system's name for a socket address."""
  if address.startswith(_ABSTRACT):
    return "\0" + address.removeprefix(_ABSTRACT)
  return address


class SocketPeer:
  """A role in the training process; see `peer.Peer`.

  Threads may share one; it connects at its first call.

  Args:
    address: The server's address.
    key: The server's key.
    name: The role's name.
  """

  def __init__(self, address: str, key: bytes, name: str):
    self._address = address
    self._key = key
    self._name = name
    self._lock = threading.Lock()
    self._connection: connection.Connection | None = None

  def call(self, method: str, *args: Any, timeout: float | None = None) -> Any:
    """See `Peer.call`."""
    with self._lock:
      try:
        return self._call(method, args, timeout)
      except (EOFError, OSError) as error:
        if isinstance(error, TimeoutError):
          raise
        raise ConnectionError("the run's process has ended") from error

  def _call(
    self, method: str, args: tuple[Any, ...], timeout: float | None
  ) -> Any:
    if self._connection is None:
      self._connection = connect(self._address, self._key)
    self._connection.send((self._name, method, args))
    if not self._connection.poll(timeout):
      # A late reply must not be mistaken for the next call's.
      self._connection.close()
      self._connection = None
      raise TimeoutError(f"{method}: no answer")
    error, answer = self._connection.recv()
    if error is not None:
      raise error
    return answer

  def close(self) -> None:
    """Closes the connection."""
    with self._lock:
      if self._connection is not None:
        self._connection.close()


class PickledStore:
  """A store whose references are the pickled parameters themselves."""

  def put(self, params: types.Params) -> bytes:
    """See `parameters.Store`; the leaves must be NumPy arrays."""
    return pickle.dumps(params, protocol=5)

  def get(self, reference: bytes) -> types.Params:
    """See `parameters.Store`."""
    return pickle.loads(reference)


class Server:
  """A server of calls, with one thread for each connection.

  Args:
    answer: Serves a call, given a role's name, a method's name and arguments.
    make_listener: Makes a listener; see `connection.Listener`.
    fault_seconds: Time between two attempts after a fault.

  Attributes:
    address: The server's address.
    key: The key that peers must have.
  """

  def __init__(
    self,
    answer: Callable[[str, str, tuple[Any, ...]], Any],
    make_listener: Callable[..., connection.Listener] = connection.Listener,
    fault_seconds: float = _FAULT_SECONDS,
  ):
    self._answer = answer
    self._fault_seconds = fault_seconds
    self._folder = ""
    if sys.platform == "linux":
      # A name without a file, which disappears with this process.
      self.address = f"{_ABSTRACT}adaland-{os.getpid()}-{secrets.token_hex(4)}"
    else:
      # In a folder that no other user can read, with a short path: a socket's
      # path has at most 107 characters, and a run's directory is often longer.
      self._folder = tempfile.mkdtemp(prefix="adaland-")
      self.address = os.path.join(self._folder, "control")
    self.key = secrets.token_bytes(16)
    # Without the key, which each connection's thread requests, as a silent peer
    # would otherwise hold up all others.
    self._listener = make_listener(
      socket_name(self.address), "AF_UNIX", backlog=64
    )
    self._closed = False
    self._failure: Exception | None = None
    threading.Thread(target=self._accept, daemon=True).start()

  def check(self) -> None:
    """Raises the error that ended listening, if any."""
    if self._failure is not None:
      raise self._failure

  def _accept(self) -> None:
    faults = 0
    while not self._closed:
      try:
        self._admit(self._listener.accept())
      except OSError as error:
        # A child may be killed while it connects; the server listens on.
        faults += 1
        if faults == _MAX_FAULTS and not self._closed:
          self._failure = OSError(
            error.errno, error.strerror, "no actor can connect"
          )
          return
        time.sleep(self._fault_seconds)
      else:
        faults = 0

  def _admit(self, conn: connection.Connection) -> None:
    """Serves a connection of this user in a thread; closes any other."""
    served = False
    try:
      if _is_of_this_user(conn):
        threading.Thread(target=self._serve, args=(conn,), daemon=True).start()
        served = True
    except RuntimeError as error:  # The system has no room for a thread.
      raise OSError(errno.EAGAIN, str(error)) from error
    finally:
      if not served:
        conn.close()

  def _serve(self, conn: connection.Connection) -> None:
    with conn:
      try:
        connection.deliver_challenge(conn, self.key)
        connection.answer_challenge(conn, self.key)
      except (EOFError, OSError, multiprocessing.AuthenticationError) as error:
        logging.debug("a connection failed: %s", error)
        return
      while not self._closed:
        try:
          name, method, args = conn.recv()
        except (EOFError, OSError):
          return  # The child has ended.
        try:
          reply = None, self._answer(name, method, args)
        except Exception as error:
          reply = peer.remote_error(error), None
          if isinstance(reply[0], peer.RemoteError):
            logging.exception("%s of %s failed", method, name)
        with contextlib.suppress(OSError):
          conn.send(reply)

  def close(self) -> None:
    """Stops listening."""
    self._closed = True
    self._listener.close()
    if self._folder:
      shutil.rmtree(self._folder, ignore_errors=True)


def _is_of_this_user(conn: connection.Connection) -> bool:
  """Returns True if the other end is this user's.

  Any user can connect to a name in Linux's abstract namespace.
  """
  if sys.platform != "linux":
    return True
  credentials = struct.Struct("3i")  # Process, user, group.
  # The connection may have taken the last free descriptor.
  same = socket.socket(fileno=conn.fileno())
  try:
    data = same.getsockopt(
      socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size
    )
  finally:
    same.detach()
  return credentials.unpack(data)[1] == os.getuid()
