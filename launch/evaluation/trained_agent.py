"""The trained agent of a run: its config and parameters."""

from typing import NamedTuple

import jax

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.config import json_codec
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.recipes import task_source
from adaland.launch.run import rundir


class SavedAgent(NamedTuple):
  """The agent in a run's newest checkpoint.

  Attributes:
    config: The run's config.
    params: Parameters of the target network.
    env_steps: Number of environment steps of its training.
  """

  config: ExperimentConfig
  params: types.Params
  env_steps: int


def load_config(workdir: str, own_parts: bool = False) -> ExperimentConfig:
  """Reads a run's config.

  Args:
    workdir: The run's directory.
    own_parts: True if code that the config names may be imported.

  Raises:
    UserError: If there is no run, or its config is broken, or it names code
      that may not be imported.
  """
  run = rundir.RunDir(workdir)
  content = run.read_config()
  with errors.user_input(str(run.config)):
    experiment = json_codec.from_json(ExperimentConfig, content)
  experiment.factories.refuse_unless(own_parts, f"--workdir={workdir}")
  return experiment


def load(workdir: str, own_parts: bool = False) -> SavedAgent:
  """Reads a run's newest checkpoint.

  Args:
    workdir: The run's directory.
    own_parts: True if code that the run's config names may be imported.

  Raises:
    UserError: If there is no run or checkpoint, or it is broken, or its config
      names code that may not be imported.
  """
  experiment = load_config(workdir, own_parts)
  run = rundir.RunDir(workdir)
  made = builder.agent(experiment)
  init = builder.learner(experiment, made.network).init
  template = {"train": jax.eval_shape(init, jax.random.PRNGKey(0))}
  with errors.user_input(f"--workdir={workdir}"):
    state, saved, _ = checkpoint.restore(run.checkpoints, template)
  with errors.of_another_form(str(run.checkpoints)):
    env_steps = int(saved["played"]["env_steps"])
  params = jax.device_put(state["train"].target_params)
  return SavedAgent(experiment, params, env_steps)


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
