"""A limit of the size of files, which ends writes as a full disk does."""

import contextlib
import resource


@contextlib.contextmanager
def at(num_bytes):
  """Lets no file of this process grow beyond a size.

  Of a write across the limit, the kernel takes the part before it without an
  error; the next one is an OSError, as Python ignores the signal.
  """
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
