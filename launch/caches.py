"""Folders of compiled programs, which make a second start quick."""

import hashlib
import os
import pathlib
import platform
import time


def jax_folder() -> pathlib.Path | None:
  """Returns the folder of JAX's programs, in the user's cache directory.

  None if the user has no home directory, as in some containers.
  Its name depends on the processor: machines may share a home directory, and
  code for one processor may not run on another.
  """
  base = os.environ.get("XDG_CACHE_HOME")
  if not base:
    try:
      base = pathlib.Path.home() / ".cache"
    except RuntimeError:
      return None
  machine = [platform.machine(), *_processor_flags()]
  name = hashlib.sha256(" ".join(machine).encode()).hexdigest()[:12]
  return pathlib.Path(base) / "adaland" / f"jax-{name}"


def remove_unused(days: float) -> None:
  """Removes those of JAX's programs that were last read that long ago.

  JAX itself removes programs only from a cache that all its processes lock.

  Args:
    days: days since a program was read, or written if the file system doesn't
      keep the time of reading.
  """
  folder = jax_folder()
  oldest = time.time() - days * 86_400
  for path in folder.glob("*-cache") if folder else ():
    try:
      if path.stat().st_atime < oldest:
        path.unlink()
        # JAX 0.4 writes a second file beside it.
        name = path.name.removesuffix("cache") + "atime"
        path.with_name(name).unlink(missing_ok=True)
    except FileNotFoundError:
      pass  # Another process removed it.


def _processor_flags() -> list[str]:
  try:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    return []
  flags = [line for line in lines if line.startswith(("flags", "Features"))]
  return flags[:1]
