"""The standard streams of a command, which its caller may have closed."""

import io
import os
import sys


def prepare() -> None:
  """Makes stdout and stderr take any text, even if the caller closed them.

  A closed stream becomes the null device. Otherwise the next file that is
  opened would get its number and the output of libraries. Characters that a
  stream's encoding lacks, such as bytes of a file's name, are escaped.
  """
  free = os.open(os.devnull, os.O_RDWR)
  while free <= 2:
    free = os.dup(free)
  os.close(free)
  for number, name in ((1, "stdout"), (2, "stderr")):
    if getattr(sys, name) is None:
      setattr(sys, name, os.fdopen(number, "w", closefd=False))
    stream = getattr(sys, name)
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors="backslashreplace")


def drop_failed_output() -> None:
  """Drops what stdout could not write, and all that follows.

  Otherwise Python tries to write it again at exit, and complains.
  """
  try:
    sys.stdout.flush()
  except OSError:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
