"""Folders of compiled programs, which make a second start quick."""

import hashlib
import os
import pathlib
import platform


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


def _processor_flags() -> list[str]:
  try:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    return []
  flags = [line for line in lines if line.startswith(("flags", "Features"))]
  return flags[:1]
