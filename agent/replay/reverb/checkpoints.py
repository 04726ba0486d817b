"""The folders of a Reverb server's checkpoints."""

import os
import shutil

# Name of the checkpoint to be replaced; sorts before any year.
_BEFORE = "0"


def whole(root: str) -> list[str]:
  """Returns the names of a folder's complete checkpoints, in Reverb's order."""
  found = sorted(os.listdir(root)) if os.path.isdir(root) else []
  return [
    name for name in found if os.path.exists(os.path.join(root, name, "DONE"))
  ]


def step_back(root: str) -> None:
  """Renames the newest checkpoint so that it sorts before all of Reverb's.

  Reverb names checkpoints by date and time, keeps the last by name and removes
  the others: after the clock is set back, it would remove each checkpoint that
  it has just written.
  """
  found = whole(root)
  if not found:
    return
  # Remains of a server that died while writing or removing a checkpoint.
  for name in os.listdir(root):
    if name != found[-1]:
      shutil.rmtree(os.path.join(root, name), ignore_errors=True)
  os.rename(os.path.join(root, found[-1]), os.path.join(root, _BEFORE))
