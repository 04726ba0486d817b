"""No-op filtering, as in AdA (arXiv 2301.07608).

A new task is played for some trials by the agent and for the same number by an
avatar that does nothing. Tasks that pay too easily, or neither more nor less
than doing nothing, are refused; an accepted task is learned from for a number
of episodes and then dropped.
"""

import collections
import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.curriculum import base, ledger, statistics, validation

_AGENT, _IDLE, _TRAIN = range(3)
# Maximum number of tasks under evaluation; beyond it the oldest are dropped,
# since actors that die never report some of their trials.
_MAX_PROPOSED = 2000
# Attempts to draw a task that is not under evaluation.
_REDRAWS = 10
# Maximum number of a task's trials or episodes.
_MOST_EPISODES = 10_000


@dataclasses.dataclass(frozen=True)
class NoopConfig:
  """Settings of no-op filtering; the defaults are the paper's.

  Rewards are in units of the duration of a trial, T.

  Attributes:
    evaluations: n, trials of a new task that the agent plays, with rewards R,
      and that an idle avatar plays, with rewards R'.
    train_episodes: Episodes that are learned from for each accepted task.
    margin: ε0, by which a reward must differ from those of doing nothing.
    most_idle: ε1; a task is refused if max R' is above it.
    easy: ε2, the reward of an easy trial.
    most_easy: ε3; a task is refused if more of the agent's trials were easy.
    fewest_better: ε4; a task is accepted if at least this many of R reach
      max R' + ε0.
    fewest_worse: ε5; it is also accepted if at least this many of R are at most
      min R' - ε0.
    spread: ε6; a task is refused if max R - min R is below it.
  """

  evaluations: int = 10
  train_episodes: int = 30
  margin: float = 0.01
  most_idle: float = 1.1
  easy: float = 0.4
  most_easy: int = 5
  fewest_better: int = 1
  fewest_worse: int = 3
  spread: float = 0.01

  def __post_init__(self):
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      name = f"curriculum.noop.{field.name}"
      if field.name in ("evaluations", "train_episodes"):
        allowed = 1 <= value <= _MOST_EPISODES
        validation.require(allowed, name, value, f"1 to {_MOST_EPISODES}")
      else:
        validation.require(value >= 0, name, value, "at least 0")


def verdict(
  agent: Sequence[float],
  idle: Sequence[float],
  config: NoopConfig,
) -> str:
  """Returns "" if a task is accepted, else the reason why it is refused.

  Args:
    agent: R, rewards of the agent's trials over the duration of a trial.
    idle: R', the same for doing nothing.
    config: The criteria.
  """
  if max(idle) > config.most_idle:
    return "pays for doing nothing"
  if sum(r >= config.easy for r in agent) > config.most_easy:
    return "too easy"
  better = sum(r >= max(idle) + config.margin for r in agent)
  worse = sum(r <= min(idle) - config.margin for r in agent)
  if better < config.fewest_better and worse < config.fewest_worse:
    return "no different from doing nothing"
  if max(agent) - min(agent) < config.spread:
    return "pays always the same"
  return ""


