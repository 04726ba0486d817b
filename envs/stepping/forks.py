"""Refusal of environments in a fork of a process that has some.

A fork has a copy of all locks, but only one of the threads that would release
them, so JAX waits there for ever.
"""

import os


class Guard:
  """A guard that lets only one process and no fork of it make environments."""

  def __init__(self):
    self._first: int | None = None  # The process that made the first ones.

  def check(self) -> None:
    """Notes this process if it is the first one.

    Raises:
      RuntimeError: If this process is a fork of the first one.
    """
    if self._first is None:
      self._first = os.getpid()
    if self._first != os.getpid():
      raise RuntimeError(
        "this process is a fork of one that has environments, in which JAX "
        'would wait for ever; start processes with the method "spawn", such as '
        'gymnasium.make_vec(..., vector_kwargs={"context": "spawn"})'
      )


# The guard of this process and of those forked from it.
GUARD = Guard()
