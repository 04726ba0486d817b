"""Measures a person on a set of tasks, as agents are measured.

Each task is played once, with all its trials; a task that was started counts,
whether it was played to its end or not. A task that can't be played is skipped.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.evaluation import (
  fewshot,
  rollout,
  scores,
  tasksets,
  trained_agent,
)
from adaland.launch.studio import catalogue


class Study:
  """The tasks of a study and the rewards so far.

  Attributes:
    tasks: The tasks, each with the study's number of trials.
  """

  def __init__(self, tasks: Sequence[Task], trials: int):
    """Initializes the study.

    Args:
      tasks: Tasks of one player.
      trials: Number of trials of each, K.
    """
    for task in tasks:
      if len(task.players) != 1:
        raise errors.UserError(
          f"task {task.name!r} has two players, allowed in a study: one"
        )
    self.tasks = [dataclasses.replace(task, trials=trials) for task in tasks]
    self._trials = trials
    self._rewards: list[list[float]] = []
    self._pauses: list[int] = []
    self._begun = 0

  @property
  def begun(self) -> int:
    """Number of tasks that were started."""
    return self._begun

  def next_task(self) -> Task | None:
    """Starts the next task; returns None after the last."""
    if self._begun == len(self.tasks):
      return None
    self._begun += 1
    return self.tasks[self._begun - 1]

  def skip(self) -> None:
    """Removes the task that was started last, because it can't be played."""
    self._begun -= 1
    del self.tasks[self._begun]

  def record(self, rewards: Sequence[float], pauses: int) -> None:
    """Records the rewards of the task that was started last.

    Args:
      rewards: Reward of each trial that was played, seconds; the others count
        as zero.
      pauses: Number of pauses.
    """
    missing = [0.0] * (self._trials - len(rewards))
    self._rewards.append([*rewards, *missing])
    self._pauses.append(pauses)

  def result(
    self,
    known: catalogue.Catalogue,
    agent: str,
    say: Callable[[str], None],
  ) -> dict[str, Any]:
    """Returns scores, in the format of `adaland evaluate --json`.

    Args:
      known: The agents.
      agent: An agent to measure on the same tasks; empty for none.
      say: Shows the progress.

    Raises:
      UserError: If no task was played, or the agent can't play the tasks.
    """
    count = len(self._rewards)
    if not count:
      raise errors.UserError("no task of the study was played")
    tasks = self.tasks[:count]

    def expert_in(make_land: land.MakeLand) -> np.ndarray:
      return expert.expert_rewards(
        tasks,
        make_land,
        progress=lambda n, of: say(f"the expert plays: {n / of:.0%}"),
      )

    best = expert_in(land.maker(land.LandConfig()))
    ids = tasksets.ids(tasks)
    played = {self._trials: np.array(self._rewards, np.float64)}
    found = scores.summary("human", ids, played, best)
    found |= {
      "tasks_sha256": tasksets.fingerprint(tasks),
      "pauses": self._pauses,
    }
    if agent:
      saved = known.agent(agent)
      trained_agent.check_fit(saved.config.env, tasks)
      with errors.user_input(agent):
        make_land = builder.environments(saved.config)
        if saved.config.factories.environment:
          # The expert's rewards there differ from those in the person's world.
          best = expert_in(make_land)
        rewards = rollout.play(
          make_land,
          tasks,
          fewshot.agent_policy(saved.config, saved.params, 0),
          on_progress=lambda done: say(f"{agent} plays: {done:.0%}"),
        )
      table = {self._trials: np.array(rewards, np.float64)}
      found["beside"] = scores.summary(agent, ids, table, best)
    return found
