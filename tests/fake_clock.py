"""A clock of its own for a run: `fake_clock.c`, preloaded into its processes.

libfaketime does not do: the deadlines of absl, and so of gRPC, TensorStore and
Ray, are times of day that it hands to the kernel, whose clock is another.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys

_SOURCE = pathlib.Path(__file__).with_suffix(".c")


def missing() -> str:
  """Why there can be no such clock; empty if there can."""
  if sys.platform != "linux":
    return "it is made for Linux"
  if shutil.which("cc") is None:
    return "there is no C compiler (cc)"
  return ""


class FakeClock:
  """A time of day that is as far from the right one as it is told.

  Args:
    folder: Where its files go.

  Attributes:
    env: Environment variables of the processes that go by it.
    offset: Seconds that it is fast.
  """

  def __init__(self, folder: str):
    library = os.path.join(folder, "fake_clock.so")
    self._path = os.path.join(folder, "fake_clock")
    subprocess.run(
      ["cc", "-shared", "-fPIC", "-O2", "-o", library, _SOURCE, "-ldl"],
      check=True,
    )
    self.env = {"LD_PRELOAD": library, "FAKE_CLOCK": self._path}
    self.offset = 0
    self.set(0)

  def set(self, offset: int) -> None:
    """Has the clock jump, in all processes at once.

    Args:
      offset: Seconds that it is fast then.
    """
    # In place: processes have the file mapped.
    file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
      os.pwrite(file, struct.pack("=q", offset), 0)
    finally:
      os.close(file)
    self.offset = offset
