"""An actor's way to the curriculum and to the notice board.

Two threads do the asking, so the actor waits only if it has no task left: one
exchanges records for tasks with the curriculum, one reads the board.
"""

import collections
import contextlib
import logging
import os
import platform
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from adaland.agent import types
from adaland.curriculum import base
from adaland.launch.acting import channel
from adaland.launch.roles import parameters
from adaland.launch.roles import peer as peers

# Tasks in reserve, beside those being played.
_TASKS_AHEAD = 4
_IDLE_SECONDS = 0.02
# Steps alone are told this seldom.
_TELL_SECONDS = 0.5


def fetch(notice: parameters.Notice) -> types.Params | None:
  """The parameters that a notice refers to; None if they are gone."""
  import ray

  try:
    return ray.get(notice.params[0])
  except ray.exceptions.RayError as error:
    # Lost with the process that made them; others will be put up.
    logging.warning("parameters %d are gone: %s", notice.version, error)
    return None


class BoardReader:
  """Reads the board now and then, in a thread of its own.

  Args:
    peer: The board.
    poll_seconds: Time between two looks.
    look_up: Gets the parameters that a notice refers to.
  """

  def __init__(
    self,
    peer: peers.Peer,
    poll_seconds: float,
    look_up: Callable[[parameters.Notice], types.Params | None] = fetch,
  ):
    self._peer = peer
    self._poll_seconds = poll_seconds
    self._look_up = look_up
    self._replay = ""
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
        time.sleep(self._poll_seconds)
    except Exception as error:
      self._failure = error

  def poll(self) -> None:
    """Takes in what is new on the board."""
    notice: parameters.Notice = self._peer.call("read", self._stamp)
    if notice.replay:
      self._replay = notice.replay
    if notice.params:
      params = self._look_up(notice)
      if params is not None:
        self._stamp = notice.stamp
        self._params.append(channel.Versioned(notice.version, params))

  def replay(self) -> str:
    """Address of the replay server, empty if there was none yet."""
    if self._failure is not None:
      raise self._failure
    return self._replay

  def new_params(self) -> channel.Versioned | None:
    """The newest parameters, if they were not taken yet; never waits."""
    if self._failure is not None:
      raise self._failure
    try:
      return self._params.pop()
    except IndexError:
      return None


class RayChannel:
  """See `channel.Channel`; all threads of an actor may use it at once.

  Args:
    desk: The curriculum.
    reader: Of the board.

  Attributes:
    steps: Made so far.
    version: Of the parameters taken last.
  """

  def __init__(self, desk: peers.Peer, reader: BoardReader):
    self._desk = desk
    self._reader = reader
    self._who = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}"
    self._tasks: queue.SimpleQueue[base.Assignment] = queue.SimpleQueue()
    self._records: queue.SimpleQueue[base.EpisodeRecord] = queue.SimpleQueue()
    self._told_records = 0
    self._told_steps = 0
    self.steps = 0
    self._steps_lock = threading.Lock()
    self.version = -1
    self._wanted = threading.Event()
    self._failure: Exception | None = None
    threading.Thread(target=self._run, daemon=True).start()

  def _run(self) -> None:
    next_tell = 0.0
    try:
      while True:
        self._wanted.clear()
        now = time.monotonic()
        steps_due = now >= next_tell and self.steps > self._told_steps
        if steps_due or self._lacks_tasks() or not self._records.empty():
          next_tell = now + _TELL_SECONDS
          self.exchange()
        self._wanted.wait(_IDLE_SECONDS)
    except Exception as error:
      self._failure = error

  def _lacks_tasks(self) -> bool:
    return self._tasks.qsize() < _TASKS_AHEAD

  def exchange(self) -> None:
    """Tells what was done, takes tasks if there are few."""
    records: list[Any] = []
    with contextlib.suppress(queue.Empty):
      while True:
        records.append(self._records.get_nowait())
    steps = self.steps
    wanted = _TASKS_AHEAD if self._lacks_tasks() else 0
    tasks = self._desk.call(
      "exchange", self._who, steps, self._told_records, records, wanted
    )
    self._told_records += len(records)
    self._told_steps = steps
    for assignment in tasks:
      self._tasks.put(assignment)

  def _check(self) -> None:
    if self._failure is not None:
      raise self._failure

  def next_task(self) -> base.Assignment:
    """A task to play now; waits if none is in reserve."""
    while True:
      self._check()
      try:
        return self._tasks.get_nowait()
      except queue.Empty:
        self._wanted.set()
        with contextlib.suppress(queue.Empty):
          return self._tasks.get(timeout=0.2)

  def report(self, record: base.EpisodeRecord) -> None:
    """Hands over a finished episode; never waits."""
    self._check()
    self._records.put(record)

  def count_steps(self, steps: int) -> None:
    """Hands over a number of environment steps; never waits."""
    self._check()
    with self._steps_lock:
      self.steps += steps

  def new_params(self) -> channel.Versioned | None:
    """The newest parameters not yet taken; never waits."""
    newest = self._reader.new_params()
    if newest is not None:
      self.version = newest.version
    return newest
