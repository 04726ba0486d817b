"""Lists that curricula keep: outstanding assignments, and decisions."""

import collections
from typing import Any

from adaland.curriculum import base, statistics

# Assignments of actors that die are never reported, so the oldest are dropped.
_MAX_OUTSTANDING = 100_000
# Decisions that are never taken are dropped in the same way.
_MAX_DECISIONS = 10_000


class Outstanding:
  """Assignments without a record yet, by key: short lists of numbers."""

  def __init__(self):
    """Makes an empty list."""
    self._next_key = 0
    # Oldest first.
    self._notes: dict[int, list[int]] = {}

  def __len__(self) -> int:
    """Returns the number of assignments without a record."""
    return len(self._notes)

  def add(self, *note: int) -> int:
    """Adds an assignment; returns its key."""
    key, self._next_key = self._next_key, self._next_key + 1
    self._notes[key] = list(note)
    if len(self._notes) > _MAX_OUTSTANDING:
      del self._notes[next(iter(self._notes))]
    return key

  def take(self, key: int) -> list[int] | None:
    """Removes an assignment; None if the key is unknown or was taken."""
    return self._notes.pop(key, None)

  def state_dict(self) -> dict[str, Any]:
    """Returns the state, as lists."""
    return {
      "next_key": self._next_key,
      "notes": [[key, *note] for key, note in self._notes.items()],
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state from `state_dict`."""
    self._next_key = int(state["next_key"])
    self._notes = {key: note for key, *note in state["notes"]}


class Decisions:
  """Decisions that are not logged yet, and the recent acceptance rate."""

  def __init__(self):
    """Makes an empty list."""
    self._untaken: collections.deque[base.Decision] = collections.deque(
      maxlen=_MAX_DECISIONS
    )
    self._accepted = statistics.RecentMean()

  def add(self, index: int, accepted: bool, why: str, score: float) -> None:
    """Adds a decision, see `base.Decision`."""
    self._untaken.append(base.Decision(index, accepted, why, score))
    self._accepted.add(float(accepted))

  @property
  def accepted_share(self) -> float:
    """Fraction of recently decided tasks that were accepted."""
    return self._accepted.mean

  def take(self) -> list[base.Decision]:
    """Returns the decisions since the last call, oldest first."""
    taken = list(self._untaken)
    self._untaken.clear()
    return taken

  def state_dict(self) -> dict[str, Any]:
    """Returns the state, without the decisions that are not yet taken."""
    return self._accepted.state_dict()

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state from `state_dict`."""
    self._accepted.load_state_dict(state)
