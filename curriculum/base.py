"""What every curriculum does: the seam between actors and task choice."""

from typing import Any, NamedTuple, Protocol

import numpy as np

# Tasks are functions of an index, so a pool has no cost; this is the size of
# the paper's larger pool (§1.6).
POOL_SIZE = 25_000_000_000


class Assignment(NamedTuple):
  """A task for an actor to play.

  Attributes:
    key: Identifies the assignment, for the record that comes back.
    task: What to play, as the curriculum's `sample_task` gave it: a task,
      whose number of trials is the episode's, or what stands for one until it
      is drawn.
    learn: Whether the episode's unrolls go to the learner (Robust PLR
      evaluates new tasks without learning from them).
  """

  key: int
  task: Any
  learn: bool


class EpisodeRecord(NamedTuple):
  """What an actor reports of one finished episode.

  Attributes:
    key: The assignment's key.
    learn: The assignment's flag.
    rewards: Reward of each trial, seconds, float32 [K].
    td_error: Mean |r + γ v(t+1) - v(t)| of the last trial (section 5.2).
    value_error: Mean |v_0(t+1) - v_1(t)| of the last trial.
    policy_error: Mean JS(π_0(t+1), π_1(t)) of the last trial.
  """

  key: int
  learn: bool
  rewards: np.ndarray
  td_error: float
  value_error: float
  policy_error: float


class Curriculum(Protocol):
  """Chooses tasks and learns from how they went."""

  def next_tasks(self, n: int) -> list[Assignment]:
    """Returns the next n tasks to play."""
    ...

  def report(self, record: EpisodeRecord) -> None:
    """Takes in a finished episode; unknown keys are ignored."""
    ...

  def state_dict(self) -> dict[str, Any]:
    """Returns what restores this curriculum, fit for JSON."""
    ...

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores what `state_dict` returned."""
    ...

  def metrics(self) -> dict[str, float]:
    """Returns numbers worth plotting."""
    ...


def check_kind(state: dict[str, Any], kind: str) -> None:
  """Raises ValueError unless a curriculum of this kind saved the state."""
  if state.get("kind") != kind:
    raise ValueError(
      f"The saved curriculum is {state.get('kind')!r}, this run has {kind!r}."
    )
