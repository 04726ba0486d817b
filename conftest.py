"""Settings that must be in place before the first import of JAX."""

import gc
import importlib.util
import math
import os
import signal
import sys

import pytest
from absl import flags

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
# The suite's many processes compile the same small programs: even those that
# take a few milliseconds are worth caching.
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
# Programs compile faster if they don't hold the Python line of each operation.
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")
os.environ.setdefault("JAX_INCLUDE_FULL_TRACEBACKS_IN_LOCATIONS", "0")

# Sets the folder of compiled programs, which all checkouts share, before JAX is
# imported.
from adaland.launch import caches

# JAX keeps a million objects alive, which Python would look through again and
# again for a twentieth of the suite's time.
gc.set_threshold(10_000, 20, 50)
# Modules with environments, learners and runs that several test files share.
_SHARED = (
  "tests.envs.fixtures",
  "tests.launch.roles.two_learners",
  "tests.launch.runtimes.single.configs",
)
# Tests of `launch` are `once`: commands, files, messages and pages don't differ
# with JAX or NumPy. Those of these folders, and of GPUs, do.
_LAUNCH = "tests/launch/"
_DIFFERENT = tuple(
  _LAUNCH + folder
  for folder in (
    "acting/",
    "agents/",
    "builder/",
    "evaluation/",
    "roles/",
    "runtimes/single/",
  )
)
# All tests with MuJoCo Warp run in one process, which compiles its kernels
# once, and take longer than any other group.
_LONGEST_GROUP = "warp"
_OPTIMIZE_LITTLE = "JAX_DISABLE_MOST_OPTIMIZATIONS"
_CHOSEN = os.environ.get(_OPTIMIZE_LITTLE)


def pytest_sessionstart(session):
  """Removes programs that nobody has used for a month, once a session."""
  if not hasattr(session.config, "workerinput"):
    caches.remove_unused(days=30)


@pytest.hookimpl(tryfirst=True)  # Before xdist reads the groups.
def pytest_collection_modifyitems(items):
  """Puts the longest first: Warp's tests, then the longest whole runs.

  The other tests of a file, or of files with the same programs, are kept
  together to share what their process has traced and compiled. Files with
  optimised programs come before those without: a process loses its compiled
  programs when it switches between the two.
  """
  optimized = {x.path for x in items if x.get_closest_marker("optimized")}
  items.sort(key=lambda item: _order(item, item.path in optimized))
  for item in items:
    if _is_once(item.path.relative_to(item.config.rootpath).as_posix()):
      item.add_marker(pytest.mark.once)
    if not any(item.get_closest_marker(x) for x in ("long", "xdist_group")):
      item.add_marker(pytest.mark.xdist_group(_group(item)))


def _is_once(path: str) -> bool:
  differs = path.startswith(_DIFFERENT) or path.endswith("_gpu_test.py")
  return path.startswith(_LAUNCH) and not differs


def _group(item) -> str:
  used = {getattr(x, "__name__", "") for x in vars(item.module).values()}
  return next((name for name in _SHARED if name in used), item.path.stem)


def _uses_warp(item) -> bool:
  group = item.get_closest_marker("xdist_group")
  return group is not None and group.args[0] == _LONGEST_GROUP


def _order(item, optimized: bool) -> float:
  if _uses_warp(item):
    return -math.inf
  mark = item.get_closest_marker("long")
  if mark is not None:
    return -mark.kwargs.get("seconds", 0)
  if optimized:
    return 1
  return 2 if _group(item) in _SHARED else 3


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
  """Makes JAX optimise little, except in tests marked `optimized`.

  The suite compiles many programs and runs each only briefly. This hook runs
  before the set-up of the test's class. If the user has set the environment
  variable, its value holds for all tests.
  """
  if _uses_warp(item) and importlib.util.find_spec("warp"):
    import warp

    # By default Warp inlines so much that its kernels take a third longer to
    # compile, and run no faster here.
    warp.config.cpu_compiler_flags = ""
  if _CHOSEN is not None:
    return
  little = str(int(item.get_closest_marker("optimized") is None))
  if little != os.environ.get(_OPTIMIZE_LITTLE):
    os.environ[_OPTIMIZE_LITTLE] = little  # For child processes.
    jax.config.update("jax_disable_most_optimizations", little == "1")
    jax.clear_caches()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
  """Fails a test that leaves SIGTERM ignored, as child processes inherit it."""
  if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pytest.fail(f"{item.nodeid} left SIGTERM ignored")


# absltest helpers such as create_tempdir need parsed flags under pytest.
flags.FLAGS(sys.argv[:1], known_only=True)

# Haiku stands in for a missing Flax with a module that raises on any attribute;
# Hypothesis asks every module for its `__file__` and would stop there.
import haiku  # noqa: E402, F401
import jax  # noqa: E402

sys.modules.pop("haiku.experimental.flax", None)
