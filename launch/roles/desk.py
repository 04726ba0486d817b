"""The curriculum's role: tasks out, records and counts of steps in.

Called from the threads that serve the actors, and from the launcher.
"""

import collections
import threading
from typing import Any

import numpy as np

from adaland.curriculum import base

# Episodes that the shown rewards are means of.
_RECENT = 200


class Desk:
  """Guards the curriculum and counts what the actors do.

  Args:
    curriculum: Chooses the tasks.
    replay: The store, if it takes unrolls through the control channel.
  """

  def __init__(self, curriculum: base.Curriculum, replay: Any = None):
    self._curriculum = curriculum
    self._replay = replay
    self._lock = threading.Lock()
    self._steps = 0
    self._episodes = 0
    self._recent: collections.deque[np.ndarray] = collections.deque(
      maxlen=_RECENT
    )
    self._closed = False

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    with self._lock:
      return self._curriculum.next_tasks(n)

  def report(self, record: base.EpisodeRecord) -> None:
    """Takes in a finished episode."""
    with self._lock:
      self._curriculum.report(record)
      self._episodes += 1
      self._recent.append(record.rewards)

  def count_episodes(self, episodes: int) -> None:
    """Takes in episodes of which nothing but their number is known."""
    with self._lock:
      self._episodes += episodes

  def count_steps(self, steps: int) -> None:
    """Takes in how many environment steps an actor made."""
    with self._lock:
      self._steps += steps

  def insert_encoded(self, data: bytes) -> None:
    """Stores an unroll; waits while the store is full."""
    while not self._closed:
      try:
        self._replay.insert_encoded(data)
        return
      except TimeoutError:
        continue  # The learner compiles, or is behind.
      except RuntimeError:
        if not self._closed:
          raise

  def counters(self) -> dict[str, int]:
    """What has been done so far."""
    with self._lock:
      return {"env_steps": self._steps, "episodes": self._episodes}

  def trial_rewards(self) -> list[float]:
    """Mean reward of recent episodes by trial index, seconds."""
    with self._lock:
      recent = list(self._recent)
    longest = max(map(len, recent), default=0)
    return [
      float(np.mean([rewards[k] for rewards in recent if len(rewards) > k]))
      for k in range(longest)
    ]

  def curriculum_metrics(self) -> dict[str, float]:
    """What the curriculum wants plotted."""
    with self._lock:
      return self._curriculum.metrics()

  def state_dict(self) -> dict[str, Any]:
    """What a checkpoint keeps of it."""
    with self._lock:
      return {
        "curriculum": self._curriculum.state_dict(),
        "env_steps": self._steps,
        "episodes": self._episodes,
      }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Goes on from what `state_dict` returned."""
    with self._lock:
      self._curriculum.load_state_dict(state["curriculum"])
      self._steps = state["env_steps"]
      self._episodes = state["episodes"]

  def close(self) -> None:
    """Lets go of actors that wait to store something."""
    self._closed = True
