"""Plays whole episodes of given tasks with a policy, many at once.

N: environments that step as one batch, A: action heads, K: trials, P: players.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import policies, recording

# Environments stepped as one batch.
MAX_ENVS = 64


@dataclasses.dataclass
class _Episode:
  """An episode, running or done: its job and the trials' rewards.

  The reward of a trial is a number or, with two players, an array [P].
  """

  job: int
  rewards: list[Any]


def with_trials(task: Task, trials: int) -> Task:
  """Returns the task with another number of trials."""
  return dataclasses.replace(task, trials=trials)


def play(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  make_policy: policies.PolicyMaker,
  seed: int = 0,
  on_progress: Callable[[float], None] | None = None,
  recorder: recording.Recorder | None = None,
) -> list[np.ndarray]:
  """Plays each task's episode once.

  Args:
    make_land: Makes the environments.
    tasks: The tasks to play; an episode has as many trials as its task.
    make_policy: Returns the policy for the environments; with two players, it
      acts for both.
    seed: Seed of the environments.
    on_progress: Called with the share of episodes done.
    recorder: Keeps episodes, by the indices of their tasks.

  Returns:
    For each task the reward of each trial, seconds, float32 [K]; with two
    players [K, P].

  Raises:
    UserError: If a reward of the environments, which may be a user's own, is
      not finite: no score could be computed from it.
  """
  if not tasks:
    return []
  # Longest first, so that no long episode starts when the others are done.
  order = sorted(
    range(len(tasks)),
    key=lambda i: tasks[i].trials * tasks[i].trial_steps,
    reverse=True,
  )
  waiting = iter(order)
  num_envs = min(len(tasks), MAX_ENVS)
  # None: the environment has no job, and steps along with the others.
  episodes: list[_Episode | None] = [None] * num_envs
  shortest = min(tasks, key=lambda task: task.trials * task.trial_steps)

  def next_task(row: int) -> Task:
    job = next(waiting, None)
    if job is None:
      episodes[row] = None
      return shortest
    episodes[row] = _Episode(job, [0.0])
    return tasks[job]

  environments = make_land(num_envs, next_task, seed)
  policy = make_policy(environments)
  results: dict[int, np.ndarray] = {}
  step = environments.reset()
  while len(results) < len(tasks):
    actions = policy.act(step)
    step = environments.step(actions)
    for row, episode in enumerate(episodes):
      if episode is None or step.first[row]:
        continue
      # Not in place: the sum of a number and an array is an array.
      reward = np.asarray(step.reward[row], np.float64)
      episode.rewards[-1] = episode.rewards[-1] + reward
      if recorder is not None:
        recorder.act(episode.job, actions[row])
      if step.last[row]:
        if recorder is not None:
          recorder.end(
            episode.job,
            tasks[episode.job],
            environments.seeds[row],
            int(environments.episodes[row]) - 1,
            episode.rewards,
          )
        results[episode.job] = _checked(tasks[episode.job], episode.rewards)
        if on_progress is not None:
          on_progress(len(results) / len(tasks))
      elif step.trial_last[row]:
        episode.rewards.append(0.0)
  return [results[i] for i in range(len(tasks))]


def _checked(task: Task, rewards: list[Any]) -> np.ndarray:
  """Returns the rewards of an episode's trials, as in `play`."""
  found = np.asarray(rewards, np.float32)
  if not np.isfinite(found).all():
    trial, *_ = np.argwhere(~np.isfinite(found))[0]
    raise errors.UserError(
      f"task {task.name!r}: the environment's reward in trial {trial + 1} is "
      f"{found[trial]}, allowed: a finite number"
    )
  return found
