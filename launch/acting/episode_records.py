"""Records of finished episodes on their way to the curriculum.

A record is reported a fixed number of steps after the episode's end. By then
the device has computed it, even if the host runs ahead of the device, and the
time of the report does not depend on the device's speed.

N: environments, K: trials.
"""

import collections
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from adaland.curriculum import base

DELAY = 8  # Steps.


class _Finished(NamedTuple):
  """A finished episode.

  Attributes:
    time: Step at which the episode's end was seen.
    row: The episode's row in `rewards` and `errors`.
    key: The assignment's key.
    learn: The assignment's flag.
    trials: Trials of the episode.
    rewards: Reward of each trial, [N, K].
    errors: Sums of TD error, value error and policy error, and their number,
      [N, 4].
    guided: True if the agent did not play it alone.
    trial_seconds: Duration of a trial.
  """

  time: int
  row: int
  key: int
  learn: bool
  trials: int
  rewards: Any
  errors: Any
  guided: bool
  trial_seconds: float


class EpisodeRecords:
  """Finished episodes that are not reported yet.

  Args:
    report: Takes a record.
  """

  def __init__(self, report: Callable[[base.EpisodeRecord], None]):
    self._report = report
    self._finished: collections.deque[_Finished] = collections.deque()

  def add(
    self,
    time: int,
    row: int,
    assignment: base.Assignment,
    rewards: Any,
    errors: Any,
    guided: bool = False,
  ) -> None:
    """Adds a finished episode, whose arrays may not be computed yet.

    Args:
      time: Step at which the episode's end was seen.
      row: The environment.
      assignment: The environment's assignment.
      rewards: `rollout.Output.rewards`, [N, K].
      errors: `rollout.Output.errors`, [N, 4].
      guided: True if the agent did not play it alone.
    """
    for array in (rewards, errors):
      if isinstance(array, jax.Array):
        array.copy_to_host_async()
    task = assignment.task
    self._finished.append(
      _Finished(
        time,
        row,
        assignment.key,
        assignment.learn,
        task.trials,
        rewards,
        errors,
        guided,
        task.trial_seconds,
      )
    )

  def report_due(self, time: int) -> None:
    """Reports the episodes that ended at least DELAY steps before `time`."""
    while self._finished and self._finished[0].time <= time - DELAY:
      self._report(_record(self._finished.popleft()))

  def state_dict(self) -> list[dict[str, Any]]:
    """Returns the state to checkpoint."""
    return [
      {
        "time": finished.time,
        "key": finished.key,
        "learn": finished.learn,
        "rewards": np.asarray(finished.rewards)[
          finished.row, : finished.trials
        ],
        "errors": np.asarray(finished.errors)[finished.row],
        "guided": finished.guided,
        "trial_seconds": finished.trial_seconds,
      }
      for finished in self._finished
    ]

  def load_state_dict(self, state: list[dict[str, Any]]) -> None:
    """Restores the state that `state_dict` returned."""
    self._finished = collections.deque(
      _Finished(
        finished["time"],
        0,
        finished["key"],
        finished["learn"],
        len(finished["rewards"]),
        finished["rewards"][None],
        finished["errors"][None],
        finished["guided"],
        finished["trial_seconds"],
      )
      for finished in state
    )


def _record(finished: _Finished) -> base.EpisodeRecord:
  *sums, count = np.asarray(finished.errors)[finished.row]
  td, value, policy = (float(x / max(count, 1.0)) for x in sums)
  rewards = np.asarray(finished.rewards)[finished.row, : finished.trials]
  return base.EpisodeRecord(
    key=finished.key,
    learn=finished.learn,
    rewards=rewards.copy(),
    td_error=td,
    value_error=value,
    policy_error=policy,
    trial_seconds=finished.trial_seconds,
    guided=finished.guided,
  )
