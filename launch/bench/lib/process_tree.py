"""What processes take of the machine, for those who measure a run from outside.

A run is a tree of processes: `train`, what it starts, what those start.
"""

import contextlib
from typing import NamedTuple

import psutil

_MB = 2**20


class Memory(NamedTuple):
  """Resident memory of a process, MiB.

  Attributes:
    own: Pages that are no file's and nobody else's: what a leak adds to.
    shared: Pages of files, mostly programs, that the system may drop; and of
      shared memory, as Ray's object store is.
  """

  own: float
  shared: float


def memory(pid: int) -> Memory:
  """Resident memory of one process.

  Raises:
    psutil.NoSuchProcess: If there is none.
  """
  found = psutil.Process(pid).memory_info()
  # Linux tells; elsewhere all counts as the process's own.
  shared = getattr(found, "shared", 0)
  return Memory((found.rss - shared) / _MB, shared / _MB)


def tree(pid: int) -> list[int]:
  """A process and all that it has started, directly or not; those that live."""
  with contextlib.suppress(psutil.NoSuchProcess):
    root = psutil.Process(pid)
    return [pid] + [child.pid for child in root.children(recursive=True)]
  return []


def cpu_seconds(pid: int) -> float:
  """Processor time that one process's threads have had."""
  times = psutil.Process(pid).cpu_times()
  return times.user + times.system


def tree_cpu_seconds(pid: int) -> float:
  """Processor time of a tree of processes, of those that ended too.

  A process that has ended counts as its parent's once that has waited for it.
  """
  total = 0.0
  for each in tree(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
      times = psutil.Process(each).cpu_times()
      total += times.user + times.system
      # Linux and macOS tell of children; elsewhere there is nothing to add.
      total += getattr(times, "children_user", 0.0)
      total += getattr(times, "children_system", 0.0)
  return total


def end_tree(pid: int) -> None:
  """Kills a process and all that it has started."""
  for each in tree(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
      psutil.Process(each).kill()
