"""The pool of the agent's snapshots, which play as co-players.

Each snapshot is a safetensors file, written once. A checkpoint names its
snapshots and is written after their files, so the newest checkpoint finds them
whenever the process is killed. Files that no checkpoint needs are removed after
the next one.
"""

import os
import pathlib
from collections.abc import Collection
from typing import Any

from adaland.agent import types
from adaland.agent.checkpoint import weights
from adaland.curriculum import coplayers
from adaland.launch import errors, output

FOLDER = "coplayers"


class SnapshotPool:
  """The newest snapshots of the agent.

  Args:
    config: Settings of the co-players.
    folder: The run's directory.
    template: Structure, shapes and dtypes of the parameters.
  """

  def __init__(
    self,
    config: coplayers.CoplayersConfig,
    folder: str | os.PathLike[str],
    template: types.Params,
  ):
    self._config = config
    self._folder = pathlib.Path(folder) / FOLDER
    self._template = template
    self._params: dict[int, types.Params] = {}
    # Snapshots due so far, kept or not.
    self._taken = 0
    # Snapshots that the last checkpoint but one may name.
    self._needed_before: set[int] = set()

  @property
  def params(self) -> dict[int, types.Params]:
    """Parameters by the snapshot's number, oldest first."""
    return dict(self._params)

  @property
  def numbers(self) -> list[int]:
    """Numbers of the snapshots, ascending."""
    return list(self._params)

  def is_due(self, updates: int) -> bool:
    """Returns True if `offer` would take a snapshot after this many updates."""
    return updates // self._config.snapshot_updates > self._taken

  def offer(self, updates: int, params: types.Params) -> bool:
    """Adds a snapshot of the agent if one is due.

    Args:
      updates: Learner updates that made the parameters.
      params: The parameters, which must not change later.

    Returns:
      True if it was added.

    Raises:
      OSError: If its file can't be written.
    """
    if not self.is_due(updates):
      return False
    self._taken = updates // self._config.snapshot_updates
    if not self._config.pool_size:
      return False
    number = coplayers.FIRST_SNAPSHOT + self._taken - 1
    self._folder.mkdir(exist_ok=True)
    output.write_atomically(str(self._path(number)), weights.encode(params))
    self._params[number] = params
    while len(self._params) > self._config.pool_size:
      del self._params[next(iter(self._params))]
    return True

  def get(self, number: int) -> types.Params:
    """Returns the parameters of a snapshot, from its file if not in the pool.

    Raises:
      UserError: If the file is missing or broken.
    """
    if number in self._params:
      return self._params[number]
    path = self._path(number)
    with errors.user_input(str(path)):
      return weights.read(path, self._template)

  def tidy(self, playing: Collection[int] = ()) -> None:
    """Removes files that no checkpoint needs; call it after writing one.

    Args:
      playing: Numbers of snapshots that the checkpoint's episodes need.
    """
    needed = {*self._params, *playing}
    kept = {self._path(number) for number in needed | self._needed_before}
    self._needed_before = needed
    if self._folder.is_dir():
      for path in self._folder.iterdir():
        if path not in kept:
          path.unlink(missing_ok=True)

  def state_dict(self) -> dict[str, Any]:
    """Returns the state that a checkpoint keeps in addition to the files."""
    return {"taken": self._taken, "snapshots": self.numbers}

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores the state that `state_dict` returned, from the files.

    Raises:
      UserError: If a file is missing or broken.
    """
    self._taken = int(state["taken"])
    self._params = {}
    for number in state["snapshots"]:
      self._params[int(number)] = self.get(int(number))
    self._needed_before = set(self._params)

  def _path(self, number: int) -> pathlib.Path:
    name = f"{number - coplayers.FIRST_SNAPSHOT}.safetensors"
    return self._folder / name
