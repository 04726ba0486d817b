"""A small disk in memory, visible only to this test's processes."""

import os
import pathlib
import subprocess
import time

_WAIT_SECONDS = 10.0


class SmallDisk:
  """A tmpfs in a separate mount namespace, which ends with its owner.

  Args:
    folder: Its mount point, for processes that are started with `prefix`.
    mebibytes: Its size.

  Attributes:
    prefix: First arguments of commands that need to see it.
    path: Where all other processes find its content.
  """

  def __init__(self, folder: str, mebibytes: int):
    mount = (
      f'mount -t tmpfs -o size={mebibytes}m tmpfs "$0" && echo && exec cat'
    )
    # It ends when its input is closed, that is, when this process ends.
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
    """Fills it up."""
    with open(self.path / "filler", "wb", buffering=0) as file:
      deadline = time.monotonic() + _WAIT_SECONDS
      while time.monotonic() < deadline:
        try:
          file.write(bytes(4096))
        except OSError:
          return
    raise AssertionError("the disk does not get full")

  def free(self) -> None:
    """Removes the data that `fill` wrote."""
    os.unlink(self.path / "filler")

  def close(self) -> None:
    """Ends the holder; the disk ends with the last process there."""
    self._holder.kill()
    self._holder.communicate()


def missing_rights() -> str:
  """Returns the reason why no disk can be made; empty if one can."""
  try:
    SmallDisk("/tmp", 1).close()
  except OSError as error:
    return str(error)
  return ""
