"""Robust prioritised level replay, as in AdA (arXiv 2301.07608).

A draw either trains on a task from the archive or evaluates a new one. Only the
former is learned from. An episode's fitness is an error of the agent's
predictions in the last trial, compared with other tasks with the same number of
trials; the archive keeps the fittest tasks.
"""

import collections
import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from adaland.curriculum import archive, base, ledger, statistics, validation

# Why the archive keeps a task or not, by the result of `Archive.offer`.
_WHY = {
  "room": "there is room in the archive",
  "better": "fitter than the archive's worst",
  "": "less fit than the archive's worst",
}
FITNESSES = ("td_error", "value", "policy")


@dataclasses.dataclass(frozen=True)
class PLRConfig:
  """Settings of prioritised level replay; the defaults are the paper's.

  Attributes:
    replay_probability: Probability p that a draw trains on an archived task.
    capacity: Tasks that the archive keeps (N_max).
    min_fraction: Fraction of the capacity, or of a smaller pool of tasks, that
      must be archived before training starts (N_min). Until then no episode is
      learned from.
    train_trials: Number of trials for which a draw trains, rounded up to whole
      episodes.
    staleness: Weight of staleness relative to fitness in the draws.
    beta: Temperature of the fitness ranks (not published; Jiang et al. 2021
      use 0.1 to 0.3).
    fitness: The error that makes a task fit: 'td_error', or the error of the
      model's prediction of the next step's 'value' or 'policy'.
  """

  replay_probability: float = 0.2
  capacity: int = 1000
  min_fraction: float = 0.9
  train_trials: int = 30
  staleness: float = 0.2
  beta: float = 0.3
  fitness: str = "td_error"

  def __post_init__(self):
    for name, ok, allowed in (
      (
        "replay_probability",
        0.0 < self.replay_probability <= 1.0,
        "above 0, to 1",
      ),
      ("capacity", 1 <= self.capacity <= 1_000_000, "1 to 1000000"),
      ("min_fraction", 0.0 <= self.min_fraction <= 1.0, "0 to 1"),
      ("train_trials", 1 <= self.train_trials <= 10_000, "1 to 10000"),
      ("staleness", 0.0 <= self.staleness <= 1.0, "0 to 1"),
      ("beta", self.beta > 0.0, "above 0"),
      ("fitness", self.fitness in FITNESSES, ", ".join(FITNESSES)),
    ):
      value = getattr(self, name)
      validation.require(ok, f"curriculum.plr.{name}", value, allowed)

  def min_size(self, num_tasks: int) -> int:
    """Returns the number of archived tasks that training needs.

    Args:
      num_tasks: Size of the pool, which may be smaller than the archive.
    """
    room = min(self.capacity, num_tasks)
    return max(1, math.ceil(self.min_fraction * room))


class _Episode(NamedTuple):
  """The task of an assignment, and its training visit (0 if none)."""

  index: int
  visit: int


