"""The parameter server and its clients: the learner's and the actors'.

The server keeps a reference to the newest parameters. A store, which the
runtime provides, makes and resolves references. A reference is an entry of an
object store that machines share, or the pickled parameters themselves.
"""

import collections
import logging
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from adaland.agent import types
from adaland.curriculum import coplayers
from adaland.launch.acting import channel
from adaland.launch.roles import peer, role

# A restarted parameter server has the newest snapshot again within this time.
_REPEAT_SECONDS = 2.0
_FIRST_ADDRESS_SECONDS = 0.05


class Store(Protocol):
  """A store of parameters that all processes of a run can read."""

  def put(self, params: types.Params) -> Any:
    """Stores parameters; returns a reference that may be sent to others."""
    ...

  def get(self, reference: Any) -> types.Params | None:
    """Returns the parameters of a reference; None if they are lost."""
    ...


class Snapshot(NamedTuple):
  """The parameter server's content.

  Attributes:
    stamp: Differs between any two publications; 0 before the first.
    version: The learner's updates when it published the parameters.
    reference: A store's reference to the parameters; None if there are none.
    replay_address: Address of the replay server; empty if unknown.
  """

  stamp: int = 0
  version: int = -1
  reference: Any = None
  replay_address: str = ""


class ParameterServer(role.Role):
  """The keeper of the newest snapshot, which is sent again after a restart.

  Args:
    setup: The run.
  """

  def __init__(self, setup: role.Setup):
    super().__init__("parameters", setup)
    self._lock = threading.Lock()
    self._snapshot = Snapshot()
    # References to the co-players' parameters, and their publisher.
    self._coplayers: dict[int, Any] = {}
    self._coplayers_from = 0

  def keep_coplayers(self, publisher: int, numbers: Sequence[int]) -> list[int]:
    """Forgets all other co-players; returns the missing ones.

    Args:
      publisher: Differs between any two publishers. References that another
        one made are forgotten, as they may be lost with its process.
      numbers: Numbers of the co-players.
    """
    with self._lock:
      if publisher != self._coplayers_from:
        self._coplayers, self._coplayers_from = {}, publisher
      self._coplayers = {
        number: reference
        for number, reference in self._coplayers.items()
        if number in numbers
      }
      return [number for number in numbers if number not in self._coplayers]

  def add_coplayer(self, number: int, reference: Any) -> None:
    """Adds a co-player's parameters."""
    with self._lock:
      self._coplayers[number] = reference

  def coplayer(self, number: int) -> Any:
    """Returns the reference of a co-player, or of the one nearest in age.

    It is None if there is no reference yet, or if the co-player is newer than
    all: the curriculum knows of a new snapshot before its parameters are sent.
    """
    with self._lock:
      if number > max(self._coplayers, default=number):
        return None
      return self._coplayers.get(coplayers.nearest(number, self._coplayers))

  def publish(self, stamp: int, version: int, reference: Any) -> None:
    """Replaces the parameters; see `Snapshot` for the arguments."""
    with self._lock:
      self._snapshot = self._snapshot._replace(
        stamp=stamp, version=version, reference=reference
      )

  def set_replay_address(self, address: str) -> None:
    """Replaces the replay server's address."""
    with self._lock:
      self._snapshot = self._snapshot._replace(replay_address=address)

  def read(self, known_stamp: int) -> Snapshot:
    """Returns the snapshot, without the reference if its stamp is known."""
    with self._lock:
      if self._snapshot.stamp == known_stamp:
        return self._snapshot._replace(reference=None)
      return self._snapshot


