"""Recorded demonstrations: what someone did in a task, to be played again.

An npz file without pickled objects. The same task and seed under the same
actions give the same episode, so actions are all that is kept.
"""

import io
import json
import os
import zipfile
from typing import NamedTuple

import numpy as np

from envs import constants, task_json
from envs import task as task_lib
from launch import cli, errors

FORMAT = "adaland.demo/1"


class Demo(NamedTuple):
  """A recorded episode.

  Attributes:
    task: What was played.
    seed: Of the environment.
    actions: Indices of the heads, int32 [T, A].
    rewards: Of each trial, seconds, float32 [K].
  """

  task: task_lib.Task
  seed: int
  actions: np.ndarray
  rewards: np.ndarray


def save(path: str, demo: Demo) -> None:
  """Writes a demonstration, whole or not at all."""
  content = io.BytesIO()
  np.savez_compressed(
    content,
    format=np.array(FORMAT),
    task=np.array(json.dumps(task_json.to_json(demo.task))),
    seed=np.array(demo.seed, np.int64),
    actions=np.asarray(demo.actions, np.int8),
    rewards=np.asarray(demo.rewards, np.float32),
  )
  cli.write_atomically(path, content.getvalue())


def check_path(path: str) -> None:
  """Refuses to replace a file that is not a demonstration.

  Raises:
    UserError: If there is something else.
  """
  if not os.path.isfile(path) or os.path.getsize(path) == 0:
    return
  try:
    load(path)
  except errors.UserError as error:
    raise errors.UserError(
      f"--record={path}: a file that is no demonstration is there; choose "
      "another name"
    ) from error
  cli.say(f"--record={path}: the demonstration there will be replaced")


def load(path: str) -> Demo:
  """Reads a demonstration.

  Raises:
    UserError: If the file is missing, broken, or something else.
  """
  with errors.user_input(f"--demo={path}"):
    try:
      with open(path, "rb") as plain:
        if not zipfile.is_zipfile(plain):
          raise errors.UserError(f"is not a demonstration ({FORMAT})")
      with np.load(path, allow_pickle=False) as file:
        if "format" not in file or str(file["format"]) != FORMAT:
          raise errors.UserError(f"is not a demonstration ({FORMAT})")
        task = task_json.from_json(json.loads(str(file["task"])), path)
        if file["actions"].dtype.kind not in "iu":
          raise errors.UserError("its actions are no whole numbers")
        actions = file["actions"].astype(np.int32)
        demo = Demo(task, int(file["seed"]), actions, file["rewards"])
    except (errors.UserError, OSError):
      raise
    except Exception as error:
      # Damaged bytes make zipfile, zlib and NumPy raise whatever they like.
      reason = errors.one_line(str(error))
      raise errors.UserError(f"is not a demonstration: {reason}") from error
    heads = len(constants.ACTION_SIZES)
    if (
      actions.ndim != 2
      or actions.shape[1] != heads
      or (actions < 0).any()
      or (actions >= constants.ACTION_SIZES).any()
    ):
      raise errors.UserError("its actions are out of range")
    if len(actions) < task.trial_steps:
      raise errors.UserError(
        f"has {len(actions)} steps; a trial has {task.trial_steps}"
      )
    return demo
