"""An actor's connection to the curriculum server and the parameter server.

Two threads make the calls, so an actor waits only if it has no task left. One
exchanges records for tasks with the curriculum server; the other reads the
parameter server.
"""

import contextlib
import os
import platform
import queue
import secrets
import threading
import time
from typing import Any

from adaland.agent import types
from adaland.curriculum import base, coplayers
from adaland.launch.acting import channel
from adaland.launch.roles import parameters, peer

# Number of tasks in reserve, in addition to those being played.
_TASKS_AHEAD = 4
_IDLE_SECONDS = 0.02
_RETRY_SECONDS = 0.1
# Number of co-players' parameters that are kept for the tasks in reserve.
_MAX_COPLAYERS = 3 * _TASKS_AHEAD
# Seconds between two reports that have only steps.
_REPORT_SECONDS = 0.5
# Seconds for which an actor waits for a co-player's parameters.
_COPLAYER_SECONDS = 10.0


class ActorChannel:
  """See `channel.Channel`; all threads of an actor may share one.

  Args:
    curriculum: The curriculum server.
    reader: Reads the parameter server.
    report_seconds: Time between two reports that have only steps.
    coplayer_seconds: Longest wait for a co-player's parameters; after that its
      tasks are left out.

  Attributes:
    steps: Environment steps so far.
    version: Version of the parameters taken last; -1 before the first.
  """

  def __init__(
    self,
    curriculum: peer.Peer,
    reader: parameters.Reader,
    report_seconds: float = _REPORT_SECONDS,
    coplayer_seconds: float = _COPLAYER_SECONDS,
  ):
    self._curriculum = curriculum
    self._reader = reader
    self._report_seconds = report_seconds
    self._coplayer_seconds = coplayer_seconds
    self._actor_id = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}"
    # Least recently used first.
    self._coplayers: dict[int, types.Params] = {}
    self._tasks: queue.SimpleQueue[base.Assignment] = queue.SimpleQueue()
    self._records: queue.SimpleQueue[base.EpisodeRecord] = queue.SimpleQueue()
    self._reported_records = 0
    self._reported_steps = 0
    self.steps = 0
    self._steps_lock = threading.Lock()
    self.version = -1
    self._wanted = threading.Event()
    self._failure: Exception | None = None
    threading.Thread(target=self._run, daemon=True).start()

  def _run(self) -> None:
    next_report = 0.0
    try:
      while True:
        self._wanted.clear()
        now = time.monotonic()
        steps_due = now >= next_report and self.steps > self._reported_steps
        if steps_due or self._lacks_tasks() or not self._records.empty():
          next_report = now + self._report_seconds
          self.exchange()
        self._wanted.wait(_IDLE_SECONDS)
    except Exception as error:
      self._failure = error

  def _lacks_tasks(self) -> bool:
    return self._tasks.qsize() < _TASKS_AHEAD

  def exchange(self) -> None:
    """Reports steps and records; takes tasks if few are left."""
    records: list[Any] = []
    with contextlib.suppress(queue.Empty):
      while True:
        records.append(self._records.get_nowait())
    steps = self.steps
    wanted = _TASKS_AHEAD if self._lacks_tasks() else 0
    tasks = self._curriculum.call(
      "exchange", self._actor_id, steps, self._reported_records, records, wanted
    )
    self._reported_records += len(records)
    self._reported_steps = steps
    for assignment in tasks:
      # Curricula accept that some tasks are never reported on.
      if self._fetch_coplayer(assignment.coplayer):
        self._tasks.put(assignment)

  def _fetch_coplayer(self, number: int) -> bool:
    """Reads a snapshot's parameters, unless they are already cached.

    The learner may not have sent them yet. It never will after a restart from a
    checkpoint that is older than the snapshot.

    Returns:
      True if they are cached now.
    """
    if number < coplayers.FIRST_SNAPSHOT:
      return True
    kept = dict(self._coplayers)
    params = kept.pop(number, None)
    deadline = time.monotonic() + self._coplayer_seconds
    while params is None:
      params = self._reader.coplayer(number)
      if params is None:
        if time.monotonic() >= deadline:
          return False
        time.sleep(_RETRY_SECONDS)
    kept[number] = params
    while len(kept) > _MAX_COPLAYERS:
      del kept[next(iter(kept))]
    # Replaced as a whole: the actor's thread reads it.
    self._coplayers = kept
    return True

  def _check(self) -> None:
    if self._failure is not None:
      raise self._failure

  def next_task(self) -> base.Assignment:
    """Returns a task to play now; waits if none is in reserve."""
    while True:
      self._check()
      try:
        return self._tasks.get_nowait()
      except queue.Empty:
        self._wanted.set()
        with contextlib.suppress(queue.Empty):
          return self._tasks.get(timeout=0.2)

  def report(self, record: base.EpisodeRecord) -> None:
    """Reports a finished episode; never waits."""
    self._check()
    self._records.put(record)

  def count_steps(self, steps: int) -> None:
    """Reports a number of environment steps; never waits."""
    self._check()
    with self._steps_lock:
      self.steps += steps

  def new_params(self) -> channel.Versioned | None:
    """Returns the newest parameters not yet taken; never waits."""
    newest = self._reader.new_params()
    if newest is not None:
      self.version = newest.version
    return newest

  def snapshot(self, number: int) -> types.Params:
    """Returns the parameters of the co-player of the task taken last."""
    return self._coplayers[number]