class Publisher:
  """A publisher of the learner's newest parameters, in a thread.

  Args:
    server: The parameter server.
    store: Makes references to parameters.
    min_seconds: Minimum time between two publications.
    repeat_seconds: Time after which an unchanged snapshot is sent again.
  """

  def __init__(
    self,
    server: peer.Peer,
    store: Store,
    min_seconds: float = 0.0,
    repeat_seconds: float = _REPEAT_SECONDS,
  ):
    self._server = server
    self._store = store
    self._min_seconds = min_seconds
    self._repeat_seconds = repeat_seconds
    self._changed = threading.Event()
    self._lock = threading.Lock()
    self._newest: tuple[int, types.Params] | None = None
    self._coplayers: dict[int, types.Params] = {}
    self._references: dict[int, Any] = {}
    self._id = secrets.randbits(63) + 1
    # Kept, as an object store drops objects without a reference.
    self._published: tuple[int, int, Any] | None = None
    self._closed = threading.Event()
    self._thread = threading.Thread(target=self._run, daemon=True)
    self._thread.start()

  def publish(self, version: int, params: types.Params) -> None:
    """Schedules parameters, replacing older ones that still wait.

    Args:
      version: Number of the learner's updates.
      params: Leaves must be NumPy arrays.
    """
    with self._lock:
      self._newest = version, params
    self._changed.set()

  def publish_coplayers(self, params: Mapping[int, types.Params]) -> None:
    """Replaces the co-players' parameters.

    Args:
      params: Parameters by co-player number; leaves must be NumPy arrays.
    """
    self._coplayers = dict(params)
    self._changed.set()

  def _run(self) -> None:
    while not self._closed.is_set():
      self._changed.wait(self._repeat_seconds)
      self._changed.clear()
      self._try_to_send()
      self._closed.wait(self._min_seconds)
    self._try_to_send()

  def _try_to_send(self) -> None:
    try:
      self._send()
    except Exception:
      # The thread must live on, as the next attempt may succeed.
      logging.exception("cannot publish parameters")

  def close(self) -> None:
    """Publishes the newest parameters and ends the thread."""
    self._closed.set()
    self._changed.set()
    self._thread.join()

  def _send(self) -> None:
    newest = self._newest
    if newest is not None:
      version, params = newest
      stamp = secrets.randbits(63) + 1
      self._published = stamp, version, self._store.put(params)
      with self._lock:
        # Kept until they are stored, and unless newer ones wait.
        if self._newest is newest:
          self._newest = None
    if self._published is not None:
      self._server.call("publish", *self._published)
    self._send_coplayers()

  def _send_coplayers(self) -> None:
    """Sends the co-players that the server lacks, all if it was restarted."""
    params = self._coplayers
    if not params:
      return
    missing = self._server.call("keep_coplayers", self._id, list(params))
    for number in missing:
      if number not in self._references:
        self._references[number] = self._store.put(params[number])
      self._server.call("add_coplayer", number, self._references[number])
    self._references = {
      number: reference
      for number, reference in self._references.items()
      if number in params
    }


class Reader:
  """A thread that reads the parameter server at intervals.

  Args:
    server: The parameter server.
    poll_seconds: Time between two reads.
    store: Resolves references to parameters; None if only the replay server's
      address is needed.
  """

  def __init__(
    self,
    server: peer.Peer,
    poll_seconds: float,
    store: Store | None = None,
  ):
    self._server = server
    self._poll_seconds = poll_seconds
    self._store = store
    self._replay_address = ""
    self._stamp = 0
    self._params: collections.deque[channel.Versioned] = collections.deque(
      maxlen=1
    )
    self._failure: Exception | None = None
    threading.Thread(target=self._run, daemon=True).start()

  def _run(self) -> None:
    try:
      while True:
        self.poll()
        # A learner waits for the address.
        known = self._replay_address or self._store is not None
        time.sleep(self._poll_seconds if known else _FIRST_ADDRESS_SECONDS)
    except Exception as error:
      self._failure = error

  def poll(self) -> None:
    """Reads the parameter server once."""
    snapshot: Snapshot = self._server.call("read", self._stamp)
    if snapshot.replay_address:
      self._replay_address = snapshot.replay_address
    if snapshot.reference is None:
      return
    if self._store is None:
      self._stamp = snapshot.stamp
      return
    params = self._store.get(snapshot.reference)
    if params is not None:
      self._stamp = snapshot.stamp
      self._params.append(channel.Versioned(snapshot.version, params))

  def coplayer(self, number: int) -> types.Params | None:
    """Returns a co-player's parameters; None if the server has none yet.

    Args:
      number: The co-player's number; see `ParameterServer.coplayer`.
    """
    reference = self._server.call("coplayer", number)
    if reference is None or self._store is None:
      return None
    return self._store.get(reference)

  def replay_address(self) -> str:
    """Returns the replay server's address; empty if unknown."""
    if self._failure is not None:
      raise self._failure
    return self._replay_address

  def new_params(self) -> channel.Versioned | None:
    """Returns the newest parameters if not returned before; never waits."""
    if self._failure is not None:
      raise self._failure
    try:
      return self._params.pop()
    except IndexError:
      return None