class NoopCurriculum:
  """A curriculum that learns from tasks that pass a filter."""

  def __init__(
    self,
    config: NoopConfig,
    sample_task: Callable[[int], Any],
    seed: int,
    num_tasks: int = base.POOL_SIZE,
    draw_coplayer: base.DrawCoplayer | None = None,
  ):
    """Makes a curriculum.

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
    # Tasks to learn from, one entry per episode, and trials of proposed tasks.
    self._to_train: collections.deque[int] = collections.deque()
    self._to_evaluate: collections.deque[tuple[int, int]] = collections.deque()
    # Rewards of proposed tasks so far: the agent's, and for doing nothing.
    self._rewards: dict[int, tuple[list[float], list[float]]] = {}
    self._proposed = 0
    self._learn_share = statistics.RecentMean()
    self._train_reward = statistics.RecentMean()

  def _draw_index(self) -> int:
    return base.draw_index(self._rng, self._num_tasks, self._draw_coplayer)

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play; accepted ones come first."""
    return [self._next_task() for _ in range(n)]

  def _next_task(self) -> base.Assignment:
    self._learn_share.add(float(bool(self._to_train)))
    if self._to_train:
      index = self._to_train.popleft()
      key = self._outstanding.add(index, _TRAIN)
      return base.Assignment(key, self._sample_task(index), True)
    if not self._to_evaluate:
      self._propose()
    index, player = self._to_evaluate.popleft()
    return base.Assignment(
      self._outstanding.add(index, player),
      self._sample_task(index),
      learn=False,
      trials=1,
      idle=player == _IDLE,
    )

  def _propose(self) -> None:
    """Draws a task, and plans its trials."""
    index = self._draw_index()
    for _ in range(_REDRAWS):
      if index not in self._rewards:
        break
      index = self._draw_index()
    self._proposed += 1
    # All tasks of a small pool may be under evaluation: then use this one.
    self._rewards.setdefault(index, ([], []))
    if len(self._rewards) > _MAX_PROPOSED:
      del self._rewards[next(iter(self._rewards))]
    for player in (_AGENT, _IDLE):
      self._to_evaluate.extend([(index, player)] * self._config.evaluations)

  def report(self, record: base.EpisodeRecord) -> None:
    """Adds an episode's record; unknown and repeated keys are ignored."""
    note = self._outstanding.take(record.key)
    if note is None:
      return
    index, player = note
    if player == _TRAIN:
      if not record.guided:
        self._train_reward.add(float(np.mean(record.rewards)))
      return
    if index not in self._rewards:
      return
    if player == _AGENT and record.guided:
      # A scripted player took the agent's place: play the trial again.
      self._to_evaluate.append((index, _AGENT))
      return
    share = float(record.rewards[-1]) / record.trial_seconds
    self._rewards[index][player].append(share)
    agent, idle = self._rewards[index]
    most = self._config.evaluations
    if min(len(agent), len(idle)) < most:
      return
    del self._rewards[index]
    agent, idle = agent[:most], idle[:most]
    refused = verdict(agent, idle, self._config)
    self._decisions.add(
      index, not refused, refused or "passes", float(np.mean(agent))
    )
    if not refused:
      self._to_train.extend([index] * self._config.train_episodes)

  def take_decisions(self) -> list[base.Decision]:
    """See `base.Deciding`; the score is the mean of R."""
    return self._decisions.take()

  def state_dict(self) -> dict[str, Any]:
    """See `base.Curriculum`."""
    return {
      "kind": "noop",
      "generator": copy.deepcopy(self._rng.bit_generator.state),
      "outstanding": self._outstanding.state_dict(),
      "decisions": self._decisions.state_dict(),
      "to_train": list(self._to_train),
      "to_evaluate": [list(entry) for entry in self._to_evaluate],
      "rewards": [
        [index, list(agent), list(idle)]
        for index, (agent, idle) in self._rewards.items()
      ],
      "proposed": self._proposed,
      "learn_share": self._learn_share.state_dict(),
      "train_reward": self._train_reward.state_dict(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """See `base.Curriculum`."""
    base.check_kind(state, "noop")
    self._rng.bit_generator.state = copy.deepcopy(state["generator"])
    self._outstanding.load_state_dict(state["outstanding"])
    self._decisions.load_state_dict(state["decisions"])
    self._to_train = collections.deque(state["to_train"])
    self._to_evaluate = collections.deque(
      (index, player) for index, player in state["to_evaluate"]
    )
    self._rewards = {
      index: (list(agent), list(idle))
      for index, agent, idle in state["rewards"]
    }
    self._proposed = int(state["proposed"])
    self._learn_share.load_state_dict(state["learn_share"])
    self._train_reward.load_state_dict(state["train_reward"])

  def metrics(self) -> dict[str, float]:
    """Returns counts, recent shares and the recent mean reward of a trial."""
    return {
      "accepted_share": self._decisions.accepted_share,
      "learn_share": self._learn_share.mean,
      "outstanding": float(len(self._outstanding)),
      "tasks_drawn": float(self._proposed),
      "trial_reward_s": self._train_reward.mean,
    }
