"""Plays an agent's trials so that they can be filmed afterwards.

The same task, seed and actions give the same episode: actions are recorded
while many tasks are played at once, and one task is replayed for the film.

T: tasks, K: trials, A: action heads.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch.evaluation import policies, rollout

# Share of the expert's reward below which a first trial has failed.
_FAILED = 0.5


class Episodes(NamedTuple):
  """Episodes of several tasks.

  Attributes:
    rewards: Reward of each trial, seconds, float64 [T, K].
    actions: Action indices of each step, for each task, int [steps, A].
    seeds: Seeds of the environments, for each task.
  """

  rewards: np.ndarray
  actions: list[np.ndarray]
  seeds: list[int]


class _Recording:
  """A policy whose actions are recorded."""

  def __init__(self, policy: policies.Policy):
    self._policy = policy
    self.actions: list[np.ndarray] = []

  def act(self, step: land.Step) -> np.ndarray:
    actions = self._policy.act(step)
    self.actions.append(np.asarray(actions))
    return actions


def play(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  make_policy: policies.PolicyMaker,
  seed: int,
  on_progress: Callable[[float], None] | None = None,
) -> Episodes:
  """Plays one episode of each task, all at once.

  Args:
    make_land: Makes the environments.
    tasks: At most `rollout.MAX_ENVS` tasks, the longest first.
    make_policy: Makes the policy from the environments.
    seed: Seed of the environments.
    on_progress: Called with the share of episodes done.
  """
  made: list[_Recording] = []

  def make(environments: land.Land) -> policies.Policy:
    made.append(_Recording(make_policy(environments)))
    return made[-1]

  rewards = rollout.play(make_land, tasks, make, seed, on_progress)
  actions = np.stack(made[0].actions, axis=1)
  return Episodes(
    np.array(rewards, np.float64),
    [
      actions[row, : task.trials * task.trial_steps]
      for row, task in enumerate(tasks)
    ],
    [seed + row for row in range(len(tasks))],
  )


def longest_first(tasks: Sequence[Task], trials: int) -> list[Task]:
  """Returns tasks with K trials each, in the order that `play` needs."""
  chosen = [dataclasses.replace(task, trials=trials) for task in tasks]
  return sorted(chosen, key=lambda task: -task.trial_steps)


def to_film(rewards: np.ndarray, expert: np.ndarray) -> int:
  """Chooses the task to film: the first whose first trial failed.

  Later trials do not affect the choice, so a film is no proof, but no selection
  of successes either.

  Args:
    rewards: Reward of each trial, seconds, [T, K].
    expert: The expert's rewards, seconds, [T]; at least one is above 0.

  Returns:
    Its index, or that of the first task with a score if no first trial failed.
  """
  scored = expert > 0
  failed = scored & (rewards[:, 0] < _FAILED * expert)
  return int(np.argmax(failed if failed.any() else scored))
