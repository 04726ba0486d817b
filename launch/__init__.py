"""Configurations, presets and the commands.

JAX reads its settings when it is first imported, which the commands' own
imports do: so those that differ from JAX's defaults are made here.
"""

import os

# Compiled programs are kept between runs: a second start is quicker.
os.environ.setdefault(
  "JAX_COMPILATION_CACHE_DIR",
  os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
    "adaland",
    "jax",
  ),
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
