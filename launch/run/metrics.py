"""Metrics of a run, as JSON lines and TensorBoard files."""

import contextlib
import json
import math
import os
import time
from collections.abc import Mapping
from typing import Any

from adaland.launch import errors
from adaland.launch.run import json_lines


class MetricsWriter:
  """A writer of `metrics.jsonl` and, where installed, TensorBoard files.

  A killed run resumes from its last checkpoint and repeats the later steps, so
  rows of these steps are dropped.

  Args:
    folder: The run's directory.
    newest: Number of steps at which the run resumes; rows of later steps are
      dropped.
  """

  def __init__(self, folder: str, newest: int):
    self._path = os.path.join(folder, "metrics.jsonl")
    json_lines.drop_lost(self._path, "step", newest)
    # Unbuffered, so that a line whose write failed is not written later.
    self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 (kept)
    self._board = _board(os.path.join(folder, "tensorboard"), newest)

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Writes one row.

    Args:
      step: Number of environment steps so far.
      values: Numbers by name; null is written for NaN and infinity.

    Raises:
      OSError: If it can't be written; the error names the file.
    """
    row = {
      name: float(value) if math.isfinite(value) else None
      for name, value in values.items()
    }
    line = {"step": step, "time": round(time.time(), 3), **row}
    with errors.named(self._path):
      json_lines.append(self._file, (json.dumps(line) + "\n").encode())
    if self._board is not None:
      self._board.write(step, row)

  def close(self) -> None:
    """Closes the files."""
    self._file.close()
    if self._board is not None:
      self._board.close()
      self._board = None


class _Board:
  """A writer of TensorBoard's event files in the calling thread.

  tensorboardX's SummaryWriter writes in a separate thread, and if that dies of
  a full disk, the next call waits forever.
  """

  def __init__(self, folder: str, writer: Any):
    self._folder = folder
    self._writer = writer

  def begin(self, step: int) -> None:
    """Makes viewers drop this and later steps of earlier files."""
    event = _event(step)
    event.session_log.status = event.session_log.START
    self._write(event)

  def write(self, step: int, row: Mapping[str, float | None]) -> None:
    """Writes the finite numbers of a row as one event."""
    event = _event(step)
    for name, value in row.items():
      if value is not None:
        event.summary.value.add(tag=name, simple_value=value)
    self._write(event)

  def _write(self, event: Any) -> None:
    with errors.named(self._folder):
      self._writer.write_event(event)
      self._writer.flush()

  def close(self) -> None:
    """Closes the file."""
    # Each row was flushed when it was written.
    with contextlib.suppress(OSError):
      self._writer.close()


def _event(step: int) -> Any:
  """Returns an empty event of this step and the current time."""
  from tensorboardX.proto import event_pb2

  # The module makes its classes at import time, so types are unknown.
  event = event_pb2.Event()  # pyrefly: ignore[missing-attribute]
  event.wall_time = time.time()
  event.step = step
  return event


def _board(folder: str, newest: int) -> _Board | None:
  """Returns a TensorBoard writer, None without tensorboardX."""
  try:
    from tensorboardX import event_file_writer
  except ImportError:
    return None
  os.makedirs(folder, exist_ok=True)
  with errors.named(folder):
    writer = event_file_writer.EventsWriter(
      os.path.join(folder, "events"), f".{os.getpid()}"
    )
    writer.flush()
  board = _Board(folder, writer)
  board.begin(newest + 1)
  return board
