"""A clock of its own for a run: libfaketime, preloaded into all its processes.

The time of day, which anyone with the rights may set, is shifted; the
monotonic clock, which nobody can set, is not.
"""

import os
import pathlib

# Of the library that Debian and others package as libfaketime.
_PLACES = (
  "/usr/lib/*/faketime/libfaketimeMT.so.1",
  "/usr/lib*/faketime/libfaketimeMT.so.1",
  "/usr/local/lib/faketime/libfaketimeMT.so.1",
)


def library() -> str:
  """Path of the library; empty if it is not installed."""
  root = pathlib.Path("/")
  for place in _PLACES:
    for path in root.glob(place.removeprefix("/")):
      return str(path)
  return ""


class FakeClock:
  """A time of day, as far from the right one as it is told.

  Args:
    path: A file that says how far.

  Attributes:
    env: Environment variables of the processes that go by it.
    offset: Seconds that it is fast.
  """

  def __init__(self, path: str):
    self._path = path
    self.offset = 0
    self.set(0)
    self.env = {
      "LD_PRELOAD": library(),
      "FAKETIME_TIMESTAMP_FILE": path,
      # Looked at by every process once a second.
      "FAKETIME_CACHE_DURATION": "1",
      "FAKETIME_DONT_FAKE_MONOTONIC": "1",
      # The file system goes by the right time.
      "NO_FAKE_STAT": "1",
    }

  def set(self, offset: int) -> None:
    """Has the clock jump.

    Args:
      offset: Seconds that it is fast then.
    """
    # At once: half a file is none that the library can read.
    with open(f"{self._path}.new", "w") as file:
      file.write(f"{offset:+d}\n")
    os.replace(f"{self._path}.new", self._path)
    self.offset = offset
