"""Loads Reverb's C++ client and server without TensorFlow's Python.

`reverb/libpybind.so` needs one shared library of TensorFlow and none of its
Python. Loading just the two takes 0.15 s and 65 MB; `import reverb` takes 3 to
10 s and 500 MB in every actor process. This relies on the content of two
wheels, so it is done only for tested versions; all others use the plain import.
"""

import ctypes
import importlib.metadata
import importlib.util
import logging
import os
import sys
from types import ModuleType

# Silences the library's start-up messages (from oneDNN).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy  # noqa: F401  The library crashes if loaded before NumPy.

_MODULE = "reverb.libpybind"
TESTED = (("dm-reverb", "0.14.0"), ("tensorflow-cpu", "2.15.1"))


def load(tested: tuple[tuple[str, str], ...] = TESTED) -> ModuleType:
  """Returns Reverb's low-level module: Client, Server, Table and so on.

  Args:
    tested: Distributions and versions for which only the two libraries are
      loaded.
  """
  if _MODULE in sys.modules:
    return sys.modules[_MODULE]
  if all(_installed(name) == version for name, version in tested):
    try:
      return _load_alone()
    except (OSError, ImportError) as error:
      logging.warning("Reverb does not load without TensorFlow: %s", error)
  from reverb import pybind

  return pybind


def _load_alone() -> ModuleType:
  """Loads the two libraries; a later `import reverb` shares them."""
  # RTLD_LOCAL, the default, is required: with global symbols it crashes.
  ctypes.CDLL(
    os.path.join(_folder("tensorflow"), "libtensorflow_framework.so.2")
  )
  path = os.path.join(_folder("reverb"), "libpybind.so")
  spec = importlib.util.spec_from_file_location(_MODULE, path)
  if spec is None or spec.loader is None:
    raise ImportError(f"{path} is not a Python extension.")
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  sys.modules[_MODULE] = module
  return module


def _folder(package: str) -> str:
  """Returns a package's folder, without importing it."""
  spec = importlib.util.find_spec(package)
  if spec is None or not spec.submodule_search_locations:
    raise ImportError(f"{package} is not installed.")
  return next(iter(spec.submodule_search_locations))


def _installed(distribution: str) -> str | None:
  try:
    return importlib.metadata.version(distribution)
  except importlib.metadata.PackageNotFoundError:
    return None
