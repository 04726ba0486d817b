"""A curriculum with counts of steps and episodes, for many threads."""

import collections
import logging
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaland.curriculum import base, paired
from adaland.launch import errors
from adaland.launch.run import decisions

# Number of episodes in the mean rewards that are shown.
_RECENT = 200


class CountedCurriculum:
  """A curriculum with counts of steps and episodes; thread-safe.

  Args:
    curriculum: Chooses the tasks.
    log: Receives the curriculum's decisions, if it makes any.
  """

  def __init__(
    self,
    curriculum: base.Curriculum,
    log: decisions.DecisionLog | None = None,
  ):
    self._curriculum = curriculum
    self._log = log
    self._lock = threading.Lock()
    self._steps = 0
    self._episodes = 0
    # Decisions not yet logged, and the steps at which they were made.
    self._unlogged: list[tuple[list[base.Decision], int]] = []
    self._is_log_broken = False
    self._recent: collections.deque[np.ndarray] = collections.deque(
      maxlen=_RECENT
    )

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    with self._lock:
      return self._curriculum.next_tasks(n)

  def set_snapshots(self, snapshots: Sequence[int]) -> None:
    """Replaces the snapshots of the agent that may be co-players."""
    with self._lock:
      if isinstance(self._curriculum, paired.PairedCurriculum):
        self._curriculum.set_snapshots(snapshots)

  def report(self, record: base.EpisodeRecord) -> None:
    """Adds a finished episode."""
    with self._lock:
      self._curriculum.report(record)
      self._episodes += 1
      if not record.guided:
        self._recent.append(record.rewards)

  def count_episodes(self, episodes: int) -> None:
    """Counts episodes whose records are lost."""
    with self._lock:
      self._episodes += episodes

  def count_steps(self, steps: int) -> None:
    """Counts environment steps."""
    with self._lock:
      self._steps += steps

  def counters(self) -> dict[str, int]:
    """Returns the numbers of environment steps and of episodes so far."""
    with self._lock:
      return {"env_steps": self._steps, "episodes": self._episodes}

  def trial_rewards(self) -> list[float]:
    """Returns the mean reward of recent episodes by trial index, seconds."""
    with self._lock:
      recent = list(self._recent)
    longest = max(map(len, recent), default=0)
    return [
      float(np.mean([rewards[k] for rewards in recent if len(rewards) > k]))
      for k in range(longest)
    ]

  def episode_reward(self) -> float:
    """Returns the mean reward of recent episodes, seconds.

    It is not the sum of the means by trial: some episodes have fewer trials.
    """
    with self._lock:
      return float(np.mean([rewards.sum() for rewards in self._recent] or 0.0))

  def curriculum_metrics(self) -> dict[str, float]:
    """Returns the curriculum's numbers for a row of metrics."""
    with self._lock:
      found = self._curriculum.metrics()
    return found if self._log is None else found | self._log.metrics()

  def log_decisions(self) -> None:
    """Writes the decisions since the last call; other threads need not wait.

    If they can't be written, there is a warning, and later calls try again.
    """
    if self._log is None:
      return
    with self._lock:
      self._take_decisions()
      unlogged, self._unlogged = self._unlogged, []
    for made, steps in unlogged:
      self._log.add(made, steps)
    try:
      self._log.flush()
      self._is_log_broken = False
    except OSError as error:
      if not self._is_log_broken:
        logging.warning(
          "%s; decisions are kept and written later",
          errors.describe_os_error(error),
        )
      self._is_log_broken = True

  def _take_decisions(self) -> None:
    if self._log is not None and isinstance(self._curriculum, base.Deciding):
      made = self._curriculum.take_decisions()
      if made:
        self._unlogged.append((made, self._steps))

  def drop_lost_decisions(self) -> None:
    """Drops logged decisions that a resumed run makes again."""
    if self._log is not None:
      self._log.drop_lost(self.counters()["env_steps"])

  def state_dict(self) -> dict[str, Any]:
    """Returns the state that a checkpoint keeps."""
    with self._lock:
      # A run that resumes from this state does not make these decisions again,
      # so they must be logged at a step no later than the state's.
      self._take_decisions()
      return {
        "curriculum": self._curriculum.state_dict(),
        "env_steps": self._steps,
        "episodes": self._episodes,
      }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores what `state_dict` returned."""
    with self._lock:
      self._curriculum.load_state_dict(state["curriculum"])
      self._steps = state["env_steps"]
      self._episodes = state["episodes"]
