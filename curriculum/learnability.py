"""Sampling for learnability (arXiv 2408.15099).

From time to time the agent plays each task of a batch of new tasks several
times. Tasks that it solves sometimes, but not always, have the highest
learnability p (1 - p), where p is the fraction of episodes solved. The most
learnable tasks of the batch are learned from until the next batch, together
with new tasks drawn uniformly.
"""

import collections
import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.curriculum import base, ledger, statistics, validation

_SCORE, _KEPT, _NEW = range(3)


@dataclasses.dataclass(frozen=True)
class LearnabilityConfig:
  """Settings of sampling for learnability.

  The paper scores 5,000 levels of grid worlds; the defaults here suit episodes
  that take seconds to simulate.

  Attributes:
    candidates: New tasks of a batch.
    rollouts: Episodes that score each of them.
    kept: Maximum number of tasks of the batch that are learned from.
    replay_probability: Probability that an episode learned from has a kept
      task; otherwise it has a new one.
    train_episodes: Episodes learned from between two batches.
    solved: An episode is solved if its last trial's reward is above this
      fraction of the trial's duration.
  """

  candidates: int = 64
  rollouts: int = 4
  kept: int = 32
  replay_probability: float = 0.5
  train_episodes: int = 1000
  solved: float = 0.1

  def __post_init__(self):
    for name, least, most in (
      ("candidates", 1, 10_000),
      ("rollouts", 2, 1_000),  # p (1 - p) needs two.
      ("kept", 1, 10_000),
      ("train_episodes", 1, 1_000_000_000),
    ):
      value = getattr(self, name)
      self._require(least <= value <= most, name, f"{least} to {most}")
    self._require(
      self.kept <= self.candidates,
      "kept",
      f"at most candidates ({self.candidates})",
    )
    self._require(
      0.0 <= self.replay_probability <= 1.0, "replay_probability", "0 to 1"
    )
    self._require(0.0 <= self.solved < 1.0, "solved", "from 0, below 1")

  def _require(self, ok: bool, name: str, allowed: str) -> None:
    value = getattr(self, name)
    validation.require(ok, f"curriculum.learnability.{name}", value, allowed)


def score(solved: Sequence[bool]) -> float:
  """Returns the learnability p (1 - p), where p is the fraction solved."""
  p = sum(solved) / len(solved)
  return p * (1.0 - p)


