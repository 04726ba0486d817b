"""Tasks and records for the tests of curricula."""

import numpy as np

from adaland.curriculum import base
from adaland.envs.tasks import task


def sample_task(index: int) -> task.Task:
  """Returns a task that has its index as its name, with 1 to 6 trials."""
  cube = task.ObjectType.from_name("black cube")
  goal = task.Literal("near", cube, task.Player(1))
  return task.Task(
    world=task.World(),
    objects=(task.ObjectSpec(cube),),
    players=(task.PlayerSpec(goal),),
    trials=1 + index % 6,
    name=str(index),
  )


def record(
  assignment: base.Assignment, error: float, reward: float = 0.0
) -> base.EpisodeRecord:
  """Returns a record with `error` and two multiples of it as errors."""
  return base.EpisodeRecord(
    key=assignment.key,
    learn=assignment.learn,
    rewards=np.full(
      assignment.trials or assignment.task.trials, reward, np.float32
    ),
    td_error=error,
    value_error=10 * error,
    policy_error=100 * error,
    trial_seconds=assignment.task.trial_seconds,
  )
