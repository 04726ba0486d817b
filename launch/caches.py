"""Where compiled programs are kept, so that a second start is quick."""

import hashlib
import os
import pathlib
import platform


def jax_folder() -> pathlib.Path:
  """Where JAX's programs are kept: in the user's cache directory.

  Its name tells machines apart, for a home directory may be shared and code
  for one processor not run on another.
  """
  base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
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