class LearnabilityCurriculum:
  """A curriculum of the most learnable tasks of batches, and of new ones."""

  def __init__(
    self,
    config: LearnabilityConfig,
    sample_task: Callable[[int], Any],
    seed: int,
    num_tasks: int = base.POOL_SIZE,
    draw_coplayer: base.DrawCoplayer | None = None,
  ):
    """Makes a curriculum, which first scores a batch.

    Args:
      config: Its settings.
      sample_task: Returns the task of an index below num_tasks, or a
        placeholder for it; assignments carry it, and nothing here inspects it.
      seed: Seed of the draws.
      num_tasks: Size of the pool.
      draw_coplayer: Draws the co-player of a new task, if tasks have one.
    """
    self._config = config
    self._sample_task = sample_task
    self._num_tasks = num_tasks
    self._draw_coplayer = draw_coplayer
    self._rng = np.random.Generator(np.random.PCG64(seed))
    self._outstanding = ledger.Outstanding()
    self._decisions = ledger.Decisions()
    self._kept: list[int] = []
    # The batch being scored: episodes to play, and whether each task's episodes
    # were solved.
    self._batch = 0
    self._to_score: collections.deque[int] = collections.deque()
    self._solved: dict[int, list[bool]] = {}
    # Episodes assigned for learning since the last batch.
    self._trained = 0
    self._drawn = 0
    self._kept_score = 0.0
    self._learn_share = statistics.RecentMean()
    self._train_reward = statistics.RecentMean()
    self._begin_batch()

  def _begin_batch(self) -> None:
    """Draws a batch of new tasks and plans their episodes."""
    config = self._config
    self._batch += 1
    # Draws from a small pool may repeat a task.
    self._solved = {self._draw_index(): [] for _ in range(config.candidates)}
    self._drawn += len(self._solved)
    self._to_score = collections.deque(list(self._solved) * config.rollouts)
    self._trained = 0

  def _draw_index(self) -> int:
    return base.draw_index(self._rng, self._num_tasks, self._draw_coplayer)

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    return [self._next_task() for _ in range(n)]

  def _next_task(self) -> base.Assignment:
    learn = not self._to_score
    self._learn_share.add(float(learn))
    if not learn:
      index, purpose = self._to_score.popleft(), _SCORE
    elif self._kept and self._rng.random() < self._config.replay_probability:
      index, purpose = self._kept[self._rng.integers(len(self._kept))], _KEPT
    else:
      index, purpose = self._draw_index(), _NEW
      self._drawn += 1
    key = self._outstanding.add(index, purpose, self._batch)
    if learn:
      self._trained += 1
      if self._trained >= self._config.train_episodes:
        # Records of the batch may be missing, from actors that died.
        self._decide()
        self._begin_batch()
    return base.Assignment(key, self._sample_task(index), learn)

  def report(self, record: base.EpisodeRecord) -> None:
    """Adds an episode's record; unknown and repeated keys are ignored."""
    note = self._outstanding.take(record.key)
    if note is None:
      return
    index, purpose, batch = note
    if purpose != _SCORE:
      if not record.guided:
        self._train_reward.add(float(np.mean(record.rewards)))
      return
    if batch != self._batch or index not in self._solved:
      return
    if record.guided:
      # A scripted player took part in it: play the task again.
      self._to_score.append(index)
      return
    share = float(record.rewards[-1]) / record.trial_seconds
    self._solved[index].append(share > self._config.solved)
    rollouts = self._config.rollouts
    if all(len(solved) >= rollouts for solved in self._solved.values()):
      self._decide()

  def _decide(self) -> None:
    """Keeps the most learnable tasks of the batch, and ends it."""
    if not self._solved:
      return
    scores = {
      index: score(solved)
      for index, solved in self._solved.items()
      if len(solved) >= 2
    }
    ranked = sorted(scores, key=lambda index: -scores[index])
    ranked = [index for index in ranked if scores[index] > 0.0]
    self._kept = ranked[: self._config.kept]
    self._kept_score = 0.0
    if self._kept:
      self._kept_score = sum(scores[i] for i in self._kept) / len(self._kept)
    kept = set(self._kept)
    for index, solved in self._solved.items():
      if index in kept:
        why = "among the most learnable"
      elif index not in scores:
        why = "not played"
      elif scores[index] > 0.0:
        why = "others are more learnable"
      else:
        why = "always solved" if all(solved) else "never solved"
      self._decisions.add(index, index in kept, why, scores.get(index, 0.0))
    self._solved = {}

  def take_decisions(self) -> list[base.Decision]:
    """See `base.Deciding`; the score is the learnability."""
    return self._decisions.take()

  def state_dict(self) -> dict[str, Any]:
    """See `base.Curriculum`."""
    return {
      "kind": "learnability",
      "generator": copy.deepcopy(self._rng.bit_generator.state),
      "outstanding": self._outstanding.state_dict(),
      "decisions": self._decisions.state_dict(),
      "kept": list(self._kept),
      "batch": self._batch,
      "to_score": list(self._to_score),
      "solved": [[index, list(x)] for index, x in self._solved.items()],
      "trained": self._trained,
      "drawn": self._drawn,
      "kept_score": self._kept_score,
      "learn_share": self._learn_share.state_dict(),
      "train_reward": self._train_reward.state_dict(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """See `base.Curriculum`."""
    base.check_kind(state, "learnability")
    self._rng.bit_generator.state = copy.deepcopy(state["generator"])
    self._outstanding.load_state_dict(state["outstanding"])
    self._decisions.load_state_dict(state["decisions"])
    self._kept = list(state["kept"])
    self._batch = int(state["batch"])
    self._to_score = collections.deque(state["to_score"])
    self._solved = {index: list(solved) for index, solved in state["solved"]}
    self._trained, self._drawn = int(state["trained"]), int(state["drawn"])
    self._kept_score = float(state["kept_score"])
    self._learn_share.load_state_dict(state["learn_share"])
    self._train_reward.load_state_dict(state["train_reward"])

  def metrics(self) -> dict[str, float]:
    """Returns counts, recent shares and rewards, and the kept tasks' score."""
    return {
      "accepted_share": self._decisions.accepted_share,
      "kept_tasks": float(len(self._kept)),
      "kept_learnability": self._kept_score,
      "learn_share": self._learn_share.mean,
      "outstanding": float(len(self._outstanding)),
      "tasks_drawn": float(self._drawn),
      "trial_reward_s": self._train_reward.mean,
    }
