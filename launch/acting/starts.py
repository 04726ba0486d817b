"""The start of episodes: assigned tasks, their rules, the step before."""

import dataclasses
from typing import Any

import numpy as np

from adaland.curriculum import base
from adaland.envs import constants, land
from adaland.envs.stepping import task_rows
from adaland.envs.tasks import task
from adaland.envs.tasks.arrays import rule_row
from adaland.launch.acting import rollout


def with_trials(assignment: base.Assignment) -> base.Assignment:
  """Returns the assignment, its task with the number of trials assigned."""
  # A prepared task has them already.
  if not assignment.trials or not isinstance(assignment.task, task.Task):
    return assignment
  played = dataclasses.replace(assignment.task, trials=assignment.trials)
  return assignment._replace(task=played)


def true_rules(played: Any, num_rules: int) -> np.ndarray:
  """Returns a task's rules, hidden ones included, int32 [num_rules, W].

  Args:
    played: The task, prepared or not.
    num_rules: Number of rows; those past the last rule are zero.
  """
  rows = np.zeros((num_rules, constants.RULE_WIDTH), np.int32)
  for row, rule in zip(rows, bare(played).rules, strict=False):
    row[:] = rule_row(rule)
  return rows


def num_players(played: Any) -> int:
  """Returns the number of players of a task, prepared or not."""
  return len(bare(played).players)


def bare(played: Any) -> task.Task:
  """Returns the plain task of a task, prepared or not."""
  is_prepared = isinstance(played, task_rows.PreparedTask)
  return played.task if is_prepared else played


def no_step(
  num_envs: int, spec: rollout.ObservationSpec, num_players: int = 1
) -> land.Step:
  """Returns a step of zeros with the shapes and dtypes of all steps.

  Args:
    num_envs: N.
    spec: Shape and dtype of each observation, without batch.
    num_players: P; with two, observations and rewards are [N, 2, ...].
  """
  none = np.zeros(num_envs, bool)
  batch = (num_envs,) if num_players == 1 else (num_envs, num_players)
  return land.Step(
    observation={
      name: np.zeros((*batch, *shape), dtype)
      for name, (shape, dtype) in spec.items()
    },
    reward=np.zeros(batch, np.float32),
    first=none,
    last=none,
    trial_last=none,
    discount=np.zeros(num_envs, np.float32),
  )
