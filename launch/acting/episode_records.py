"""Records of finished episodes, on their way from the device to the curriculum.

They go there a fixed number of steps later: by then they are computed, also
where the host runs ahead of the device, and when they come does not depend on
how fast it is. N: environments, K: trials.
"""

import collections
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from adaland.curriculum import base

_DELAY = 8  # Steps.


class _Played(NamedTuple):
  """An episode that ended.

  Attributes:
    time: Step at which its end was seen.
    row: Its environment, among those that the arrays are of.
    key: Of its assignment.
    learn: Whether it was learned from.
    trials: Its trials.
    rewards: Reward of each trial, [N, K].
    errors: Sums of TD, value and policy error, and their number, [N, 4].
  """

  time: int
  row: int
  key: int
  learn: bool
  trials: int
  rewards: Any
  errors: Any


class Records:
  """Episodes that ended and are not told of yet.

  Args:
    report: Takes in a record.
  """

  def __init__(self, report: Callable[[base.EpisodeRecord], None]):
    self._report = report
    self._played: collections.deque[_Played] = collections.deque()

  def add(
    self,
    time: int,
    row: int,
    assignment: base.Assignment,
    rewards: Any,
    errors: Any,
  ) -> None:
    """Notes the end of an episode; the arrays may still be computed.

    Args:
      time: Steps so far.
      row: The environment.
      assignment: What it played.
      rewards: Of all environments, [N, K].
      errors: Of all environments, [N, 4].
    """
    for array in (rewards, errors):
      if isinstance(array, jax.Array):
        array.copy_to_host_async()
    key, task, learn = assignment
    self._played.append(
      _Played(time, row, key, learn, task.trials, rewards, errors)
    )

  def tell(self, time: int) -> None:
    """Reports the episodes that ended long enough ago."""
    while self._played and self._played[0].time <= time - _DELAY:
      self._report(_record(self._played.popleft()))

  def state_dict(self) -> list[dict[str, Any]]:
    """Returns what restores it."""
    return [
      {
        "time": played.time,
        "key": played.key,
        "learn": played.learn,
        "rewards": np.asarray(played.rewards)[played.row, : played.trials],
        "errors": np.asarray(played.errors)[played.row],
      }
      for played in self._played
    ]

  def load_state_dict(self, state: list[dict[str, Any]]) -> None:
    """Goes on from what `state_dict` returned."""
    self._played = collections.deque(
      _Played(
        played["time"],
        0,
        played["key"],
        played["learn"],
        len(played["rewards"]),
        played["rewards"][None],
        played["errors"][None],
      )
      for played in state
    )


def _record(played: _Played) -> base.EpisodeRecord:
  *sums, count = np.asarray(played.errors)[played.row]
  td, value, policy = (float(x / max(count, 1.0)) for x in sums)
  return base.EpisodeRecord(
    key=played.key,
    learn=played.learn,
    rewards=np.asarray(played.rewards)[played.row, : played.trials].copy(),
    td_error=td,
    value_error=value,
    policy_error=policy,
  )
