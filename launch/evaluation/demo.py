"""Recorded demonstrations: the actions of an episode, in a file.

The file is an npz archive without pickled objects. The same task, seed and
actions give the same episode, so no states are stored.
"""

import io
import json
import os
from typing import NamedTuple

import numpy as np

from adaland.agent import array_text
from adaland.envs import constants
from adaland.envs.tasks import json_files, npz_files
from adaland.envs.tasks.task import Task
from adaland.launch import cli, errors, output

FORMAT = "adaland.demo/1"
_NAMES = ("format", "task", "seed", "actions", "rewards")
# Limit for the file and for its arrays, above the longest episode.
_MAX_BYTES = 8_000_000


class Demo(NamedTuple):
  """A recorded episode.

  Attributes:
    task: The task.
    seed: Seed of the environment.
    actions: Action indices of each step, int32 [T, A]; [T, P, A] with P > 1
      players.
    rewards: Reward of each trial, seconds, float32 [K].
  """

  task: Task
  seed: int
  actions: np.ndarray
  rewards: np.ndarray


def encode(demo: Demo) -> bytes:
  """Encodes a demonstration as the content of a file."""
  content = io.BytesIO()
  np.savez_compressed(
    content,
    format=np.array(FORMAT),
    task=np.array(json.dumps(json_files.to_json(demo.task))),
    seed=np.array(demo.seed, np.int64),
    actions=np.asarray(demo.actions, np.int8),
    rewards=np.asarray(demo.rewards, np.float32),
  )
  return content.getvalue()


def save(path: str, demo: Demo) -> None:
  """Writes a demonstration, completely or not at all."""
  output.write_atomically(path, encode(demo))


def check_path(path: str) -> None:
  """Refuses to replace a file that is not a demonstration.

  Raises:
    UserError: If there is another file.
  """
  if not os.path.isfile(path) or os.path.getsize(path) == 0:
    return
  try:
    load(path)
  except errors.UserError as error:
    raise errors.UserError(
      f"--record={path}: another file is there; choose another name"
    ) from error
  output.say(f"--record={path}: the demonstration there will be replaced")


def load(path: str, most_players: int = 1, what: str = "demo") -> Demo:
  """Reads a demonstration.

  Args:
    path: The file.
    most_players: Maximum number of players allowed.
    what: Name of the argument that `path` is.

  Raises:
    UserError: If the file is missing, broken, of another format, or has more
      players.
  """
  with errors.argument(f"{what}={path}"):
    with open(path, "rb") as file:
      data = file.read(_MAX_BYTES + 1)
    return decode(data, most_players)


def decode(data: bytes, most_players: int = 1) -> Demo:
  """Decodes the content of a file.

  Args:
    data: The content.
    most_players: Maximum number of players allowed.

  Raises:
    UserError: If it is broken, of another format, or has more players.
  """
  try:
    arrays = npz_files.read(data, _NAMES, _MAX_BYTES)
    form, text, seed, actions, rewards = (arrays[name] for name in _NAMES)
    if array_text.read(form) != FORMAT:
      raise errors.UserError(f"is not a demonstration ({FORMAT})")
    task = json_files.loads(array_text.read(text))
    if len(task.players) > most_players:
      raise errors.UserError(
        f"has {len(task.players)} players, allowed: {most_players}"
      )
    _check(task, seed, actions, rewards)
    return Demo(task, int(seed), actions.astype(np.int32), rewards)
  except errors.UserError:
    raise
  except ValueError as error:
    raise errors.UserError(
      f"is not a demonstration ({FORMAT}): "
      f"{errors.cut(errors.one_line(str(error)))}"
    ) from error


def _check(
  task: Task,
  seed: np.ndarray,
  actions: np.ndarray,
  rewards: np.ndarray,
) -> None:
  """Raises UserError unless the arrays are an episode of the task."""
  if seed.dtype.kind not in "iu" or seed.shape or not 0 <= seed <= cli.MAX_SEED:
    raise errors.UserError(
      f"its seed is not a whole number from 0 to {cli.MAX_SEED}"
    )
  if actions.dtype.kind not in "iu":
    raise errors.UserError("its actions are not whole numbers")
  num_players, heads = len(task.players), len(constants.ACTION_SIZES)
  if (
    actions.shape[1:]
    != ((heads,) if num_players == 1 else (num_players, heads))
    or (actions < 0).any()
    or (actions >= constants.ACTION_SIZES).any()
  ):
    raise errors.UserError("its actions are out of range")
  steps, most = task.trial_steps, task.trials * task.trial_steps
  if not steps <= len(actions) <= most:
    raise errors.UserError(
      f"has {len(actions)} steps; allowed: {steps} (one trial) to {most}"
    )
  if (
    rewards.dtype.kind != "f"
    or rewards.ndim != 1
    or not 1 <= len(rewards) <= task.trials
    or not np.isfinite(rewards).all()
  ):
    raise errors.UserError("its rewards are not a finite number for each trial")
