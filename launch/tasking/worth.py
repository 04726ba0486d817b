"""Measures what memory of earlier trials is worth on tasks.

The explorer and its forgetful version differ only in memory. The difference of
their scores bounds the gain from adaptation, before any training on the tasks.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import policies, rollout, scores, tasksets

PLAYERS = ("forgetful", "explorer", "expert", "random")


def measure(
  tasks: Sequence[Task],
  trials: int,
  env: land.LandConfig,
  seed: int,
  say: Callable[[str], None],
) -> dict[str, Any]:
  """Plays tasks with the scripted players.

  Args:
    tasks: The tasks.
    trials: Number of trials of each episode, K.
    env: Sizes of the environments.
    seed: Seed of the environments and of the random player.
    say: Shows the progress.

  Returns:
    "by_trial": for each player, the "mean" and "stderr" of each trial's scores
    over the tasks on which the expert gets a reward; "unscored", the names of
    the other tasks; "num_tasks" and "trials".

  Raises:
    UserError: If a player can't play a task, or the expert gets no reward on
      any.
  """
  episodes = [dataclasses.replace(task, trials=trials) for task in tasks]
  make_land = land.maker(env)
  rewards: dict[str, np.ndarray] = {}
  with errors.user_input():
    for name in PLAYERS:
      played = rollout.play(
        make_land,
        episodes,
        policies.baseline(name, seed),
        seed,
        lambda done, name=name: say(f"{name} plays: {done:.0%}"),
      )
      rewards[name] = np.array(played, np.float64)
    best = expert.expert_rewards(
      tasks,
      make_land,
      seed=seed,
      progress=lambda n, of: say(f"expert: {n / of:.0%}"),
    )
  if not best.any():
    raise errors.UserError(
      f"the expert gets no reward on {len(tasks)} tasks, allowed: tasks that "
      "it can play"
    )
  ids = tasksets.ids(tasks)
  return {
    "trials": trials,
    "by_trial": {
      name: scores.by_trial(rewards[name], best) for name in PLAYERS
    },
    "num_tasks": len(tasks),
    "unscored": [ids[i] for i in np.flatnonzero(best <= 0)],
  }


def table(result: dict[str, Any]) -> str:
  """Formats the result of `measure` as Markdown."""
  scored = result["num_tasks"] - len(result["unscored"])
  lines = [
    scores.trial_table(result["by_trial"]),
    "",
    f"{scored} of {result['num_tasks']} held-out tasks, scored by the scripted "
    "expert's reward"
    + ("; it got none on the others." if result["unscored"] else "."),
  ]
  return "\n".join(lines)
