"""The interface of curricula, between the actors and the choice of tasks.

A user's curriculum is any class with the methods of `Curriculum` and a
constructor that takes `(sample_task, seed)`; nothing is registered. This one
plays the tasks in the order of their indices::

    class InOrder:
      def __init__(self, sample_task, seed):
        self._sample_task = sample_task
        self._next = 0

      def next_tasks(self, n):
        indices = range(self._next, self._next + n)
        self._next += n
        return [
          base.Assignment(key=i, task=self._sample_task(i), learn=True)
          for i in indices
        ]

      def report(self, record): ...

      def state_dict(self):
        return {"next": self._next}

      def load_state_dict(self, state):
        self._next = state["next"]

      def metrics(self):
        return {"tasks_drawn": float(self._next)}

`adaland.curriculum.checks` tells whether such a class keeps the contract.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from adaland.curriculum import coplayers

# Size of a pool where none is given: the larger one of AdA (arXiv 2301.07608).
POOL_SIZE = 25_000_000_000
# Size of an assignment's key. Servers of curricula need the bits above.
KEY_BITS = 64
# Key of a record whose assignment the curriculum has never made.
UNKNOWN_KEY = -1
# NumPy draws 64-bit numbers; a family may have more tasks.
_MAX_INDICES = 2**62


class Assignment(NamedTuple):
  """A task for an actor to play.

  Attributes:
    key: Identifies the assignment, for the record that comes back; an int from
      0 to 2^64 - 1.
    task: The task, as the curriculum's `sample_task` returned it, or a
      stand-in until the actor draws it.
    learn: Whether the episode's unrolls go to the learner (Robust PLR
      evaluates new tasks without learning from them).
    trials: Trials of the episode in place of the task's own; 0: the task's.
    idle: Whether the avatar takes no action in place of the agent's.
    coplayer: Who plays a task's second player; see `coplayers`.
  """

  key: int
  task: Any
  learn: bool
  trials: int = 0
  idle: bool = False
  coplayer: int = coplayers.SELF


class EpisodeRecord(NamedTuple):
  """An actor's report of one finished episode.

  Attributes:
    key: The assignment's key; UNKNOWN_KEY if a process that was restarted since
      gave it.
    learn: The assignment's flag.
    rewards: Reward of each trial, seconds, float32 [K].
    td_error: Mean abs(r + γ v(t+1) - v(t)) of the last trial.
    value_error: Mean abs(v_0(t+1) - v_1(t)) of the last trial.
    policy_error: Mean JS(π_0(t+1), π_1(t)) of the last trial.
    guided: True if a scripted player had a part in the episode, or the avatar
      was idle; its rewards are not the agent's alone.
    trial_seconds: Duration of a trial, the most that it can pay.
  """

  key: int
  learn: bool
  rewards: np.ndarray
  td_error: float
  value_error: float
  policy_error: float
  guided: bool = False
  trial_seconds: float = 0.0


class Decision(NamedTuple):
  """A choice of a curriculum's, for the run's log.

  Attributes:
    index: The task's index in the pool, or the number of a pair with a
      co-player.
    accepted: Whether the task will be learned from.
    why: The reason, a few words.
    score: What the choice was made by; its meaning is the curriculum's.
  """

  index: int
  accepted: bool
  why: str
  score: float


class Curriculum(Protocol):
  """A chooser of tasks that learns from the episodes played."""

  def next_tasks(self, n: int) -> list[Assignment]:
    """Returns the next n tasks to play, with n different keys."""
    ...

  def report(self, record: EpisodeRecord) -> None:
    """Adds the record of a finished episode; unknown keys are ignored."""
    ...

  def state_dict(self) -> dict[str, Any]:
    """Returns the state for JSON; a restored curriculum chooses alike."""
    ...

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state that `state_dict` returned."""
    ...

  def metrics(self) -> dict[str, float]:
    """Returns numbers worth plotting."""
    ...


@runtime_checkable
class Deciding(Protocol):
  """A curriculum that accepts or refuses tasks, and can tell why."""

  def take_decisions(self) -> list[Decision]:
    """Returns the decisions since the last call, oldest first."""
    ...


# Called with `sample_task`, which returns the task of an index, taken modulo
# the number of tasks, and the seed of the draws.
CurriculumFactory = Callable[[Callable[[int], Any], int], Curriculum]


# Draws a co-player's number.
DrawCoplayer = Callable[[np.random.Generator], int]


def draw_index(
  rng: np.random.Generator,
  num_tasks: int,
  draw_coplayer: DrawCoplayer | None = None,
) -> int:
  """Draws the index of a task, each as likely as any other.

  Args:
    rng: Generator of the draw.
    num_tasks: Number of tasks.
    draw_coplayer: Draws a co-player; then the number of its pair with the task
      is returned (see `coplayers.join`).
  """
  if draw_coplayer is None:
    return int(rng.integers(min(num_tasks, _MAX_INDICES)))
  index = int(rng.integers(min(num_tasks, coplayers.MAX_TASKS)))
  return coplayers.join(index, draw_coplayer(rng))


def check_kind(state: dict[str, Any], kind: str) -> None:
  """Raises ValueError unless a curriculum of this kind saved the state."""
  if state.get("kind") != kind:
    raise ValueError(
      f"The saved curriculum is {state.get('kind')!r}, this run has {kind!r}."
    )