class PLRCurriculum:
  """A curriculum of new tasks and of tasks from the archive.

  The fitness of an episode of K trials is (e - μ_K) / σ_K, where e is the error
  that `PLRConfig.fitness` names, and μ_K and σ_K are its mean and standard
  deviation over the evaluations of new tasks with K trials, so that a task is
  compared with the pool and not with the archive's selection. A training visit
  replaces the task's fitness by the mean over the visit's episodes.
  """

  def __init__(
    self,
    config: PLRConfig,
    sample_task: Callable[[int], Any],
    seed: int,
    num_tasks: int = base.POOL_SIZE,
    draw_coplayer: base.DrawCoplayer | None = None,
  ):
    """Makes a curriculum with an empty archive.

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
    self._archive = archive.Archive(config.capacity)
    self._moments: dict[int, statistics.RunningMoments] = {}
    self._draws = 0
    self._min_size = config.min_size(num_tasks)
    # Episodes of training visits that are not assigned yet.
    self._to_train: collections.deque[_Episode] = collections.deque()
    self._outstanding = ledger.Outstanding()
    # The latest training visit and the fitness of its episodes, by task.
    self._visits: dict[int, tuple[int, list[float]]] = {}
    self._decisions = ledger.Decisions()
    self._learn_share = statistics.RecentMean()
    self._train_reward = statistics.RecentMean()
    self._new_reward = statistics.RecentMean()

  def _draw_index(self) -> int:
    return base.draw_index(self._rng, self._num_tasks, self._draw_coplayer)

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    return [self._next_task() for _ in range(n)]

  def report(self, record: base.EpisodeRecord) -> None:
    """Adds an episode's record; unknown and repeated keys are ignored."""
    note = self._outstanding.take(record.key)
    if note is None or record.guided:
      # A scripted player's episode says nothing about the agent's errors.
      return
    episode = _Episode(*note)
    learned = episode.visit > 0
    reward = self._train_reward if learned else self._new_reward
    reward.add(float(np.mean(record.rewards)))
    error = self._error(record)
    if not math.isfinite(error):
      return
    trials = len(record.rewards)
    moments = self._moments.setdefault(trials, statistics.RunningMoments())
    fitness = moments.z_score(error)
    if learned:
      self._refresh(episode, fitness)
      return
    moments.add(error)
    if episode.index in self._archive:
      self._archive.refresh(episode.index, fitness)
    else:
      kept = self._archive.offer(episode.index, fitness, trials, self._draws)
      self._decisions.add(episode.index, bool(kept), _WHY[kept], fitness)

  def take_decisions(self) -> list[base.Decision]:
    """See `base.Deciding`; the score is the fitness."""
    return self._decisions.take()

  def state_dict(self) -> dict[str, Any]:
    """See `base.Curriculum`."""
    return {
      "kind": "plr",
      "generator": copy.deepcopy(self._rng.bit_generator.state),
      "draws": self._draws,
      "archive": self._archive.state_dict(),
      "moments": [
        [trials, moments.state_dict()]
        for trials, moments in self._moments.items()
      ],
      "to_train": [list(episode) for episode in self._to_train],
      "outstanding": self._outstanding.state_dict(),
      "visits": [
        [index, visit, list(scores)]
        for index, (visit, scores) in self._visits.items()
      ],
      "decisions": self._decisions.state_dict(),
      "learn_share": self._learn_share.state_dict(),
      "train_reward": self._train_reward.state_dict(),
      "new_reward": self._new_reward.state_dict(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """See `base.Curriculum`."""
    base.check_kind(state, "plr")
    self._rng.bit_generator.state = copy.deepcopy(state["generator"])
    self._draws = int(state["draws"])
    self._archive.load_state_dict(state["archive"])
    self._moments = {}
    for trials, saved in state["moments"]:
      self._moments[int(trials)] = statistics.RunningMoments()
      self._moments[int(trials)].load_state_dict(saved)
    self._to_train = collections.deque(
      _Episode(*episode) for episode in state["to_train"]
    )
    outstanding = state["outstanding"]
    if isinstance(outstanding, list):  # In checkpoints of earlier versions.
      outstanding = {"next_key": state["next_key"], "notes": outstanding}
    self._outstanding.load_state_dict(outstanding)
    self._visits = {
      index: (visit, list(scores)) for index, visit, scores in state["visits"]
    }
    if "decisions" in state:  # Checkpoints of earlier versions have none.
      self._decisions.load_state_dict(state["decisions"])
    self._learn_share.load_state_dict(state["learn_share"])
    self._train_reward.load_state_dict(state["train_reward"])
    self._new_reward.load_state_dict(state["new_reward"])

  def metrics(self) -> dict[str, float]:
    """Returns the archive's size and means, and recent shares and rewards."""
    return {
      "archive_size": float(len(self._archive)),
      "archive_fitness": self._archive.mean_fitness,
      "archive_trials": self._archive.mean_trials,
      "accepted_share": self._decisions.accepted_share,
      "learn_share": self._learn_share.mean,
      "outstanding": float(len(self._outstanding)),
      "tasks_drawn": float(self._draws),
      "trial_reward_s": self._train_reward.mean,
      "new_trial_reward_s": self._new_reward.mean,
    }

  def _next_task(self) -> base.Assignment:
    if not self._to_train:
      self._draw()
    if self._to_train:
      episode = self._to_train.popleft()
    else:
      episode = _Episode(self._draw_index(), 0)
    learn = episode.visit > 0
    key = self._outstanding.add(*episode)
    self._learn_share.add(float(learn))
    return base.Assignment(key, self._sample_task(episode.index), learn)

  def _draw(self) -> None:
    """Decides between training, which queues a visit, and a new task."""
    self._draws += 1
    config = self._config
    if len(self._archive) < self._min_size:
      return
    if self._rng.random() >= config.replay_probability:
      return
    index = self._archive.draw(
      self._rng, self._draws, config.beta, config.staleness
    )
    trials = self._archive.trials(index)
    episodes = math.ceil(config.train_trials / trials)
    self._to_train.extend([_Episode(index, self._draws)] * episodes)
    archived = set(self._archive.indices)
    self._visits = {i: v for i, v in self._visits.items() if i in archived}
    self._visits[index] = (self._draws, [])

  def _refresh(self, episode: _Episode, fitness: float) -> None:
    """Adds a trained episode; late ones from an earlier visit don't count."""
    visit, scores = self._visits.get(episode.index, (0, []))
    if visit == episode.visit:
      scores.append(fitness)
      self._archive.refresh(episode.index, sum(scores) / len(scores))

  def _error(self, record: base.EpisodeRecord) -> float:
    return float(
      {
        "td_error": record.td_error,
        "value": record.value_error,
        "policy": record.policy_error,
      }[self._config.fitness]
    )
