"""A user's own parts of a run, imported and checked."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adaland.agent.memory.checks import check_memory
from adaland.curriculum.checks import check_curriculum
from adaland.envs import constants, land
from adaland.envs.expert.exploring import playable
from adaland.launch import errors
from adaland.launch.config import experiment, references
from adaland.launch.recipes import task_source

# Number of tasks of each half that are drawn before a run starts.
_TASKS = 3
# Maximum number of environments that are tried before a run starts. A run in
# one process with no more environments reuses the programs compiled here.
_MAX_ENVS = 64


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


def environment(
  config: experiment.ExperimentConfig,
) -> Callable[..., land.Land]:
  """Returns a function that makes environments, with the arguments of `Land`.

  Raises:
    UserError: If it can't be imported. The function raises it too, with the
      cause, if the user's own can't make environments.
  """
  make = find(config, "environment")
  if make is None:
    return land.Land
  what = _part(config, "environment")

  def checked(*args: Any) -> land.Land:
    try:
      made = make(*args)
    except errors.RunError:
      raise  # Not a fault of the part.
    except (Exception, SystemExit) as error:
      if errors.is_out_of_memory(error):
        raise
      raise _refusal(what, error) from error
    if not isinstance(made, land.Land):
      raise errors.UserError(
        f"{what}: returned {errors.shown(made)}, allowed: a Land"
      )
    return made

  return checked


def check(config: experiment.ExperimentConfig) -> None:
  """Imports and tries the user's parts before a run starts.

  Raises:
    UserError: If a part can't be imported, or breaks its contract.
  """
  config.factories.share()
  if config.factories.tasks:
    for held_out in (False, True):
      with _trying(config, "tasks"):
        source = task_source.TaskSource(config, held_out)
        for index in range(min(_TASKS, source.num_tasks)):
          source.task(index)
  make_memory = find(config, "memory")
  if make_memory is not None:
    with _trying(config, "memory"):
      check_memory(make_memory, config.network)
  make_curriculum = find(config, "curriculum")
  if make_curriculum is not None:
    with _trying(config, "curriculum"):
      check_curriculum(make_curriculum)
  if find(config, "environment") is not None:
    _check_environment(config)


def check_teachers(config: experiment.ExperimentConfig) -> None:
  """Checks that the scripted players of training can play its tasks.

  Raises:
    UserError: If one of them can't play one of the first tasks.
  """
  teaching, source = config.teaching, task_source.TaskSource(config)
  used = {}
  if teaching.labels == "actions":
    used["teacher"] = teaching.teacher
  if teaching.demonstrated:
    used["demonstrator"] = teaching.demonstrator
  for role, player in used.items():
    if player not in playable.CHECKS:
      continue
    for index in range(min(_TASKS, source.num_tasks)):
      task = source.task(index)
      try:
        playable.CHECKS[player](task)
      except ValueError as error:
        raise errors.UserError(
          f"teaching.{role}={player}: {error}, or teaching.{role}=expert, "
          "which plays other tasks too"
        ) from error


def _check_environment(config: experiment.ExperimentConfig) -> None:
  """Resets and steps a few of the user's environments, on the first task."""
  num_envs = min(config.actor.envs_per_actor, _MAX_ENVS)
  env = config.env.on_cpu()
  task = task_source.TaskSource(config).task(0)
  batch = (num_envs,) if env.num_players == 1 else (num_envs, env.num_players)
  noop = np.tile(np.asarray(constants.NOOP_ACTION), (*batch, 1))
  with _trying(config, "environment"):
    made = environment(config)(num_envs, env, lambda _: task, 0)
    _check_step(made.reset(), "reset", env, batch)
    _check_step(made.step(noop), "step", env, batch)


def _check_step(
  step: Any, method: str, env: land.LandConfig, batch: tuple[int, ...]
) -> None:
  """Raises ValueError unless a step is of the form that an agent takes.

  Args:
    step: A step of the user's environments.
    method: The method that returned it.
    env: Sizes of the environments.
    batch: First dimensions of observations and rewards, (N,) or (N, P).
  """
  if not isinstance(step, land.Step):
    raise ValueError(
      f"{method} returned {type(step).__name__}, allowed: a Step"
    )
  spec = land.observation_spec(env)
  if step.observation.keys() != spec.keys():
    raise ValueError(
      f"{method} returned the observations "
      f"{', '.join(sorted(step.observation))}, allowed: "
      f"{', '.join(sorted(spec))}"
    )
  for name, (shape, dtype) in spec.items():
    value = step.observation[name]
    form = f"{value.dtype}{[*value.shape]}"
    allowed = f"{dtype}{[*batch, *shape]}"
    if form != allowed:
      raise ValueError(
        f"{method} returned the observation {name!r} as {form}, allowed: "
        f"{allowed}"
      )
  for name in ("reward", "first", "last", "trial_last", "discount"):
    form = [*np.shape(getattr(step, name))]
    allowed = [*batch] if name == "reward" else [*batch[:1]]
    if form != allowed:
      raise ValueError(
        f"{method} returned {name} with the shape {form}, allowed: {allowed}"
      )


def _part(config: experiment.ExperimentConfig, name: str) -> str:
  """Returns the name of a user's part for errors, with its recipe if any."""
  factories = config.factories
  of = f" (recipe {factories.recipe})" if factories.recipe else ""
  return f"factories.{name}: {getattr(factories, name)}{of}"


def _refusal(what: str, error: BaseException) -> errors.UserError:
  """Returns the error for a part that raised `error`."""
  is_plain = isinstance(error, errors.UserError)
  reason = str(error) if is_plain else errors.describe(error)
  return errors.UserError(f"{what}: {reason}")


@contextlib.contextmanager
def _trying(config: experiment.ExperimentConfig, name: str) -> Iterator[None]:
  """Turns errors that a user's part raises into UserErrors that name it."""
  what = _part(config, name)
  try:
    with errors.user_input(what):
      yield
  except errors.UserError:
    raise
  except (Exception, SystemExit) as error:
    # The part is the user's and may raise any error.
    raise _refusal(what, error) from error
