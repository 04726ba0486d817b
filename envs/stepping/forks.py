"""Refusal of environments in a fork of a process that has some.

A fork has a copy of all locks, but only one of the threads that would release
them, so JAX waits there for ever.
"""

import os


class _Process:
  """The first process that made environments.

  Attributes:
    id: Its number; None before there are any.
  """

  id: int | None = None


def check() -> None:
  """Raises RuntimeError if a parent has environments; notes this process.

  Raises:
    RuntimeError: If this process is a fork of one that called this function.
  """
  if _Process.id is None:
    _Process.id = os.getpid()
  if _Process.id != os.getpid():
    raise RuntimeError(
      "this process is a fork of one that has environments, in which JAX would "
      'wait for ever; start processes with the method "spawn", such as '
      'gymnasium.make_vec(..., vector_kwargs={"context": "spawn"})'
    )
