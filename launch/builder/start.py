"""The start of a run: completes its config and tries all parts."""

import dataclasses
from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.launch.agents import saved_agent
from adaland.launch.builder import agents
from adaland.launch.config import experiment, overrides, teaching
from adaland.launch.recipes import extensions
from adaland.launch.run import rundir


def complete(
  config: experiment.ExperimentConfig, directory: rundir.RunDir
) -> experiment.ExperimentConfig:
  """Returns the config as the run's directory records it.

  A config without a recipe, such as that of an experiment made by a program,
  gets the run's recorded recipe. Paths of agents become absolute, so that the
  run can be continued from any folder, unless the run has recorded them as
  given.

  Args:
    config: The requested config.
    directory: The run's directory, which need not exist.

  Raises:
    UserError: If the directory is another program's.
  """
  recorded = directory.read_config() if directory.exists() else {}
  changes = {}
  recipe = _text(recorded, "factories", "recipe")
  if recipe and not config.factories.recipe:
    changes["factories.recipe"] = recipe
  start = config.run.start_from
  if start and start != _text(recorded, "run", "start_from"):
    changes["run.start_from"] = saved_agent.whole_path(start)
  teacher = config.teaching.teacher
  if config.teaching.agent and teacher != _text(
    recorded, "teaching", "teacher"
  ):
    whole = saved_agent.whole_path(config.teaching.agent)
    changes["teaching.teacher"] = teaching.AGENT + whole
  return overrides.update(config, changes) if changes else config


def _text(recorded: dict[str, Any], group: str, field: str) -> str:
  """Returns a field of an unchecked config; empty if there is no such text."""
  fields = recorded.get(group)
  value = fields.get(field) if isinstance(fields, dict) else None
  return value if isinstance(value, str) else ""


def check(
  config: experiment.ExperimentConfig, directory: rundir.RunDir
) -> None:
  """Tries the user's parts, the teachers and the agent that a run starts from.

  Args:
    config: The run's config.
    directory: Its directory.

  Raises:
    UserError: If one can't be used.
  """
  if any(dataclasses.astuple(config.factories)):
    extensions.check(config)
  if config.teaching.used:
    extensions.check_teachers(config)
  if config.teaching.agent:
    agents.teacher(config)
  if config.run.start_from and not checkpoint.steps(directory.checkpoints):
    agents.starting_params(config, agents.agent(config))
