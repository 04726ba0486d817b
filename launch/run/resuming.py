"""The launcher that wrote a checkpoint, whose content depends on it."""

from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors

_FIELD = "launcher"
# The launcher of checkpoints that do not name one.
_PROCESSES = "local"


def launcher(name: str) -> dict[str, Any]:
  """Returns the entry of a checkpoint that names its launcher."""
  return {_FIELD: name}


def check_launcher(folder: str, name: str = _PROCESSES) -> None:
  """Refuses to resume from a checkpoint of the other kind of launcher.

  Args:
    folder: The folder of the run's checkpoints, which is not empty.
    name: The launcher that resumes; the default stands for all launchers of
      many processes.

  Raises:
    UserError: If another kind of launcher wrote the newest checkpoint.
    ValueError: If the checkpoint is broken.
  """
  found = checkpoint.read_run(folder).get(_FIELD, _PROCESSES)
  if found != name:
    raise errors.UserError(
      f"{folder}: the run there was begun with --launcher={found}; resume "
      "it with that, or choose another directory"
    )
