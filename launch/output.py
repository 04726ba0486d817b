"""Output of commands: files, messages, and streams that may be closed."""

import argparse
import contextlib
import io
import json
import os
import secrets
import sys
import tempfile
from typing import Any, TextIO

from adaland.launch import errors

# Prefix of the names of files that are being written.
PARTIAL = ".partial-"


def prepare_streams() -> None:
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


def say(message: str) -> None:
  """Prints progress on stderr, if it can be written."""
  write(sys.stderr, message + "\n")


def plural(number: int, noun: str) -> str:
  """Returns a number with its noun, such as "1 task" or "2 tasks"."""
  return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def emit(result: dict[str, Any], text: str, json_path: str | None) -> None:
  """Prints a command's result, and writes its JSON if requested.

  Args:
    result: The JSON object.
    text: The same for people; not printed if the JSON goes to stdout.
    json_path: Value of --json.
  """
  if json_path == "-":
    print(json.dumps(result, indent=1))
    return
  if json_path:
    write_atomically(json_path, json.dumps(result, indent=1) + "\n")
  print(text)


def writable_path(path: str) -> str:
  """Returns a path after checking that a file can be written there.

  Raises:
    argparse.ArgumentTypeError: If it can't be written; raised before any work.
  """
  if path == "-":
    raise argparse.ArgumentTypeError("- is stdout, allowed: a file name")
  if not path:
    raise argparse.ArgumentTypeError("an empty path; give a file name")
  folder = os.path.dirname(os.path.realpath(path))
  if os.path.isdir(path):
    raise argparse.ArgumentTypeError(f"{path} is a directory, not a file")
  if not os.path.isdir(folder):
    raise argparse.ArgumentTypeError(f"directory {folder} does not exist")
  if _is_special(path):
    return path
  try:
    # On some file systems permissions alone do not tell.
    tempfile.TemporaryFile(dir=folder).close()
  except OSError as error:
    raise argparse.ArgumentTypeError(
      f"directory {folder} is not writable"
    ) from error
  return path


def path_or_stdout(path: str) -> str:
  """Returns "-" for stdout, or a path as `writable_path` does."""
  return path if path == "-" else writable_path(path)


def _is_special(path: str) -> bool:
  """Returns True for files such as /dev/null, which must not be replaced."""
  return os.path.exists(path) and not os.path.isfile(path)


def write_atomically(path: str, content: str | bytes) -> None:
  """Writes a file completely or not at all.

  Raises:
    OSError: If it can't be written; the error names the file.
  """
  data = content.encode() if isinstance(content, str) else content
  with errors.named(path):
    if _is_special(path):
      with open(path, "wb") as file:
        file.write(data)
      return
    target = os.path.realpath(path)
    temporary = os.path.join(
      os.path.dirname(target), f"{PARTIAL}{secrets.token_hex(8)}"
    )
    # The system applies the umask: to read it is to change it for all threads.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
      with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
      os.replace(temporary, target)
    except BaseException:
      os.unlink(temporary)
      raise
