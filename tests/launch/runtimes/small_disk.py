"""A small disk in memory, mounted where only this test's processes see it."""

import os
import pathlib
import subprocess
import time

_WAIT_SECONDS = 10.0


class SmallDisk:
  """A tmpfs in a separate mount namespace, gone with its owner.

  Args:
    folder: Its mount point, for processes that are started with `prefix`.
    mebibytes: Its size.

  Attributes:
    prefix: Begins commands that are to see it.
    path: Where everyone else finds its content.
  """

  def __init__(self, folder: str, mebibytes: int):
    mount = (
      f'mount -t tmpfs -o size={mebibytes}m tmpfs "$0" && echo && exec cat'
    )
    # It ends when its input does, and that is when this process ends.
    self._holder = subprocess.Popen(
      ["unshare", "--mount", "sh", "-c", mount, folder],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
    )
    assert self._holder.stdout is not None
    if not self._holder.stdout.readline():
      self.close()
      raise OSError("no small disk could be mounted")
    self.prefix = ("nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt")
    self.path = pathlib.Path(f"/proc/{self._holder.pid}/root{folder}")

  def fill(self) -> None:
    """Leaves no room on it."""
    with open(self.path / "filler", "wb", buffering=0) as file:
      deadline = time.monotonic() + _WAIT_SECONDS
      while time.monotonic() < deadline:
        try:
          file.write(bytes(4096))
        except OSError:
          return
    raise AssertionError("the disk does not get full")

  def free(self) -> None:
    """Takes away what `fill` wrote."""
    os.unlink(self.path / "filler")

  def close(self) -> None:
    """Ends the holder, and with the last process there the disk."""
    self._holder.kill()
    self._holder.communicate()


def missing_rights() -> str:
  """Returns the reason that none can be made; empty if one can."""
  try:
    SmallDisk("/tmp", 1).close()
  except OSError as error:
    return str(error)
  return ""
