"""Files with one JSON object per line, to which a run appends."""

import contextlib
import io
import json
import math
import os

from adaland.launch import errors

_LONGEST_LINE = 1_000_000


def append(file: io.FileIO, lines: bytes) -> None:
  """Appends all of the lines to a file, or none.

  When a disk becomes full, a write may take a part without an error, and the
  next line would be joined to that part.

  Args:
    file: The file, opened for appending without a buffer.
    lines: The lines.

  Raises:
    OSError: If they can't be written.
  """
  size = os.fstat(file.fileno()).st_size
  try:
    while lines:
      lines = lines[file.write(lines) :]
  except BaseException:
    # Special files, such as pipes, can't be cut.
    with contextlib.suppress(OSError):
      file.truncate(size)
    raise


def drop_lost(path: str, field: str, newest: int) -> None:
  """Cuts off the rows that a run repeats when it resumes.

  These are all rows from the first one with a later step, and an incomplete
  last line, which a killed writer or a full disk leaves.

  Args:
    path: The file; it need not exist.
    field: Name of the field with a row's number of environment steps.
    newest: Number of environment steps at which the run resumes.

  Raises:
    OSError: If it can't be written; the error names the file.
  """
  if not os.path.isfile(path):
    return
  with errors.named(path), open(path, "rb+") as file:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_LINE))
    start, end = file.tell(), file.read(_LONGEST_LINE)
    if end and not end.endswith(b"\n"):
      file.truncate(start + end.rfind(b"\n") + 1)
    file.seek(0)
    kept = 0
    for line in file:
      if _steps(line, field) > newest:
        file.truncate(kept)
        return
      kept += len(line)


def _steps(line: bytes, field: str) -> float:
  """Returns the steps of a row, minus infinity for any other line."""
  try:
    row = json.loads(line)
  except (RecursionError, ValueError):
    return -math.inf
  steps = row.get(field) if isinstance(row, dict) else None
  return steps if isinstance(steps, int) else -math.inf
