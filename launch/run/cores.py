"""The processor cores of this machine."""

import os


def num_cores() -> int:
  """Returns the number of processor cores that this process may use."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
