"""The standard streams of a command, which its caller may have closed."""

import contextlib
import io
import os
import sys
from typing import TextIO


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


def write(stream: TextIO | None, text: str) -> None:
  """Writes a message about the work at once, if it can be written.

  Work that takes days must not end because a terminal was closed, the reader of
  a pipe has ended (as `tee` does at Ctrl-C), or a log's disk is full.

  Args:
    stream: The output of messages, such as stderr; None if it is closed.
    text: The message.
  """
  if stream is None:
    return
  with contextlib.suppress(OSError):
    stream.write(text)
    stream.flush()


def drop_failed_output(stream: TextIO) -> None:
  """Drops what stdout or stderr could not write, and all that follows.

  Otherwise Python tries to write it again at exit, and complains.

  Args:
    stream: The stream.
  """
  try:
    stream.flush()
  except OSError:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
