"""Pairs of policies, which play both sides of tasks of two players.

N: environments, A: action heads.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from adaland.envs import land
from adaland.envs.expert import team
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors, output
from adaland.launch.agents import saved_agent
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import policies, rollout, trained_agent

# Policies without parameters that can be in a pair.
NAMES = ("random", "noop", "expert")
# As a co-player, the same policy as player 1.
SELF = "self"
_AGENT = "agent:"
_ALLOWED = (SELF, *NAMES, "agent:NAME", "agent:DIRECTORY")

# Number of trials of each task, of which the experts' best counts.
_RUNS = 3


class Pair:
  """A policy for both sides, made of one for each.

  Each gets the steps of a one-player environment, and neither is told what the
  other does.

  Args:
    first: The policy of player 1.
    second: The policy of player 2; its actions have no effect in tasks of one
      player.
  """

  def __init__(self, first: policies.Policy, second: policies.Policy):
    self._players = first, second

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the actions of both players, int [N, 2, A]."""
    actions = [
      player.act(_side(step, i)) for i, player in enumerate(self._players)
    ]
    return np.stack(actions, axis=1)


def for_two(tasks: Sequence[Task], taskset: str) -> list[Task]:
  """Returns the tasks of two players.

  Raises:
    UserError: If there are none.
  """
  found = [task for task in tasks if len(task.players) > 1]
  if not found:
    raise errors.UserError(
      f"--coplayer: --taskset={taskset} has "
      f"{output.plural(len(tasks), 'task')} of one player, allowed: tasks of "
      "two players"
    )
  return found


def _side(step: land.Step, player: int) -> land.Step:
  observation, reward = jax.tree.map(
    lambda x: x[:, player], (step.observation, step.reward)
  )
  return step._replace(observation=observation, reward=reward)


class Experts:
  """The scripted experts on both sides, which make a joint plan.

  Args:
    environments: The environments.
    seed: Seed of their random choices.
  """

  def __init__(self, environments: land.Land, seed: int = 0):
    self._environments = environments
    self._team = team.Team(environments.num_envs, seed)

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the actions of both players, int [N, 2, A]."""
    del step
    self._team.observe(self._environments)
    return self._team.act(self._environments)


class _ExpertSide:
  """One of the two experts, which expects the other to do its share."""

  def __init__(self, environments: land.Land, player: int, seed: int):
    self._experts = Experts(environments, seed)
    self._player = player

  def act(self, step: land.Step) -> np.ndarray:
    """Returns this expert's actions."""
    return self._experts.act(step)[:, self._player]


# Makes the policy of a player, 0 or 1, for a batch of environments.
SideMaker = Callable[[land.Land, int], policies.Policy]


def side_maker(name: str, seed: int) -> SideMaker:
  """Returns a function that makes a player without parameters.

  Args:
    name: One of NAMES.
    seed: Seed of its random choices, which differ between a pair's players.
  """
  if name == "expert":
    return lambda envs, player: _ExpertSide(envs, player, seed)
  return lambda envs, player: policies.baseline(name, seed + player)(envs)


def maker(first: SideMaker, second: SideMaker) -> policies.PolicyMaker:
  """Returns a function that makes the pair of two players."""
  return lambda envs: Pair(first(envs, 0), second(envs, 1))


def agent_side(
  experiment: ExperimentConfig, params: Any, seed: int
) -> SideMaker:
  """Returns a function that makes an agent with its own memory."""
  actor = builder.agent(experiment).actor
  return lambda envs, player: policies.Agent(
    actor, params, envs.num_envs, seed + player
  )


def make_pairs(
  first: SideMaker,
  coplayers: Sequence[str],
  experiment: ExperimentConfig | None,
  seed: int,
  own_parts: bool,
) -> dict[str, policies.PolicyMaker]:
  """Returns functions that make pairs, by the co-player's name.

  Args:
    first: Makes player 1, and for "self" also player 2.
    coplayers: Names of co-players.
    experiment: Config of the environments' run; None if there is no run.
    seed: Seed of the players' random choices.
    own_parts: Whether code that a co-player's config names may be imported.

  Raises:
    UserError: If there is no such co-player, or it does not fit.
  """
  found = {}
  for name in coplayers:
    if name.startswith(_AGENT):
      second = _agent(name, experiment, seed, own_parts)
    elif name == SELF:
      second = first
    elif name in NAMES:
      second = side_maker(name, seed)
    else:
      raise errors.choice("--coplayer", name, list(_ALLOWED))
    found[name] = maker(first, second)
  return found


def _agent(
  name: str, experiment: ExperimentConfig | None, seed: int, own_parts: bool
) -> SideMaker:
  """Returns a function that makes another agent, as the second player."""
  with errors.user_input(f"--coplayer={name}"):
    workdir = saved_agent.workdir_of(name.removeprefix(_AGENT))
    saved = trained_agent.load(workdir, own_parts)
    if experiment is None:
      raise errors.UserError(
        "allowed with --workdir only, as it plays in that run's worlds"
      )
    saved_agent.check_teacher(saved.config, experiment)
  return agent_side(saved.config, saved.params, seed)


def best_rewards(
  tasks: Sequence[Task],
  make_land: land.MakeLand,
  seed: int = 0,
  on_progress: Callable[[float], None] | None = None,
) -> np.ndarray:
  """Returns the scripted experts' best reward in a trial of each task.

  The best trial is the one with the highest sum of both rewards. A task of one
  player is played by that player alone.

  Args:
    tasks: The tasks.
    make_land: Makes the environments, of two players.
    seed: Seed of the environments and experts.
    on_progress: Called with the share of trials done.

  Returns:
    Rewards of both players, seconds, float64 [tasks, 2].
  """
  played = rollout.play(
    make_land,
    [rollout.with_trials(task, 1) for task in tasks] * _RUNS,
    lambda envs: Experts(envs, seed),
    seed,
    on_progress,
  )
  rewards = np.array(played, np.float64).reshape(_RUNS, len(tasks), 2)
  best = rewards.sum(axis=-1).argmax(axis=0)
  return rewards[best, np.arange(len(tasks))]
