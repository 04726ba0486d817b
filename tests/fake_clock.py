"""A fake time of day for a run: `fake_clock.c`, preloaded into its processes.

libfaketime is no alternative: absl, and so gRPC, TensorStore and Ray, pass
deadlines as times of day to the kernel, whose clock differs.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys

_SOURCE = pathlib.Path(__file__).with_suffix(".c")


def missing() -> str:
  """Returns the reason why there can be no fake clock, or ""."""
  if sys.platform != "linux":
    return "it is made for Linux"
  if shutil.which("cc") is None:
    return "there is no C compiler (cc)"
  return ""


class FakeClock:
  """A time of day with an offset.

  Args:
    folder: Folder for its files.

  Attributes:
    env: Environment variables of the processes that use it.
    offset: Seconds by which it runs ahead.
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
    """Sets the offset, in all processes at once.

    Args:
      offset: Seconds by which the clock runs ahead.
    """
    # In place, because processes have the file mapped.
    file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
      os.pwrite(file, struct.pack("=q", offset), 0)
    finally:
      os.close(file)
    self.offset = offset
