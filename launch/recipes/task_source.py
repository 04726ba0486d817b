"""The tasks of a run: one half of its task family, by index."""

import dataclasses
import functools
import inspect
import pathlib
from collections.abc import Hashable
from typing import Any

from adaland.envs import land_types
from adaland.envs.sampling import families, task_sets
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.config import experiment, references

# Name, modification time and size of each file of a folder.
Stamp = tuple[tuple[str, int, int], ...]


@dataclasses.dataclass(frozen=True)
class TaskSource:
  """Tasks by index, each checked against the run's environments.

  It may be sent to other processes, which import the family themselves.

  Attributes:
    config: The run's config.
    held_out: Whether the tasks are of the half that is never trained on.
    stamp: The current state of a folder's files; empty for other families.
  """

  config: experiment.ExperimentConfig
  held_out: bool = False
  stamp: Stamp = dataclasses.field(init=False)

  def __post_init__(self):
    object.__setattr__(self, "stamp", _stamp(self.config))

  @property
  def num_tasks(self) -> int:
    """Number of tasks, some of which may be equal."""
    return self._tasks.num_tasks

  @property
  def _tasks(self) -> task_sets.TaskSet:
    code = self.config.factories.code.get("tasks")
    found = references.resolve(code, "factories.tasks") if code else None
    # A method is another object each time it is read.
    key = found if inspect.isroutine(found) else _Same(found)
    return _half(self.config, self.held_out, self.stamp, key)

  def task(self, index: int) -> Task:
    """Returns the task of an index, which is taken modulo `num_tasks`.

    Raises:
      UserError: If the family returns no task, or one that does not fit.
    """
    tasks = self._tasks
    if not self.config.factories.tasks:
      return tasks.task(index)
    with errors.user_input("factories.tasks"):
      task = tasks.task(index)
    check_room(task, self.config.env, "the run's")
    check_length(task, self.config)
    return task


def family(config: experiment.ExperimentConfig) -> families.TaskFamily:
  """Returns the run's task family: the user's, or the one `tasks` describes.

  Raises:
    UserError: If the user's family can't be imported or made.
  """
  reference = config.factories.tasks
  if not reference:
    return families.make(config.tasks)
  what = "factories.tasks"
  with errors.user_input(what):
    if config.factories.has_folder:
      return families.make(reference)
    found = references.resolve(reference, what)
    return families.make(found() if _is_factory(found) else found)


def _is_factory(found: Any) -> bool:
  """Returns whether a family is made by a call without arguments."""
  if isinstance(found, type):
    return True
  if isinstance(found, families.TaskFamily) or not callable(found):
    return False
  # A function of an index may have a default index.
  return _takes(found) and not _takes(found, 0)


def _takes(function: Any, *args: int) -> bool:
  """Returns whether a function can be called with these arguments alone."""
  try:
    inspect.signature(function).bind(*args)
  except TypeError:
    return False
  return True


def _stamp(config: experiment.ExperimentConfig) -> Stamp:
  """Returns the stamp of a config's folder of tasks; empty if it has none."""
  if not config.factories.has_folder:
    return ()
  found = []
  with errors.user_input("factories.tasks"):
    for path in sorted(pathlib.Path(config.factories.tasks).glob("*.json")):
      stat = path.stat()
      found.append((path.name, stat.st_mtime_ns, stat.st_size))
  return tuple(found)


class _Same:
  """A value that equals only itself, and need not be hashable."""

  def __init__(self, value: object):
    self._value = value

  def __eq__(self, other: object) -> bool:
    return isinstance(other, _Same) and self._value is other._value

  def __hash__(self) -> int:
    return id(self._value)


@functools.lru_cache(8)
def _half(
  config: experiment.ExperimentConfig,
  held_out: bool,
  stamp: Stamp,
  code: Hashable,
) -> task_sets.TaskSet:
  """Returns a half of a config's family.

  It is cached until the folder changes, or the object that the user's reference
  names is another one, as after a cell of a notebook ran again.
  """
  del stamp, code
  whole = family(config)
  with errors.user_input("factories.tasks"):
    return half(whole, held_out)


def half(whole: families.TaskFamily, held_out: bool) -> task_sets.TaskSet:
  """Returns the held-out or the training half of a family.

  Raises:
    UserError: If the half, which may be a user's, has no task.
  """
  tasks = whole.held_out() if held_out else whole.training()
  if tasks.num_tasks < 1:
    name = "held-out" if held_out else "training"
    raise errors.UserError(
      f"the {name} half has {tasks.num_tasks} tasks, allowed: 1 or more"
    )
  return tasks


def check_room(task: Task, env: land_types.LandConfig, whose: str) -> None:
  """Checks that environments have room for a task.

  Args:
    task: The task.
    env: Sizes of the environments.
    whose: Owner of the environments, for the message.

  Raises:
    UserError: If the task has more objects, players or rules than they take.
  """
  for what, given, most in (
    ("objects", task.num_objects, env.num_slots),
    ("rules", len(task.rules), env.max_rules),
  ):
    if given > most:
      raise errors.UserError(
        f"task {task.name!r} has {given} {what}; {whose} environments hold at "
        f"most {most}"
      )
  if len(task.players) > env.num_players:
    raise errors.UserError(
      f"task {task.name!r} has {len(task.players)} players; {whose} "
      f"environments have {env.num_players}"
    )


def check_length(task: Task, config: experiment.ExperimentConfig) -> None:
  """Raises UserError if unrolls are whole episodes and an episode is longer."""
  steps = task.trials * task.trial_steps
  if config.whole_episodes and steps > config.longest_episode:
    limits = (
      "tasks.family"
      if config.tasks.family
      else "tasks.trials and tasks.trial_seconds"
    )
    raise errors.UserError(
      f"task {task.name!r} lasts {steps} steps, allowed: "
      f"{config.longest_episode}, the longest episode of {limits} (longer ones "
      "also need a larger actor.unroll_length)"
    )
