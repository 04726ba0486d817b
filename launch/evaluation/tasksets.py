"""Sets of tasks by name: files, probes, a run's task family."""

import collections
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Sequence

from adaland.envs.sampling import families, named, task_sets
from adaland.envs.tasks import json_files, probes
from adaland.envs.tasks.task import Task
from adaland.launch import cli, errors

# The sets of probes, by their number of players.
_PROBES = {"probe": 1, "two_player_probe": 2}
_PROBE = "probe:"
_SAMPLE = "sample:"


def one(spec: str, source: task_sets.TaskSet) -> Task:
  """Reads one task.

  Args:
    spec: A file, "probe:NAME", or "sample:INDEX".
    source: The tasks of "sample".

  Raises:
    UserError: If there is no such task, or its file breaks the format.
  """
  if spec.startswith(_PROBE):
    with errors.user_input():
      return probes.load(spec.removeprefix(_PROBE))
  if spec.startswith(_SAMPLE):
    index = spec.removeprefix(_SAMPLE)
    if not index.isdecimal() or int(index) > cli.MAX_SEED:
      raise errors.UserError(
        f"{spec}: {index!r} is not a number from 0 to {cli.MAX_SEED}; write "
        "sample:0, sample:1, ..."
      )
    with errors.user_input():
      return source.task(int(index))
  if not spec:
    raise errors.UserError(
      "an empty task; give a file, probe:NAME or sample:INDEX"
    )
  return _file(pathlib.Path(spec))


def _file(path: pathlib.Path) -> Task:
  if not path.exists():
    raise errors.UserError(
      f"{path}: no such task file (a file, probe:NAME or sample:INDEX)"
    )
  with errors.user_input():
    return json_files.load(path)


def many(
  spec: str,
  source: task_sets.TaskSet,
  num_tasks: int,
  what: str = "taskset",
) -> list[Task]:
  """Reads a set of tasks for evaluation.

  Args:
    spec: "test" (held out), "probe" (all probes), "two_player_probe", the name
      of a family, such as "traps" (its held-out half), a file, or a folder of
      files.
    source: The tasks of "test".
    num_tasks: Maximum number of tasks.
    what: Name of the argument that `spec` is.

  Raises:
    UserError: If there is no task, or a file breaks the format.
  """
  if named.is_named(spec):
    with errors.argument(what):
      source, spec = families.make(spec).held_out(), "test"
  if spec == "test":
    with errors.user_input():
      count = min(num_tasks, source.num_tasks)
      return [source.task(index) for index in range(count)]
  if spec in _PROBES:
    names = probes.names(_PROBES[spec])
    return [probes.load(name) for name in names[:num_tasks]]
  path = pathlib.Path(spec)
  # An empty path is that of the current folder.
  if not spec or not path.exists():
    raise errors.ArgumentError(
      f"{what}={spec}: no such file or folder; allowed: test, "
      f"{', '.join(_PROBES)}, "
      f"{', '.join(named.NAMES)}, a task file, or a folder of task files"
    )
  if not path.is_dir():
    return [_file(path)]
  files = sorted(path.glob("*.json"))
  if not files:
    raise errors.ArgumentError(f"{what}={spec}: there is no .json file in it")
  return [_file(file) for file in files[:num_tasks]]


def is_held_out(name: str) -> bool:
  """Returns True if a set named as in `many` is a family's held-out half."""
  return name == "test" or named.is_named(name)


def ids(tasks: Sequence[Task]) -> list[str]:
  """Returns a different name of each task for a report.

  Equal names are numbered, or all names if one already ends like that.
  """
  names = [task.name or "task" for task in tasks]
  count = collections.Counter(names)
  numbered = [f"{name} #{i}" for i, name in enumerate(names)]
  found = [
    name if count[name] == 1 else number
    for name, number in zip(names, numbered, strict=True)
  ]
  return found if len(set(found)) == len(found) else numbered


def fingerprint(tasks: Sequence[Task]) -> str:
  """Returns a hash of tasks that ignores their names and numbers of trials."""
  digest = hashlib.sha256()
  for task in tasks:
    plain = dataclasses.replace(task, name="", trials=1)
    # Hashes do not depend on the format version in which tasks are written.
    content = json_files.to_json(plain) | {"format": "adaland.task/1"}
    text = json.dumps(content, sort_keys=True)
    digest.update(f"{text}\n".encode())
  return digest.hexdigest()
