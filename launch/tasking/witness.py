"""Rewards of scripted experts with the actions that earned them.

A witness can be replayed: in a batch of one environment, the same task, seed
and actions give the same reward, bit for bit (`replay`).
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert import expert, team
from adaland.envs.tasks.task import Task

# Environments stepped together; more would need fewer compilations, fewer would
# wait less for the longest trial among them.
_MAX_ENVS = 32


class Witness(NamedTuple):
  """A trial's reward and actions.

  Attributes:
    reward: The reward, seconds.
    seed: Seed of the environment.
    actions: Actions of each step, int8 [T, P, 6].
  """

  reward: float
  seed: int
  actions: np.ndarray


def find(
  tasks: Sequence[Task],
  config: land.LandConfig,
  seed: int = 0,
  progress: Callable[[int, int], None] | None = None,
) -> list[Witness]:
  """Lets experts play one trial of each task.

  Args:
    tasks: Tasks with as many players as the environments, or fewer.
    config: Sizes of the environments; their observations don't matter.
    seed: Base seed; task i is played with seed + i.
    progress: Called with the number of tasks done and the total number.

  Returns:
    A witness for each task.
  """
  config = config.on_cpu()
  order = sorted(range(len(tasks)), key=lambda i: tasks[i].trial_steps)
  found: dict[int, Witness] = {}
  for start in range(0, len(order), _MAX_ENVS):
    rows = order[start : start + _MAX_ENVS]
    played = _play([tasks[i] for i in rows], config, [seed + i for i in rows])
    found |= dict(zip(rows, played, strict=True))
    if progress is not None:
      progress(len(found), len(tasks))
  return [found[i] for i in range(len(tasks))]


def replay(task: Task, witness: Witness, config: land.LandConfig) -> float:
  """Returns the reward of a witness's actions, seconds."""
  world = _world([task], config.on_cpu(), [witness.seed])
  world.reset()
  rewards = []
  for action in witness.actions:
    rewards.append(_of_player_1(world.step(action[None]).reward)[0])
  return float(np.sum(rewards, dtype=np.float64))


def _world(
  tasks: Sequence[Task], config: land.LandConfig, seeds: Sequence[int]
) -> land.Land:
  short = [dataclasses.replace(task, trials=1) for task in tasks]
  return land.Land(len(tasks), config, lambda env: short[env], list(seeds))


def _play(
  tasks: Sequence[Task], config: land.LandConfig, seeds: Sequence[int]
) -> Iterator[Witness]:
  """Plays a batch of tasks until the longest trial is over."""
  world = _world(tasks, config, seeds)
  shape = (len(tasks), config.num_players, len(constants.ACTION_SIZES))
  if config.num_players == 2:
    players: expert.Expert | team.Team = team.Team(len(tasks), seeds[0])
  else:
    players = expert.Expert(len(tasks), seeds[0])
  world.reset()
  actions, rewards = [], []
  for _ in range(max(task.trial_steps for task in tasks)):
    players.observe(world)
    actions.append(players.act(world).reshape(shape).astype(np.int8))
    rewards.append(_of_player_1(world.step(actions[-1]).reward))
  taken, earned = np.stack(actions, 1), np.stack(rewards, 1)
  for i, task in enumerate(tasks):
    steps = task.trial_steps
    reward = float(earned[i, :steps].sum(dtype=np.float64))
    yield Witness(reward, seeds[i], taken[i, :steps])


def _of_player_1(reward: np.ndarray) -> np.ndarray:
  """Returns rewards [N] or [N, P] of player 1, [N]; players share a goal."""
  return np.asarray(reward).reshape(len(reward), -1)[:, 0]
