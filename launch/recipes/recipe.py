"""Experiments and recipes: functions that return an experiment."""

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, Unpack

from adaland.envs.sampling import named
from adaland.launch import errors
from adaland.launch.config import experiment, factories, overrides, references


@dataclasses.dataclass(frozen=True)
class Experiment:
  """The complete description of a run: settings, and the user's own parts.

  Each part is a class or function at the top level of a module, or a reference
  to one ("my_module:EMA"), since every process of a run imports it itself.

  Example::

    import adaland

    experiment = adaland.Experiment(
      adaland.presets.laptop().config, memory="my_module:EMA"
    )
    adaland.train(experiment, "runs/ema")

  Attributes:
    config: The settings.
    memory: Called with a `NetworkConfig`; returns a Haiku module with
      `initial_state`, `step` and `unroll` (see `adaland.agent.memory.base`).
    curriculum: Called with a function from an index to a task, and a seed;
      returns a `Curriculum` (see `adaland.curriculum.base`).
    environment: Called with the arguments of `adaland.envs.land.Land`; returns
      a `Land`. Agents are trained and evaluated in it.
    tasks: A function from an index to a `Task`, a class or function without
      arguments that makes a `TaskFamily`, a folder of task files, or the name
      of a family, as in the setting `tasks.family`.
  """

  config: experiment.ExperimentConfig
  memory: Callable[..., Any] | str | None = None
  curriculum: Callable[..., Any] | str | None = None
  environment: Callable[..., Any] | str | None = None
  tasks: Callable[..., Any] | str | os.PathLike[str] | None = None

  def __post_init__(self):
    if not isinstance(self.config, experiment.ExperimentConfig):
      raise errors.UserError(
        f"config is {_kind(self.config)}, allowed: an ExperimentConfig, such "
        "as adaland.presets.laptop().config"
      )

  def resolved(self, recipe: str = "") -> experiment.ExperimentConfig:
    """Returns the settings with references to the parts in `factories`.

    Args:
      recipe: Reference to the function that returned the experiment, to record
        it.

    Raises:
      UserError: If other processes could not import a part.
    """
    found = {"recipe": recipe} if recipe else {}
    config = self.config
    for name in factories.NAMES:
      value = getattr(self, name)
      if value is None:
        continue
      if name == "tasks" and isinstance(value, str) and named.is_named(value):
        found[name] = ""
        config = overrides.update(config, {"tasks.family": value})
      elif name == "tasks" and _is_folder(value):
        found[name] = os.path.abspath(value)
      elif name == "tasks" and isinstance(value, str):
        found[name] = _tasks_reference(value)
      else:
        found[name] = references.of(value, name)
    parts = dataclasses.replace(config.factories, **found)
    return dataclasses.replace(config, factories=parts)


class Parts(TypedDict, total=False):
  """The parts of an `Experiment` as keyword arguments."""

  memory: Callable[..., Any] | str
  curriculum: Callable[..., Any] | str
  environment: Callable[..., Any] | str
  tasks: Callable[..., Any] | str | os.PathLike[str]


def _is_folder(value: Any) -> bool:
  """Returns whether tasks are given by a path, not by a reference."""
  return isinstance(value, os.PathLike) or (
    isinstance(value, str)
    and ((":" not in value and os.sep in value) or os.path.isdir(value))
  )


def _tasks_reference(text: str) -> str:
  """Checks a reference to tasks; raises UserError if it has another form."""
  try:
    return references.of(text, "tasks")
  except errors.UserError as error:
    # Most often it is the misspelt name of a family.
    raise errors.UserError(
      f"{error}, and there is {named.unknown(text)}"
    ) from error


def make(
  config: experiment.ExperimentConfig,
  settings: Mapping[str, Any] | None = None,
  **parts: Unpack[Parts],
) -> Experiment:
  """Returns an experiment of a config with some settings changed.

  Args:
    config: The settings to start from.
    settings: New values by dotted name, e.g. {"learner.learning_rate": 1e-3}.
    **parts: As in `Experiment`.

  Raises:
    UserError: If there is no such setting, or a value does not fit.
  """
  return Experiment(overrides.update(config, settings or {}), **parts)


def load(reference: str) -> experiment.ExperimentConfig:
  """Calls a recipe and returns the experiment's resolved config.

  Args:
    reference: "module:function", or "script.py:function".

  Raises:
    UserError: If it can't be imported or called, or returns something else.
  """
  what = f"--recipe={reference}"
  place, colon, name = reference.rpartition(":")
  if colon and place.endswith(".py"):
    reference = f"{os.path.abspath(place)}:{name}"
  # `python -m` has the current folder on the path; the command does not.
  if os.getcwd() not in sys.path and "" not in sys.path:
    sys.path.insert(0, os.getcwd())
  function = references.resolve(reference, what)
  if not callable(function):
    raise errors.UserError(
      f"{what}: is {errors.shown(function)}, allowed: a function that returns "
      "an Experiment"
    )
  try:
    made = function()
  except errors.UserError as error:
    raise errors.UserError(f"{what}: {error}") from error
  except (Exception, SystemExit) as error:
    # The function is the user's and may raise any error.
    raise errors.UserError(f"{what}: {errors.describe(error)}") from error
  if not isinstance(made, Experiment):
    raise errors.UserError(
      f"{what}: returned {_kind(made)}, allowed: an Experiment"
    )
  with errors.user_input(what):
    return made.resolved(reference)


def _kind(value: Any) -> str:
  """Returns a value if it is short, else the name of its type."""
  text = errors.shown(value)
  return text if len(text) < 20 else type(value).__name__
