"""The interface of curricula, between the actors and the choice of tasks.

Your own curriculum can be any class with the methods of `Curriculum` and a
constructor that takes `(sample_task, seed)`; no registration is needed. This
one plays the tasks in the order of their indices::

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

`adaland.curriculum.checks` tests whether such a class keeps the contract.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from adaland.curriculum import coplayers

# Default size of a pool: the larger of AdA's two (arXiv 2301.07608).
POOL_SIZE = 25_000_000_000
# Size of an assignment's key. Curriculum servers use the bits above.
KEY_BITS = 64
# Key of a record of an assignment that the curriculum never made.
UNKNOWN_KEY = -1
# NumPy draws 64-bit integers, but a family may have more tasks than that.
_MAX_INDICES = 2**62


class Assignment(NamedTuple):
  """A task for an actor to play.

  Attributes:
    key: Identifies the assignment in the record that is reported later; an int
      from 0 to 2^64 - 1.
    task: The task, as the curriculum's `sample_task` returned it, or a
      placeholder until the actor draws it.
    learn: Whether the episode's unrolls go to the learner (Robust PLR
      evaluates new tasks without learning from them).
    trials: Number of trials of the episode; 0 for the task's own number.
    idle: Whether the avatar does nothing instead of taking the agent's actions.
    coplayer: Number of the player in a task's second seat; see `coplayers`.
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
    key: The assignment's key; UNKNOWN_KEY if the process that made the
      assignment has been restarted since.
    learn: The assignment's flag.
    rewards: Reward of each trial, seconds, float32 [K].
    td_error: Mean abs(r + γ v(t+1) - v(t)) of the last trial.
    value_error: Mean abs(v_0(t+1) - v_1(t)) of the last trial.
    policy_error: Mean JS(π_0(t+1), π_1(t)) of the last trial.
    trial_seconds: Duration of a trial, which is its maximum reward.
    guided: True if a scripted player took part in the episode or the avatar was
      idle, so that the rewards are not the agent's own.
  """

  key: int
  learn: bool
  rewards: np.ndarray
  td_error: float
  value_error: float
  policy_error: float
  trial_seconds: float
  guided: bool = False


class Decision(NamedTuple):
  """A curriculum's decision on a task, for the run's log.

  Attributes:
    index: The task's index in the pool, or the number of its pair with a
      co-player.
    accepted: Whether the task will be learned from.
    why: The reason, in a few words.
    score: The score that was decisive; its meaning depends on the curriculum.
  """

  index: int
  accepted: bool
  why: str
  score: float


class Curriculum(Protocol):
  """A chooser of tasks that learns from the episodes played."""

  def next_tasks(self, n: int) -> list[Assignment]:
    """Returns the next n tasks to play, with n distinct keys."""
    ...

  def report(self, record: EpisodeRecord) -> None:
    """Adds the record of a finished episode; unknown keys are ignored."""
    ...

  def state_dict(self) -> dict[str, Any]:
    """Returns a JSON state; a curriculum restored from it chooses the same."""
    ...

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state that `state_dict` returned."""
    ...

  def metrics(self) -> dict[str, float]:
    """Returns numbers to plot."""
    ...


@runtime_checkable
class Deciding(Protocol):
  """A curriculum that accepts or refuses tasks, with reasons."""

  def take_decisions(self) -> list[Decision]:
    """Returns the decisions since the last call, oldest first."""
    ...


# Called with `sample_task`, which returns the task of an index (modulo the
# number of tasks), and the seed of the draws.
CurriculumFactory = Callable[[Callable[[int], Any], int], Curriculum]


# Draws a co-player's number.
DrawCoplayer = Callable[[np.random.Generator], int]


def draw_index(
  rng: np.random.Generator,
  num_tasks: int,
  draw_coplayer: DrawCoplayer | None = None,
) -> int:
  """Draws the index of a task uniformly.

  Args:
    rng: Generator of the draw.
    num_tasks: Number of tasks.
    draw_coplayer: Draws a co-player; if given, the number of the pair of task
      and co-player is returned (see `coplayers.join`).
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
