"""Memory and processor time of a run's processes, measured from outside.

A run is a tree of processes: `train` and its descendants.
"""

import contextlib
from typing import NamedTuple

import psutil

_MB = 2**20


class Memory(NamedTuple):
  """Resident memory of a process, MiB.

  Attributes:
    own: Pages that belong to this process alone; a leak increases them.
    shared: Pages of files, mostly programs, that the system may drop, and of
      shared memory, such as Ray's object store.
  """

  own: float
  shared: float


def memory(pid: int) -> Memory:
  """Returns the resident memory of one process.

  Raises:
    psutil.NoSuchProcess: If there is no such process.
  """
  found = psutil.Process(pid).memory_info()
  # Known on Linux; elsewhere all memory counts as the process's own.
  shared = getattr(found, "shared", 0)
  return Memory((found.rss - shared) / _MB, shared / _MB)


def tree(pid: int) -> list[int]:
  """Returns a process and all its living descendants."""
  with contextlib.suppress(psutil.NoSuchProcess):
    root = psutil.Process(pid)
    return [pid] + [child.pid for child in root.children(recursive=True)]
  return []


def cpu_seconds(pid: int) -> float:
  """Returns the processor time of one process's threads."""
  times = psutil.Process(pid).cpu_times()
  return times.user + times.system


def tree_cpu_seconds(pid: int) -> float:
  """Returns the processor time of a tree, ended processes included.

  A process that has ended counts as its parent's once its parent has waited.
  """
  total = 0.0
  for each in tree(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
      times = psutil.Process(each).cpu_times()
      total += times.user + times.system
      # Known on Linux and macOS; elsewhere there is nothing to add.
      total += getattr(times, "children_user", 0.0)
      total += getattr(times, "children_system", 0.0)
  return total


def end_tree(pid: int) -> None:
  """Kills a process and all its descendants."""
  for each in tree(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
      psutil.Process(each).kill()
