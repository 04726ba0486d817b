"""The live line and the rows of metrics of a training run."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from adaland.launch.config import experiment
from adaland.launch.run import metrics, progress


class Played(Protocol):
  """The results of play that a row shows."""

  def trial_rewards(self) -> list[float]:
    """See `CountedCurriculum.trial_rewards`."""
    ...

  def episode_reward(self) -> float:
    """See `CountedCurriculum.episode_reward`."""
    ...

  def curriculum_metrics(self) -> dict[str, float]:
    """See `CountedCurriculum.curriculum_metrics`."""
    ...


class Status:
  """A collector of numbers between two rows of metrics.

  Args:
    run: Bounds of the run and the time between rows.
    line: The live line.
    writer: Receives the rows.
    clock: Monotonic seconds.

  Attributes:
    row: The last row written.
  """

  def __init__(
    self,
    run: experiment.RunConfig,
    line: progress.Progress,
    writer: metrics.MetricsWriter,
    clock: Callable[[], float] = time.monotonic,
  ):
    self._clock = clock
    self._run = run
    self._line = line
    self._writer = writer
    self._rates = progress.Rates(clock)
    self._values: list[Mapping[str, Any]] = []
    self._learned = 0
    self._lags: list[float] = []
    self._weights: list[int] = []
    self._next = clock() + run.log_seconds
    self._rewarded = False
    self.row: dict[str, float] = {}

  def add(
    self, values: Mapping[str, Any], steps: int, lag: float, updates: int = 1
  ) -> None:
    """Adds one update, or the mean of several.

    Args:
      values: The learner's metrics, perhaps still being computed.
      steps: Steps of players in the batch, or in all batches; with two that
        learn, a step of an environment counts twice, and `samples_per_insert`
        is up to twice the config's.
      lag: Updates since the parameters that acted in the batch, on average.
      updates: Number of updates.
    """
    self._values.append(values)
    self._weights.append(updates)
    self._learned += steps
    self._lags.append(lag)

  def due(self) -> bool:
    """Returns True if it is time for a row."""
    return self._clock() >= self._next

  def show(
    self,
    counters: Mapping[str, float],
    played: Played,
    force: bool = False,
    roles: Mapping[str, float] | None = None,
  ) -> None:
    """Shows and writes a row if it is time, or if it is forced.

    Args:
      counters: The run's counters.
      played: The results of play.
      force: True to write a row before it is time.
      roles: Numbers of single roles, for the row.
    """
    if not force and not self.due():
      return
    self._next = self._clock() + self._run.log_seconds
    rates = self._rates({**counters, "learned": self._learned})
    rewards = played.trial_rewards()
    row = {name: float(value) for name, value in counters.items()}
    row |= {
      "env_steps_per_s": rates["env_steps"],
      "updates_per_s": rates["updates"],
      "learner_steps_per_s": rates["learned"],
    }
    row |= {f"reward/trial_{k + 1}": r for k, r in enumerate(rewards)}
    if rewards:
      row["reward/episode"] = float(played.episode_reward())
    if rates["env_steps"] > 0:
      row["samples_per_insert"] = rates["learned"] / rates["env_steps"]
    if self._values:
      row["params_lag"] = float(np.average(self._lags, weights=self._weights))
      row |= self._means(jax.device_get(self._values))
    row |= played.curriculum_metrics() | dict(roles or {})
    self._values, self._lags, self._weights = [], [], []
    self._writer.write(int(counters["env_steps"]), row)
    self.row = row
    # The first reward is shown at once.
    self._line.update(
      self._text(row, rewards), force=force or bool(rewards) > self._rewarded
    )
    self._rewarded = bool(rewards)

  def _means(self, values: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Returns each metric's mean over the updates that have it."""
    found: dict[str, tuple[list[Any], list[int]]] = {}
    for update, weight in zip(values, self._weights, strict=True):
      for name, value in update.items():
        of_name, weights = found.setdefault(name, ([], []))
        of_name.append(value)
        weights.append(weight)
    return {
      name: float(np.average(of_name, weights=weights))
      for name, (of_name, weights) in found.items()
    }

  def _text(self, row: Mapping[str, float], rewards: list[float]) -> str:
    shown = " ".join(f"{reward:.2f}" for reward in rewards)
    parts = [
      progress.duration(row["seconds"]),
      f"{progress.count(row['env_steps'])} steps "
      f"({progress.count(row['env_steps_per_s'])}/s)",
      f"{progress.count(row['updates'])} updates "
      f"({progress.count(row['learner_steps_per_s'])} steps/s)",
      f"replayed {row.get('samples_per_insert', 0.0):.1f}x",
      f"reward {row.get('reward/episode', 0.0):.2f}"
      + (f" (by trial {shown})" if len(rewards) > 1 else ""),
    ]
    left = self._seconds_left(row)
    if left is not None:
      parts.append(f"{progress.duration(left)} left")
    return " | ".join(parts)

  def _seconds_left(self, row: Mapping[str, float]) -> float | None:
    """Returns the time until the run's first bound, at the current rate."""
    bounds = []
    if self._run.max_minutes:
      bounds.append(60 * self._run.max_minutes - row["seconds"])
    if self._run.max_steps and row["env_steps_per_s"] > 0:
      steps = self._run.max_steps - row["env_steps"]
      bounds.append(steps / row["env_steps_per_s"])
    return min(bounds, default=None)
