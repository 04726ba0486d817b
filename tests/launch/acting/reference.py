"""Unrolls and records of the fakes, worked out slowly, one row at a time."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaland.agent import types
from adaland.curriculum import base, coplayers
from tests.launch.acting import fakes


@dataclasses.dataclass
class _Episode:
  """An episode under way.

  Attributes:
    row: The environment.
    assignment: The environment's assignment.
    memory: Each player's memory before each step so far and at the end, [P].
    at: Steps taken so far.
    start: First step of the unroll under way.
  """

  row: int
  assignment: base.Assignment
  memory: list[np.ndarray]
  at: int = 0
  start: int = 0

  @property
  def steps(self) -> int:
    """Number of steps of the whole episode."""
    task = self.assignment.task
    return task.trials * task.trial_steps


def play(
  num_envs: int,
  times: int,
  length: int,
  store_memory: bool,
  version: int,
  pool: Sequence[int] = (),
) -> tuple[list[types.Unroll], list[tuple[int, base.EpisodeRecord]]]:
  """Returns the unrolls, and the records with the time of the episode's end.

  Args:
    num_envs: Environments.
    times: Number of times they are observed.
    length: Steps of an unroll.
    store_memory: Whether unrolls carry their initial memory.
    version: Version of the parameters.
    pool: Like `coplayers` of `fakes.Assignments`; if any, two players play.
  """
  source = fakes.Assignments(pool)
  num_players = 2 if pool else 1
  memories = [np.full(num_players, fakes.FIRST_MEMORY)] * num_envs
  episodes: list[_Episode | None] = [None] * num_envs
  unrolls, records = [], []
  for time in range(times):
    for row, memory in enumerate(memories):
      if episodes[row] is None:
        episodes[row] = _Episode(row, source.next_task(), [memory])
    for row, episode in enumerate(episodes):
      assert episode is not None
      is_last = episode.at == episode.steps
      if is_last or episode.at == episode.start + length:
        for player in _learning(episode.assignment):
          unrolls.append(
            _unroll(episode, player, length, store_memory, version)
          )
        episode.start = episode.at - 1
      previous = episode.memory[-1] if episode.at else np.zeros(num_players)
      numbers = row * num_players + np.arange(num_players)
      episode.memory.append(previous + episode.at + numbers)
      if is_last:
        records.append((time, _record(episode)))
        memories[row], episodes[row] = episode.memory[-1], None
      episode.at += 1
  return unrolls, records


def _learning(assignment: base.Assignment) -> range:
  """Returns the players that learn from an episode."""
  if not assignment.learn:
    return range(0)
  if assignment.coplayer != coplayers.SELF:
    return range(1)
  return range(len(assignment.task.players))


def _unroll(
  episode: _Episode,
  player: int,
  length: int,
  store_memory: bool,
  version: int,
) -> types.Unroll:
  """Returns a player's unroll that ends at the episode's current step."""
  number = episode.row * len(episode.memory[0]) + player
  steps = np.arange(episode.start, episode.at)

  def padded(values: Any, dtype: Any) -> np.ndarray:
    values = np.asarray(values, dtype)
    result = np.zeros((length, *values.shape[1:]), dtype)
    result[: len(values)] = values
    return result

  memory = episode.memory[episode.start][player : player + 1]
  return types.Unroll(
    observation={
      "at": padded([(number, t) for t in steps], np.float32),
      "goal": np.array([int(episode.assignment.task.name)], np.int32),
    },
    first=padded(steps == 0, np.uint8),
    action=padded([(t % 2, t % 3) for t in steps], np.int8),
    behaviour_logits=padded(
      [fakes.PARAMS["logits"][0] + t for t in steps], np.float32
    ),
    reward=padded(steps + 1 + fakes.MORE * player, np.float32),
    discount=padded(steps + 1 < episode.steps, np.float32),
    mask=padded(np.ones(len(steps)), np.uint8),
    initial_memory={"m": memory.astype(np.float32)} if store_memory else {},
    params_version=np.asarray(version, np.int64),
    privileged={},
  )


def _record(episode: _Episode) -> base.EpisodeRecord:
  assignment = episode.assignment
  task = assignment.task
  last_trial = range(episode.steps - task.trial_steps, episode.steps)
  td_errors = [
    abs(
      (t + 1)
      + fakes.GAMMA * (0 if t + 1 == episode.steps else 10 * (t + 1))
      - 10 * t
    )
    for t in last_trial
  ]
  rewards = np.arange(1, episode.steps + 1).reshape(task.trials, -1).sum(1)
  return base.EpisodeRecord(
    key=assignment.key,
    learn=assignment.learn,
    rewards=rewards.astype(np.float32),
    td_error=float(np.mean(td_errors)),
    # Known one step later: the last trial's steps plus one.
    value_error=float(np.mean([t + 1 for t in last_trial])),
    policy_error=float(np.mean([100 * (t + 1) for t in last_trial])),
    trial_seconds=task.trial_seconds,
  )
