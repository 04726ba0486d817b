"""rlax, imported without TensorFlow.

rlax imports distrax, which imports TensorFlow Probability's JAX substrate,
which imports TensorFlow, if installed, to copy docstrings: seconds of start-up
time and hundreds of megabytes for nothing. A `None` in `sys.modules` makes that
import fail immediately, which TensorFlow Probability handles.
"""

import sys

if "tensorflow" in sys.modules:
  import rlax
else:
  # pyrefly: ignore[unsupported-operation]  # None is how an import is blocked.
  sys.modules["tensorflow"] = None
  try:
    import rlax
  finally:
    del sys.modules["tensorflow"]

__all__ = ["rlax"]
