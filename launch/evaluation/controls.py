"""A control: how much of an agent's score is due to its memory of the task.

With *swapped* memory the agent begins every trial after the first with the
memory of an episode of a task with another game. Its score is then due to
everything but its memory of this task: to skill, to what is visible, and to the
habits of a memory that is as full as usual.

K: trials of an episode.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from adaland.envs import land
from adaland.envs.sampling import heldout
from adaland.envs.tasks.task import Task
from adaland.launch import errors, output
from adaland.launch.evaluation import policies, rollout

NAMES = ("swapped",)


class Swapped:
  """An agent in pairs of rows, whose first row gets the second's memory.

  This happens at the start of each trial except an episode's first. The rows of
  a pair play different tasks with trials of equal length.

  Args:
    agent: The agent, in an even number of rows.
  """

  def __init__(self, agent: policies.Agent):
    self._agent = agent

  def act(self, step: land.Step) -> np.ndarray:
    """Exchanges memories where a trial starts, and returns the actions."""
    starts = step.trial_last & ~step.last
    starts[1::2] = False
    if starts.any():
      self._agent.copy_memory(np.arange(len(starts)) + starts)
    return self._agent.act(step)


def others(tasks: Sequence[Task]) -> list[int]:
  """Returns for each task the index of the next one with another game.

  A family of few games has neighbours with the same goal and rules, in other
  worlds; the memory of one would be of use in the other. Empty if all tasks
  have the same game.
  """
  games = [
    heldout.canonical_form([each.goal for each in task.players], task.rules)
    for task in tasks
  ]
  if len(set(games)) < 2:
    return []
  found = []
  for i, game in enumerate(games):
    after = (*range(i + 1, len(games)), *range(i))
    found.append(next(j for j in after if games[j] != game))
  return found


def check_tasks(tasks: Sequence[Task], trials: int) -> None:
  """Raises UserError if there are too few tasks or trials for a control."""
  if len(tasks) < 2 or trials < 2:
    raise errors.UserError(
      f"--control=swapped: {output.plural(len(tasks), 'task')} with "
      f"{output.plural(trials, 'trial')}, allowed: at least 2 tasks and 2 "
      "trials"
    )
  if not others(tasks):
    raise errors.UserError(
      f"--control=swapped: {len(tasks)} tasks with the same goal and rules, "
      "allowed: at least 2 tasks that differ in them"
    )


def swapped_rewards(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  trials: int,
  make_agent: Callable[[land.Land], policies.Agent],
  seed: int,
  repeats: int = 1,
  on_progress: Callable[[float], None] | None = None,
) -> np.ndarray:
  """Plays each task with the memory of the next one that has another game.

  The same agent plays that task alongside, where it keeps its own memory.

  Args:
    make_land: Makes the environments.
    tasks: Tasks of at least two games.
    trials: Number of trials, K.
    make_agent: Makes the agent from the environments.
    seed: Seed of the environments.
    repeats: Episodes of each task; their rewards are averaged.
    on_progress: Called with the share of episodes done.

  Returns:
    Rewards of each trial, seconds, float64 [tasks, K].
  """
  jobs = []
  for task, index in zip(tasks, others(tasks), strict=True):
    other = dataclasses.replace(tasks[index], trial_seconds=task.trial_seconds)
    pair = [dataclasses.replace(each, trials=trials) for each in (task, other)]
    jobs += pair * repeats
  rewards = rollout.play(
    make_land, jobs, lambda envs: Swapped(make_agent(envs)), seed, on_progress
  )
  found = np.array(rewards[::2], np.float64)
  return found.reshape(len(tasks), repeats, trials).mean(axis=1)
