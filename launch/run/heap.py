"""Limits on the growth of the heap of a process that runs for weeks.

Both functions are for glibc, and do nothing elsewhere.
"""

import contextlib
import ctypes

_M_ARENA_MAX = -8


def share() -> None:
  """Limits glibc to one malloc arena for all threads started from now on.

  Otherwise glibc gives threads separate arenas, and memory freed in one is not
  reused by another: each of the first ten checkpoints, written by threads of
  Orbax, left some megabytes behind. With one arena, a learner of the `laptop`
  preset on its own took 422 to 423 MiB after eight checkpoints instead of 503
  to 505 (two runs each), at the same speed within a tenth. Existing threads
  keep their arenas: `env_vars.learner` is for processes yet to be started.
  """
  with contextlib.suppress(AttributeError):  # Another C library.
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
  """Returns all free whole pages of the heap to the system.

  Without this call glibc returns only free memory at the heap's end. Below
  that, the free memory that batches and checkpoints leave behind grows: the
  heap of a learner of the `laptop` preset had 128 MiB free after half a minute
  and 168 after eight minutes, while the memory in use stayed the same. A call
  takes some milliseconds; results/distributed has whole runs. The one process
  of the device launcher (`laptop`, on a processor) grew from 691 to 809 MiB
  with four checkpoints; trimmed after each, it stayed between 594 and 616 MiB
  with six.
  """
  with contextlib.suppress(AttributeError):  # Another C library.
    ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))
