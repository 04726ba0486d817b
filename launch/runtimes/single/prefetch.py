"""Tasks made ready before they are needed, in other processes.

To draw a task, place its objects and turn it into rows takes about a
millisecond of Python or more, and a fast device ends a thousand episodes a
second: a thread would keep the one that steps the environments from running.
So it is done in processes of its own. How far ahead is counted, never timed:
which task follows which does not depend on who was faster.
"""

import collections
import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from multiprocessing import connection
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.stepping import task_rows
from adaland.envs.tasks import task as task_lib

Order = TypeVar("Order")

_MOST_WORKERS: Final = 8
# Tasks that one message to a worker asks for: sending costs as well.
_CHUNK: Final = 16


class Tasks(Protocol):
  """Tasks by index."""

  def task(self, index: int) -> task_lib.Task:
    """Returns the task of an index."""
    ...


@dataclasses.dataclass(frozen=True)
class Maker:
  """Makes the task of an index ready.

  Attributes:
    tasks: What is drawn from; it is sent to other processes.
    env: What it is made ready for.
  """

  tasks: Tasks
  env: land.LandConfig

  def __call__(self, index: int) -> task_rows.PreparedTask:
    """Draws and prepares it."""
    return task_rows.prepare(self.tasks.task(index), self.env)


class _Made(NamedTuple):
  """What a worker sends back: some tasks, and the seconds that they took."""

  tasks: list[task_rows.PreparedTask]
  seconds: float


class Prefetcher(Generic[Order]):
  """Keeps prepared tasks ready, each of an order.

  Args:
    ask: Gives the next order. It is called by `take`, in the same thread.
    index: Index of an order's task.
    maker: What workers do; it is sent to them once.
    depth: Orders asked for ahead.
    workers: Processes; None for as many as there are cores to spare.

  Attributes:
    prepared: Tasks that workers have made and `take` has met.
    making_seconds: What those took the workers, all of them together.
    taken: Tasks taken.
    waited_seconds: What `take` waited for workers, all calls together.
  """

  def __init__(
    self,
    ask: Callable[[], Order],
    index: Callable[[Order], int],
    maker: Callable[[int], Any],
    depth: int,
    workers: int | None = None,
  ):
    self._ask = ask
    self._index = index
    self._depth = depth
    self._chunk = max(1, min(_CHUNK, depth // 4))
    self._pool = futures.ProcessPoolExecutor(
      workers or _spare_cores(),
      # A fork would have the threads' locks, but not the threads.
      multiprocessing.get_context("spawn"),
      _begin,
      (maker,),
    )
    # Orders asked for, of which the last were not sent yet.
    self._orders: collections.deque[Order] = collections.deque()
    self._unsent: list[Order] = []
    self._under_way: collections.deque[futures.Future[_Made]] = (
      collections.deque()
    )
    self._ready: collections.deque[task_rows.PreparedTask] = collections.deque()
    self.prepared = 0
    self.making_seconds = 0.0
    self.taken = 0
    self.waited_seconds = 0.0

  def take(self) -> tuple[Order, task_rows.PreparedTask]:
    """Returns the oldest order and its task.

    Raises:
      Exception: What went wrong when it was made.
    """
    while len(self._orders) <= self._depth:
      order = self._ask()
      self._orders.append(order)
      self._unsent.append(order)
      if len(self._unsent) == self._chunk:
        self._send()
    if not self._ready:
      if not self._under_way:
        self._send()
      start = time.perf_counter()
      made = self._under_way.popleft().result()
      self.waited_seconds += time.perf_counter() - start
      self._ready.extend(made.tasks)
      self.prepared += len(made.tasks)
      self.making_seconds += made.seconds
    self.taken += 1
    return self._orders.popleft(), self._ready.popleft()

  def _send(self) -> None:
    """Has workers make what they were not told of."""
    indices = [self._index(order) for order in self._unsent]
    self._under_way.append(self._pool.submit(_make, indices))
    self._unsent = []

  def close(self) -> None:
    """Ends the workers."""
    self._pool.shutdown(cancel_futures=True)


class AheadDesk:
  """A desk whose assignments come with prepared tasks.

  Args:
    desk: What it stands before; its tasks are indices.
    maker: Makes the task of an index ready.
    depth: Assignments asked for ahead. So much later a record changes what is
      assigned.
    workers: As `Prefetcher` takes it.

  Attributes:
    prefetcher: Where the tasks come from.
  """

  def __init__(
    self,
    desk: Any,
    maker: Callable[[int], Any],
    depth: int,
    workers: int | None = None,
  ):
    self._desk = desk
    self.prefetcher: Prefetcher[base.Assignment] = Prefetcher(
      lambda: self._desk.next_tasks(1)[0],
      lambda assignment: assignment.task,
      maker,
      depth,
      workers,
    )

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Tasks to play next."""
    taken = (self.prefetcher.take() for _ in range(n))
    return [assignment._replace(task=task) for assignment, task in taken]

  def report(self, record: base.EpisodeRecord) -> None:
    """Takes in a finished episode."""
    self._desk.report(record)

  def count_steps(self, steps: int) -> None:
    """Takes in how many environment steps were made."""
    self._desk.count_steps(steps)

  def close(self) -> None:
    """Ends the workers."""
    self.prefetcher.close()


def _spare_cores() -> int:
  """Cores but for those of the stepping and the learning thread."""
  if hasattr(os, "sched_getaffinity"):
    cores = len(os.sched_getaffinity(0))
  else:
    cores = os.cpu_count() or 1
  return max(1, min(_MOST_WORKERS, cores - 2))


_maker: Callable[[int], Any]  # Of a worker.


def _begin(maker: Callable[[int], Any]) -> None:
  """Readies a worker: it makes tasks until its parent ends."""
  global _maker
  _maker = maker
  # Ctrl-C reaches the whole group; the parent decides what comes of it.
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
  parent = multiprocessing.parent_process()
  assert parent is not None
  connection.wait([parent.sentinel])
  os._exit(1)


def _make(indices: Sequence[int]) -> _Made:
  start = time.perf_counter()
  tasks = [_maker(index) for index in indices]
  return _Made(tasks, time.perf_counter() - start)
