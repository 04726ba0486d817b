"""Tasks prepared in other processes before they are needed.

Drawing a task, placing its objects and turning it into rows takes a millisecond
of Python or more, and a fast device ends a thousand episodes a second. A thread
would delay the thread that steps the environments, so processes prepare the
tasks. The number prepared ahead is counted, never timed, so that the order of
the tasks does not depend on the processes' speed.
"""

import collections
import dataclasses
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import process
from multiprocessing import connection
from typing import Any, Final, NamedTuple, Protocol

from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.stepping import task_rows
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.run import cores

_MOST_WORKERS: Final = 8
# Maximum number of tasks in one message to a worker; sending has a cost too.
_CHUNK: Final = 16
# Number of times that a worker may die of the same tasks.
_MOST_DEATHS: Final = 3


class Tasks(Protocol):
  """Tasks by index."""

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    ...


@dataclasses.dataclass(frozen=True)
class Maker:
  """A function that draws the task of an index and prepares it.

  Attributes:
    tasks: The tasks to draw from; sent to other processes.
    env: The environments to prepare tasks for.
  """

  tasks: Tasks
  env: land.LandConfig

  def __call__(self, index: int, trials: int = 0) -> task_rows.PreparedTask:
    """Returns the prepared task, with `trials` trials unless that is 0."""
    task = self.tasks.task(index)
    if trials:
      task = dataclasses.replace(task, trials=trials)
    return task_rows.prepare(task, self.env)


class _Made(NamedTuple):
  """A worker's answer: tasks and the seconds that they took."""

  tasks: list[task_rows.PreparedTask]
  seconds: float


# Each task's index and number of trials.
_Wanted = Sequence[tuple[int, int]]


class TaskPrefetcher:
  """A queue of assignments whose tasks worker processes prepare.

  If a worker is killed, all workers are replaced and make its tasks again. This
  changes no task, as a task depends on its index alone. A SIGTERM to all of a
  run's processes, as systemd sends it, therefore does not keep the run from
  writing its checkpoint.

  Args:
    next_assignment: Returns the next assignment, whose task is an index.
      `next_task` calls it, in the same thread.
    maker: Prepares the task of an index, with a number of trials or 0 for its
      own; sent to each worker once.
    depth: Number of assignments requested ahead. A record affects only
      assignments this much later.
    workers: Number of processes; None for all spare cores.

  Attributes:
    prepared: Number of prepared tasks that `next_task` has received.
    making_seconds: Seconds that these tasks took, summed over the workers.
    taken: Number of tasks returned.
    waited_seconds: Seconds that `next_task` waited for workers, in total.
  """

  def __init__(
    self,
    next_assignment: Callable[[], base.Assignment],
    maker: Callable[[int, int], Any],
    depth: int,
    workers: int | None = None,
  ):
    self._next_assignment = next_assignment
    self._depth = depth
    self._chunk = max(1, min(_CHUNK, depth // 4))
    self._maker = maker
    self._num_workers = workers or _spare_cores()
    self._pool = self._new_pool()
    # Assignments requested; the last of them are not yet sent to a worker.
    self._assignments: collections.deque[base.Assignment] = collections.deque()
    self._unsent: list[base.Assignment] = []
    # Indices and trials sent to a worker, and its answer.
    self._under_way: collections.deque[
      tuple[_Wanted, futures.Future[_Made]]
    ] = collections.deque()
    self._ready: collections.deque[task_rows.PreparedTask] = collections.deque()
    self.prepared = 0
    self.making_seconds = 0.0
    self.taken = 0
    self.waited_seconds = 0.0

  def next_task(self) -> base.Assignment:
    """Returns the oldest assignment, with a prepared task.

    Raises:
      RunError: If workers keep dying.
      Exception: Raised by the maker for this task.
    """
    while len(self._assignments) <= self._depth:
      assignment = self._next_assignment()
      self._assignments.append(assignment)
      self._unsent.append(assignment)
      if len(self._unsent) == self._chunk:
        self._send()
    if not self._ready:
      if not self._under_way:
        self._send()
      start = time.perf_counter()
      made = self._receive()
      self.waited_seconds += time.perf_counter() - start
      self._ready.extend(made.tasks)
      self.prepared += len(made.tasks)
      self.making_seconds += made.seconds
    self.taken += 1
    return self._assignments.popleft()._replace(task=self._ready.popleft())

  def _send(self) -> None:
    """Sends the unsent assignments' indices to a worker."""
    wanted = [(each.task, each.trials) for each in self._unsent]
    self._under_way.append((wanted, self._submit(wanted)))
    self._unsent = []

  def _receive(self) -> _Made:
    """Returns the oldest tasks under way; waits until they are made."""
    wanted, answer = self._under_way.popleft()
    deaths = 0
    while True:
      try:
        return answer.result()
      except process.BrokenProcessPool as error:
        deaths += 1
        if deaths == _MOST_DEATHS:
          raise errors.RunError(
            f"the processes that prepare tasks died {deaths} times in a row; "
            "is there enough memory?"
          ) from error
        answer = self._submit(wanted)

  def _submit(self, wanted: _Wanted) -> futures.Future[_Made]:
    """Sends tasks to a worker; replaces the workers if one has died."""
    try:
      return self._pool.submit(_make, wanted)
    except process.BrokenProcessPool:
      logging.warning("A process that prepares tasks died; replacing it.")
      self._pool = self._new_pool()
      return self._pool.submit(_make, wanted)

  def _new_pool(self) -> futures.ProcessPoolExecutor:
    return futures.ProcessPoolExecutor(
      self._num_workers,
      # A fork would copy the threads' locks, but not the threads.
      multiprocessing.get_context("spawn"),
      _begin,
      (self._maker,),
    )

  def close(self) -> None:
    """Ends the workers."""
    self._pool.shutdown(cancel_futures=True)


def _spare_cores() -> int:
  """Returns the number of cores left by the stepping and learning threads."""
  return max(1, min(_MOST_WORKERS, cores.num_cores() - 2))


_maker: Callable[[int, int], Any]  # The worker's own.


def _begin(maker: Callable[[int, int], Any]) -> None:
  """Starts a worker, which makes tasks until its parent ends."""
  global _maker
  _maker = maker
  # Ctrl-C reaches the whole group; the parent decides what to do.
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
  parent = multiprocessing.parent_process()
  assert parent is not None
  connection.wait([parent.sentinel])
  os._exit(1)


def _make(wanted: _Wanted) -> _Made:
  start = time.perf_counter()
  tasks = [_maker(index, trials) for index, trials in wanted]
  return _Made(tasks, time.perf_counter() - start)
