"""Whose checkpoint it is: that of one process holds other things."""

from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors

_FIELD = "launcher"
# What a checkpoint that names none was written by.
_PROCESSES = "local"


def launcher(name: str) -> dict[str, Any]:
  """What a checkpoint says of the launcher that wrote it."""
  return {_FIELD: name}


def check_launcher(folder: str, name: str = _PROCESSES) -> None:
  """Refuses to go on from a checkpoint of the other kind of launcher.

  Args:
    folder: Of the run's checkpoints, of which there is one.
    name: Who wants to go on; the default stands for all of many processes.

  Raises:
    UserError: If the newest is not one of its own.
    ValueError: If it is broken.
  """
  found = checkpoint.read_run(folder).get(_FIELD, _PROCESSES)
  if found != name:
    raise errors.UserError(
      f"{folder}: the run there was begun with --launcher={found}; go on with "
      "that, or in another directory"
    )
