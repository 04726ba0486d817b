"""Keeps the heap of a process that is to run for weeks from growing.

Both are for glibc, and do nothing elsewhere.
"""

import contextlib
import ctypes

_M_ARENA_MAX = -8


def share() -> None:
  """Has all threads from now on take memory from one heap.

  Otherwise glibc gives a thread a heap of its own, and what one frees there
  no other uses: each of the first ten checkpoints, written by threads of
  Orbax's, left some megabytes behind. Alone, a learner of the `laptop` preset
  took 422 to 423 MiB after eight of them instead of 503 to 505 (two runs each),
  at the same pace within a tenth. Threads that are there keep their heaps:
  `process_env.learner` is for processes yet to be started.
  """
  with contextlib.suppress(AttributeError):  # Another C library.
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
  """Gives back all whole pages that hold nothing.

  By itself glibc gives back only what lies free at the heap's end. Below that,
  what batches and checkpoints leave behind comes to ever more: the heap of a
  learner of the `laptop` preset had 128 MiB free after half a minute and 168
  after eight, while what it held stayed the same. It takes some milliseconds;
  results/distributed has whole runs. The one process of the device launcher
  (`laptop`, on a processor) went from 691 to 809 MiB with four checkpoints, and
  with a trim after each stayed between 594 and 616 with six.
  """
  with contextlib.suppress(AttributeError):  # Another C library.
    ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))
