"""The hand-written probe tasks: 30 for one player, 28 for two.

Each is a task file in `envs/probes/`, or in its folder `two_players` for two
players. AdA (arXiv 2301.07608) describes each in one line; the worlds and the
details are Adaland's.
"""

import difflib
import pathlib

from adaland.envs.tasks import json_files
from adaland.envs.tasks.task import Task

_FOLDER = pathlib.Path(__file__).parents[1] / "probes"
_FOLDERS = {1: _FOLDER, 2: _FOLDER / "two_players"}


def names(num_players: int = 1) -> tuple[str, ...]:
  """Returns the names of all probes for one or two players, sorted."""
  folder = _FOLDERS[num_players]
  return tuple(sorted(path.stem for path in folder.glob("*.json")))


def load(name: str) -> Task:
  """Reads one probe.

  Args:
    name: One of `names()`.

  Returns:
    The task.

  Raises:
    ValueError: If there is no probe of this name.
  """
  known = {
    probe: folder
    for num_players, folder in _FOLDERS.items()
    for probe in names(num_players)
  }
  if name not in known:
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.4) or known
    raise ValueError(
      f"no probe is named {name!r}; the nearest names are: {', '.join(near)}"
    )
  return json_files.load(known[name] / f"{name}.json")
