"""A trained agent, of a run or of a directory made by `adaland export`."""

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.agents import saved_agent
from adaland.launch.recipes import task_source

SavedAgent = saved_agent.SavedAgent
load_config = saved_agent.load_config


def load(workdir: str, own_parts: bool = False) -> SavedAgent:
  """Reads an agent; see `saved_agent.load`.

  Raises:
    UserError: If there is no agent, or it is broken, or its config names code
      that may not be imported.
  """
  return saved_agent.load(workdir, own_parts, builder.agent, builder.learner)


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
