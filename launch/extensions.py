"""A user's own parts of a run, imported and checked."""

from collections.abc import Callable
from typing import Any

from adaland.curriculum import base as curriculum_base
from adaland.envs import land
from adaland.launch import errors, task_source
from adaland.launch.config import experiment, references

# Tasks that are drawn of each half before a run starts.
_TASKS = 3
_CURRICULUM_METHODS = (
  "next_tasks",
  "report",
  "state_dict",
  "load_state_dict",
  "metrics",
)


def find(config: experiment.ExperimentConfig, name: str) -> Any:
  """Returns a user's class or function; None if the platform's part is used.

  Args:
    config: The run's config.
    name: Field of `FactoriesConfig`.

  Raises:
    UserError: If it can't be imported, or can't be called.
  """
  reference = getattr(config.factories, name)
  if not reference:
    return None
  found = references.resolve(reference, f"factories.{name}")
  if not callable(found):
    raise errors.UserError(
      f"factories.{name}: {reference} is {errors.shown(found)}, allowed: a "
      "class or function"
    )
  return found


def curriculum(
  config: experiment.ExperimentConfig, sample_task: Callable[[int], Any]
) -> curriculum_base.Curriculum | None:
  """Makes the user's curriculum; None if there is none.

  Args:
    config: The run's config.
    sample_task: Gives the task of an index in [0, POOL_SIZE).

  Raises:
    UserError: If it lacks a method.
  """
  make = find(config, "curriculum")
  if make is None:
    return None
  made = make(sample_task, config.run.seed)
  lacking = [
    name
    for name in _CURRICULUM_METHODS
    if not callable(getattr(made, name, None))
  ]
  if lacking:
    raise errors.UserError(
      f"factories.curriculum: {config.factories.curriculum} lacks "
      f"{', '.join(lacking)}; a curriculum has "
      f"{', '.join(_CURRICULUM_METHODS)}"
    )
  return made


def environment(
  config: experiment.ExperimentConfig,
) -> Callable[..., land.Land]:
  """Returns what makes a batch of environments, called as `Land` is.

  Raises:
    UserError: If it can't be imported.
  """
  make = find(config, "environment")
  if make is None:
    return land.Land

  def checked(*args: Any) -> land.Land:
    made = make(*args)
    if not isinstance(made, land.Land):
      raise errors.UserError(
        f"factories.environment: {config.factories.environment} returned "
        f"{errors.shown(made)}, allowed: a Land"
      )
    return made

  return checked


def check(config: experiment.ExperimentConfig) -> None:
  """Imports and tries the user's parts before a run starts.

  Raises:
    UserError: If one can't be imported, or is not what it has to be.
  """
  config.factories.share()
  for held_out in (False, True) if config.factories.tasks else ():
    source = task_source.TaskSource(config, held_out)
    for index in range(min(_TASKS, source.num_tasks)):
      source.task(index)
  curriculum(config, lambda index: index)
  environment(config)
