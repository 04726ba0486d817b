"""Prompting: a teacher replaces the agent in the first trial.

The agent's memory takes in the events of the first trial, and the actions from
the observations; from the second trial on the agent acts (AdA, arXiv
2301.07608).

N: environments that step as one batch, A: action heads, K: trials.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.expert.exploring import playable
from adaland.envs.tasks.task import Task
from adaland.launch.evaluation import (
  policies,
  recording,
  rollout,
  scores,
  tasksets,
)


def demonstrator(tasks: Sequence[Task]) -> str:
  """Returns the guide's name, or the expert's if the guide can't play."""
  try:
    for task in tasks:
      playable.check_guide(task)
  except ValueError:
    return "expert"
  return "guide"


class Prompted:
  """An agent that is replaced by a teacher in the first trial.

  Args:
    agent: Observes every step, and acts from the second trial on.
    teacher: Acts in the first trial.
  """

  def __init__(self, agent: policies.Policy, teacher: policies.Policy):
    self._agent = agent
    self._teacher = teacher
    self._is_led: np.ndarray | None = None

  def act(self, step: land.Step) -> np.ndarray:
    """Returns actions [N, A]: the teacher's in trial 1, else the agent's."""
    if self._is_led is None:
      self._is_led = np.zeros(len(step.first), bool)
    self._is_led = step.first | (self._is_led & ~step.trial_last)
    actions = self._agent.act(step)
    if self._is_led.any():
      taught = self._teacher.act(step)
      actions = np.where(self._is_led[:, None], taught, actions)
    return actions


class Recorded:
  """A policy that repeats recorded actions in one environment.

  Args:
    actions: Action indices of each step, int [T, A].
  """

  def __init__(self, actions: np.ndarray):
    self._actions = iter(actions)

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the next action, [1, A]."""
    del step
    return next(self._actions)[None]


def evaluate(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  trials: int,
  make_agent: policies.PolicyMaker,
  seed: int,
  repeats: int,
  say: Callable[[str], None],
  keep: Sequence[int] = (),
  make_teacher: policies.PolicyMaker = policies.Expert,
) -> dict[str, Any]:
  """Scores an agent by trial, with and without a demonstrated first trial.

  Args:
    make_land: Makes the environments.
    tasks: The tasks to play.
    trials: Number of trials, K.
    make_agent: Makes the agent from the environments.
    seed: Seed of the environments.
    repeats: Episodes of each task; their rewards are averaged.
    say: Shows the progress.
    keep: Numbers of tasks whose first prompted and unprompted episodes are
      kept.
    make_teacher: Makes the player of the first trial from the environments.

  Returns:
    "prompted" and "unprompted", each with "mean" and "stderr" of each trial's
    score; "num_tasks", "num_scored"; "tasks", each with "id", the rewards of
    each trial, seconds, and the expert's; "tasks_sha256"; and any kept
    "episodes", see `recording.entry`.
  """
  best = expert.expert_rewards(
    tasks,
    make_land,
    seed=seed,
    progress=lambda n, of: say(f"expert: {n / of:.0%}"),
  )
  makers: dict[str, policies.PolicyMaker] = {
    "prompted": lambda envs: Prompted(make_agent(envs), make_teacher(envs)),
    "unprompted": make_agent,
  }
  jobs = [
    dataclasses.replace(task, trials=trials)
    for task in tasks
    for _ in range(repeats)
  ]
  rewards, episodes = {}, []
  for name, make in makers.items():
    recorder = recording.Recorder(keep, repeats=repeats)
    played = rollout.play(
      make_land,
      jobs,
      make,
      seed,
      lambda done, name=name: say(f"{name}: {done:.0%}"),
      recorder,
    )
    episodes += recorder.entries(name)
    found = np.array(played, np.float64).reshape(len(tasks), repeats, trials)
    rewards[name] = found.mean(axis=1)
  return {
    **{name: scores.by_trial(found, best) for name, found in rewards.items()},
    "num_tasks": len(tasks),
    "num_scored": int((best > 0).sum()),
    "tasks": [
      {
        "id": task_id,
        **{name: found[i].tolist() for name, found in rewards.items()},
        "expert": float(best[i]),
      }
      for i, task_id in enumerate(tasksets.ids(tasks))
    ],
    "tasks_sha256": tasksets.fingerprint(tasks),
    **({"episodes": episodes} if keep else {}),
  }
