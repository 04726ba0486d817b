"""Configurations, presets and the commands.

JAX reads its settings when it is first imported, and the commands import it, so
settings that differ from JAX's defaults are set here.
"""

import os

from adaland.launch import caches

# Compiled programs are cached between runs, which makes later starts quicker.
# Warp itself keeps its kernels in the user's cache directory.
_folder = caches.jax_folder()
if _folder is not None:
  os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_folder))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
