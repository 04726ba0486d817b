"""The actor's end of the control channel; see `control`."""

import collections
import contextlib
import os
import pickle
import queue
import threading
import time
from typing import Any

from adaland.curriculum import base
from adaland.launch.acting import channel
from adaland.launch.runtimes import socket_rpc

# Tasks an actor holds in reserve, so that it seldom waits for one.
_TASKS_AHEAD = 4
_IDLE_SECONDS = 0.02
# An actor says so often that it lives, whatever else it has to say.
_ALIVE_SECONDS = 1.0


class Client:
  """Asks and tells: requests go out from a thread, so the actor seldom waits.

  All threads of an actor may use it at once.

  Args:
    address: Where the server listens.
    key: Its key.
    poll_seconds: How often to ask for newer parameters.
  """

  def __init__(self, address: str, key: bytes, poll_seconds: float):
    self._conn = socket_rpc.connect(address, key)
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
    self._conn = socket_rpc.connect(address, key)

  def __call__(self, data: bytes) -> None:
    """Delivers one unroll."""
    self._conn.send(("insert_encoded", (data,)))
    self._conn.recv()

  def close(self) -> None:
    """Lets go of the connection."""
    self._conn.close()
