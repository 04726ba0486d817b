"""Where a run's numbers go: JSON lines and TensorBoard."""

import json
import math
import os
import time
from collections.abc import Mapping


class MetricsWriter:
  """Appends to `metrics.jsonl` and, where installed, TensorBoard files.

  Args:
    folder: The run's directory.
  """

  def __init__(self, folder: str):
    self._file = open(os.path.join(folder, "metrics.jsonl"), "a")  # noqa: SIM115
    self._board = None
    try:
      import tensorboardX

      self._board = tensorboardX.SummaryWriter(
        os.path.join(folder, "tensorboard"), flush_secs=30
      )
    except ImportError:
      pass

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Writes one row.

    Args:
      step: Environment steps so far.
      values: Numbers by name; those that are not finite become null.
    """
    row = {
      name: float(value) if math.isfinite(value) else None
      for name, value in values.items()
    }
    line = {"step": step, "time": round(time.time(), 3), **row}
    self._file.write(json.dumps(line) + "\n")
    self._file.flush()
    if self._board is not None:
      for name, value in row.items():
        if value is not None:
          self._board.add_scalar(name, value, step)

  def close(self) -> None:
    """Flushes and closes."""
    self._file.close()
    if self._board is not None:
      self._board.close()
