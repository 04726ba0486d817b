"""A trained agent, from a run or from a directory made by `adaland export`."""

import numbers
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, cli, errors
from adaland.launch.agents import saved_agent
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import policies, scores
from adaland.launch.recipes import task_source
from adaland.launch.run import rundir

SavedAgent = saved_agent.SavedAgent
load_config = saved_agent.load_config


def load(workdir: str, own_parts: bool = False) -> SavedAgent:
  """Reads an agent; see `saved_agent.load`.

  Raises:
    UserError: If there is no agent, or it is broken, or its config names code
      that may not be imported.
  """
  return saved_agent.load(workdir, own_parts, builder.agent, builder.learner)


def check_fit(
  config_: land.LandConfig,
  tasks: list[Task],
  pairs: bool = False,
  whose: str = "this agent's",
) -> None:
  """Checks that tasks fit a config's environments.

  Args:
    config_: The environments.
    tasks: The tasks.
    pairs: Whether both players of an environment will be played.
    whose: The owner of the environments, for errors.

  Raises:
    UserError: If a task has more objects, players or rules than fit, or the
      environments have two players and only one is played.
  """
  for task in tasks:
    task_source.check_room(task, config_, whose)
  if config_.num_players > 1 and not pairs:
    raise errors.UserError(
      f"env.num_players of {whose} environments is {config_.num_players}, "
      "allowed here: 1 (adaland evaluate plays pairs)"
    )


def default_env(tasks: list[Task], pairs: bool = False) -> land.LandConfig:
  """Returns the config of environments for policies other than agents.

  They have room for any task of one player and, with `pairs`, of two.

  Args:
    tasks: The tasks.
    pairs: Whether both players of a task will be played.

  Raises:
    UserError: If a task has two players and only one is played.
  """
  num_players = max((len(task.players) for task in tasks), default=1)
  if pairs:
    return land.LandConfig(num_players=num_players)
  for task in tasks:
    if len(task.players) != 1:
      raise errors.UserError(
        f"task {task.name!r} has {len(task.players)} players; allowed here: 1, "
        "as a policy acts for one"
      )
  return land.LandConfig()


class TrainedAgent:
  """A trained agent as a policy, which samples its actions as in training.

  Example::

    agent = adaland.load_agent("runs/laptop")
    env = adaland.make(agent.config, num_envs=4)
    step = env.reset()
    step = env.step(agent.act(step))

  Args:
    config: Config of the agent's run.
    params: Parameters of the agent's network.
    counters: Environment steps and other counters of training.
    evaluation: Results on held-out tasks after training, by policy.
    seed: Seed of the actions.
    temperature: Divides the policy's logits, from 0.0001 to 100: 1 acts as in
      training, lower values are less random.

  Attributes:
    config: See above.
    params: See above.
    counters: See above.
    evaluation: See above.
    temperature: See above.

  Raises:
    UserError: If the seed or the temperature is out of range.
  """

  def __init__(
    self,
    config: ExperimentConfig,
    params: Any,
    counters: Mapping[str, float],
    evaluation: Mapping[str, scores.Evaluation] | None = None,
    seed: int = 0,
    temperature: float = 1.0,
  ):
    self._seed = policies.checked_seed(seed)
    self.temperature = _checked_temperature(temperature)
    self.config = config
    self.params = params
    self.counters = dict(counters)
    self.evaluation = dict(evaluation or {})
    self._actor = builder.agent(config).actor
    self._agent: policies.Agent | None = None
    self._num_envs = 0

  def reset(self, num_envs: int) -> None:
    """Clears the memory, for a batch of environments.

    Args:
      num_envs: Number of environments, N.
    """
    self._num_envs = num_envs
    self._agent = policies.Agent(
      self._actor, self.params, num_envs, self._seed, self.temperature
    )

  def act(self, step: land.Step) -> np.ndarray:
    """Returns actions for a step, int [N, A].

    A row's memory is cleared where `step.first` marks the start of an episode;
    another number of rows is a new batch.
    """
    if self._agent is None or self._num_envs != len(step.first):
      self.reset(len(step.first))
    assert self._agent is not None
    return self._agent.act(step)


def _checked_temperature(temperature: Any) -> float:
  least, most = cli.MIN_TEMPERATURE, cli.MAX_TEMPERATURE
  is_number = isinstance(temperature, numbers.Real)
  value = float(temperature) if is_number else 0.0
  if not least <= value <= most:
    raise errors.UserError(
      f"temperature is {errors.shown(temperature)}, allowed: a number from "
      f"{least:g} to {most:g}"
    )
  return value


def load_agent(
  workdir: str | os.PathLike[str],
  seed: int = 0,
  own_parts: bool = False,
  temperature: float = 1.0,
) -> TrainedAgent:
  """Loads the agent of a run's newest checkpoint, or an exported one.

  If the run has parts of its user's own, they are imported, which must be
  allowed.

  Example::

    agent = adaland.load_agent("runs/laptop")
    print(adaland.evaluate(agent, trials=(1, 2, 4)))

  Args:
    workdir: The run's directory, one made by `adaland export`, or "agent:NAME"
      for an agent that comes with the package.
    seed: Seed of the actions.
    own_parts: Whether to import the code that the run's config names; only for
      runs that you trust.
    temperature: See `TrainedAgent`.

  Raises:
    UserError: If there is no run or checkpoint, or it is broken, or the seed
      or the temperature is out of range.
  """
  saved = load(rundir.path_of(workdir, "a path, or agent:NAME"), own_parts)
  training = saved.training
  counters: dict[str, float] = {
    "env_steps": training.env_steps,
    "updates": training.updates,
    "seconds": training.seconds,
  }
  return TrainedAgent(
    saved.config,
    saved.params,
    counters,
    seed=seed,
    temperature=temperature,
  )
