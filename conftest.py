"""Settings that must be in place before the first import of JAX."""

import os
import sys

from absl import flags

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault(
  "JAX_COMPILATION_CACHE_DIR",
  os.path.join(os.path.dirname(os.path.abspath(__file__)), ".jax_cache"),
)
# Many processes of a suite compile the same small programs: even those that
# take some milliseconds are worth keeping.
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def pytest_collection_modifyitems(items):
  """Puts the tests of whole runs first."""
  items.sort(key=lambda item: item.get_closest_marker("long") is None)


# absltest helpers such as create_tempdir need parsed flags under pytest.
flags.FLAGS(sys.argv[:1], known_only=True)

# Haiku stands in for a missing Flax with a module that raises on any attribute;
# Hypothesis asks every module for its `__file__` and would stop there.
import haiku  # noqa: E402, F401

sys.modules.pop("haiku.experimental.flax", None)
