"""The live line of a long job on stderr, and number formats."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from adaland.launch import output


class Progress:
  """A line that is rewritten on a terminal and repeated elsewhere.

  If it can't be written, the job goes on without it.

  Args:
    stream: The output; stderr if None.
    quiet_seconds: Time between lines if the line can't be rewritten.
  """

  def __init__(self, stream: TextIO | None = None, quiet_seconds: float = 10.0):
    self._stream = stream or sys.stderr
    self._live = self._stream.isatty()
    self._quiet_seconds = quiet_seconds
    self._width = 0
    self._next = 0.0

  def update(self, text: str, force: bool = False) -> None:
    """Shows the text in place of the last one.

    Args:
      text: The current state.
      force: Whether to print it at once if the line can't be rewritten.
    """
    if self._live:
      output.write(self._stream, "\r" + text.ljust(self._width))
      self._width = len(text)
    elif force or time.monotonic() >= self._next:
      output.write(self._stream, text + "\n")
      self._next = time.monotonic() + self._quiet_seconds

  def say(self, text: str) -> None:
    """Prints a permanent line."""
    erased = ""
    if self._live and self._width:
      erased = "\r" + " " * self._width + "\r"
      self._width = 0
    output.write(self._stream, erased + text + "\n")

  def close(self) -> None:
    """Ends the live line."""
    if self._live and self._width:
      output.write(self._stream, "\n")
      self._width = 0


def duration(seconds: float) -> str:
  """Formats a duration as "1h02m", "3m20s" or "12s"."""
  seconds = max(0, round(seconds))
  if seconds >= 3600:
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"
  if seconds >= 60:
    return f"{seconds // 60}m{seconds % 60:02d}s"
  return f"{seconds}s"


def count(number: float) -> str:
  """Formats a number as "1.23M", "45.6k" or "789"."""
  for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
    # Rounded to three digits, 999,500 is already a million.
    if abs(number) >= 0.9995 * limit:
      return f"{number / limit:.3g}{unit}"
  return f"{number:.3g}"


class Rates:
  """Rates of growing counters between two calls.

  At the end of a run counters may fall to those of its last checkpoint.

  Args:
    clock: Monotonic seconds.
  """

  def __init__(self, clock: Callable[[], float] = time.monotonic):
    self._clock = clock
    self._last: dict[str, float] = {}
    self._time = clock()

  def __call__(self, counters: Mapping[str, float]) -> dict[str, float]:
    """Returns each counter's increase per second since the last call."""
    now = self._clock()
    seconds = max(1e-9, now - self._time)
    rates = {
      name: max(0.0, value - self._last.get(name, value)) / seconds
      for name, value in counters.items()
    }
    self._last, self._time = dict(counters), now
    return rates
