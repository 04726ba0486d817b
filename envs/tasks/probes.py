"""The 30 hand-written single-player probe tasks.

Each is a task file in `envs/probes/`. AdA (arXiv 2301.07608) describes each
in a line; the worlds and the details are ours.
"""

import difflib
import pathlib

from adaland.envs.tasks import json_files
from adaland.envs.tasks.task import Task

_FOLDER = pathlib.Path(__file__).parents[1] / "probes"


def names() -> tuple[str, ...]:
  """Returns the names of all probes, sorted."""
  return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def load(name: str) -> Task:
  """Reads one probe.

  Args:
    name: One of `names()`.

  Returns:
    The task.

  Raises:
    ValueError: If there is no probe of this name.
  """
  known = names()
  if name not in known:
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.4) or known
    raise ValueError(
      f"no probe is named {name!r}; the nearest names are: {', '.join(near)}"
    )
  return json_files.load(_FOLDER / f"{name}.json")
