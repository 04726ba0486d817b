"""Entry points of `gymnasium.make` and `gymnasium.make_vec`.

Each id names a source of tasks. Keyword arguments are those of the source and
the fields of `LandConfig`::

  gymnasium.make("adaland:adaland/Probe-v0", probe="dont-act")
  gymnasium.make("adaland:adaland/File-v0", file="task.json")
  gymnasium.make_vec("adaland:adaland/Train-v0", num_envs=8, num_slots=8)
  gymnasium.make("adaland:adaland/Test-v0", tasks=SamplerConfig(levels=(1, 1)))
"""

import dataclasses
import inspect
import os
from typing import Any

from adaland.envs import land
from adaland.envs.adaptors import gymnasium_env, gymnasium_vector
from adaland.envs.sampling import families, task_sets
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import json_files, probes


def probe_tasks(probe: str) -> task_sets.TaskSet:
  """Returns a probe by its name."""
  if not isinstance(probe, str):
    raise ValueError(f"probe is {probe!r}, allowed: a probe's name")
  return task_sets.TaskList((probes.load(probe),))


def file_tasks(file: str | os.PathLike[str]) -> task_sets.TaskSet:
  """Returns the task of a file."""
  return task_sets.TaskList((json_files.load(file),))


def training_tasks(tasks: Any = None) -> task_sets.TaskSet:
  """Returns a family's training half.

  Args:
    tasks: Argument of `families.make`; None is the default SamplerConfig.
  """
  return _family(tasks).training()


def held_out_tasks(tasks: Any = None) -> task_sets.TaskSet:
  """Returns a family's held-out half; see `training_tasks`."""
  return _family(tasks).held_out()


# Functions that return the tasks, by the id's name.
SOURCES = {
  "Probe": probe_tasks,
  "File": file_tasks,
  "Train": training_tasks,
  "Test": held_out_tasks,
}


def make(
  source: str, render_mode: str | None = None, **arguments: Any
) -> gymnasium_env.LandEnv:
  """Makes one environment.

  Args:
    source: Key of `SOURCES`.
    render_mode: None or "rgb_array".
    **arguments: Arguments of the source and fields of `LandConfig`.

  Raises:
    ValueError: If a value is not allowed, or there is no such task.
    TypeError: If an argument is missing or unknown.
  """
  tasks, config = _read(source, arguments)
  return gymnasium_env.LandEnv(tasks, config, render_mode)


def make_vec(
  source: str,
  num_envs: int = 1,
  render_mode: str | None = None,
  **arguments: Any,
) -> gymnasium_vector.LandVectorEnv:
  """Makes a batch of environments; see `make`."""
  tasks, config = _read(source, arguments)
  return gymnasium_vector.LandVectorEnv(
    num_envs, tasks, config, render_mode=render_mode
  )


def _family(tasks: Any) -> families.TaskFamily:
  return families.make(SamplerConfig() if tasks is None else tasks)


def _read(
  source: str, arguments: dict[str, Any]
) -> tuple[task_sets.TaskSet, land.LandConfig]:
  own = inspect.signature(SOURCES[source]).parameters
  names = [field.name for field in dataclasses.fields(land.LandConfig)]
  for name in arguments:
    if name not in (*own, *names):
      raise TypeError(
        f"adaland/{source}-v0 has no keyword {name!r}, allowed: "
        f"{', '.join([*own, *names])}"
      )
  for name, parameter in own.items():
    if parameter.default is parameter.empty and name not in arguments:
      raise TypeError(f"adaland/{source}-v0 needs the keyword {name!r}")
  sizes = {key: value for key, value in arguments.items() if key in names}
  rest = {key: value for key, value in arguments.items() if key in own}
  return SOURCES[source](**rest), land.LandConfig(**sizes)
