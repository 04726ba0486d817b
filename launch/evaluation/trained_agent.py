"""A trained agent, of a run or of a directory made by `adaland export`."""

from typing import Any, NamedTuple

import jax

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.agents import agent_dir
from adaland.launch.config import json_codec
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.recipes import task_source
from adaland.launch.run import rundir


class SavedAgent(NamedTuple):
  """The agent in a run's newest checkpoint, or in an agent's directory.

  Attributes:
    config: The run's config.
    params: Parameters of the target network.
    training: How far it was trained.
  """

  config: ExperimentConfig
  params: types.Params
  training: agent_dir.Training


def load_config(workdir: str, own_parts: bool = False) -> ExperimentConfig:
  """Reads the config of an agent.

  Args:
    workdir: A run's directory, an agent's, or "agent:NAME" for one that comes
      with the package.
    own_parts: True if code that the config names may be imported.

  Raises:
    UserError: If there is no agent, or its config is broken, or it names code
      that may not be imported.
  """
  path = agent_dir.find(workdir)
  if path is not None:
    experiment = agent_dir.read(path).config
  else:
    run = rundir.RunDir(workdir)
    content = run.read_config()
    with errors.user_input(str(run.config)):
      experiment = json_codec.from_json(ExperimentConfig, content)
  experiment.factories.refuse_unless(own_parts, f"--workdir={workdir}")
  return experiment


def load(workdir: str, own_parts: bool = False) -> SavedAgent:
  """Reads an agent.

  Args:
    workdir: As `load_config` takes it; of a run, its newest checkpoint.
    own_parts: True if code that the config names may be imported.

  Raises:
    UserError: If there is no agent, or it is broken, or its config names code
      that may not be imported.
  """
  experiment = load_config(workdir, own_parts)
  path = agent_dir.find(workdir)
  if path is None:
    params, training = _newest(workdir, experiment)
  else:
    init = builder.agent(experiment).network.init
    template = jax.eval_shape(init, jax.random.PRNGKey(0))
    params = agent_dir.read_params(path, template)
    training = agent_dir.read(path).training
  return SavedAgent(experiment, jax.device_put(params), training)


def _newest(
  workdir: str, experiment: ExperimentConfig
) -> tuple[Any, agent_dir.Training]:
  """Returns the parameters in a run's newest checkpoint, and its training."""
  run = rundir.RunDir(workdir)
  made = builder.agent(experiment)
  init = builder.learner(experiment, made.network).init
  template = {"train": jax.eval_shape(init, jax.random.PRNGKey(0))}
  with errors.user_input(f"--workdir={workdir}"):
    state, saved, updates = checkpoint.restore(run.checkpoints, template)
  with errors.of_another_form(str(run.checkpoints)):
    training = agent_dir.Training(
      int(saved["played"]["env_steps"]), updates, float(saved["seconds"])
    )
  return state["train"].target_params, training


def fitting_env(config_: land.LandConfig, tasks: list[Task]) -> land.LandConfig:
  """Checks that tasks fit a config's environments.

  Raises:
    UserError: If a task has more objects, players or rules than they take.
  """
  for task in tasks:
    task_source.check_room(task, config_, "this agent's")
  return config_


def default_env(tasks: list[Task]) -> land.LandConfig:
  """Returns environments for policies that need no agent.

  They have room for any task of one player.

  Raises:
    UserError: If a task has two players.
  """
  for task in tasks:
    if len(task.players) != 1:
      raise errors.UserError(
        f"task {task.name!r} has {len(task.players)} players; allowed here: 1, "
        "as a policy acts for one"
      )
  return land.LandConfig()
