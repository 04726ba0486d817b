"""Episodes of an evaluation that are kept, to be watched in `adaland studio`.

A kept episode is a demonstration (see `demo`) in base64, with the number of its
environment's episode: an environment plays one task after another, and start
yaws depend on how many came before. Task, seed, number and actions reproduce
the episode's states.
"""

import argparse
import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaland.envs.tasks import json_checks
from adaland.envs.tasks.task import Task
from adaland.launch import cli, errors, output
from adaland.launch.evaluation import demo

# Maximum number of episodes of a policy that are kept: even with the longest
# ones, the JSON stays smaller than readers allow.
MAX_KEPT = 16


class Recorder:
  """A keeper of some of the episodes that a rollout plays."""

  def __init__(self, tasks: Sequence[int], first: int = 0, repeats: int = 1):
    """Initializes the recorder.

    Args:
      tasks: Numbers of tasks, from 0, whose first episodes are kept.
      first: Number of the first task's first episode in the rollout.
      repeats: Number of consecutive episodes of each task.
    """
    self._task = {first + task * repeats: task for task in tasks}
    self._actions: dict[int, list[np.ndarray]] = {}
    self._done: dict[int, tuple[demo.Demo, int]] = {}

  def act(self, job: int, action: np.ndarray) -> None:
    """Takes the action [A] of a step of an episode."""
    if job in self._task:
      self._actions.setdefault(job, []).append(np.array(action))

  def end(
    self,
    job: int,
    task: Task,
    seed: int,
    episode: int,
    rewards: Sequence[float],
  ) -> None:
    """Stores a finished episode.

    Args:
      job: Number of the episode in the rollout.
      task: The episode's task.
      seed: Seed of the episode's environment.
      episode: Number of the environment's episode, from 0.
      rewards: Reward of each trial, seconds.
    """
    if job in self._task:
      made = np.array(rewards, np.float32)
      actions = np.stack(self._actions.pop(job))
      self._done[job] = demo.Demo(task, seed, actions, made), episode

  def entries(self, policy: str) -> list[dict[str, Any]]:
    """Returns the kept episodes, as in `entry`, in the order of the tasks."""
    return [
      entry(self._task[job], policy, *self._done[job])
      for job in sorted(self._done)
    ]


def entry(
  task: int, policy: str, kept: demo.Demo, episode: int = 0
) -> dict[str, Any]:
  """Returns a kept episode as JSON.

  Args:
    task: Number of the task in its set, from 0.
    policy: Name of the player.
    kept: The episode.
    episode: Number of the environment's episode, from 0.
  """
  return {
    "task": task,
    "name": kept.task.name,
    "policy": policy,
    "rewards": np.round(kept.rewards.astype(float), 3).tolist(),
    "episode": episode,
    "demo": base64.b64encode(demo.encode(kept)).decode(),
  }


def check_entry(value: Any) -> None:
  """Checks that JSON has the form of `entry`, except its demonstration.

  Args:
    value: The JSON; rewards and the episode's number may be missing.

  Raises:
    ValueError: If it has another form.
  """
  needed = ("task", "name", "policy", "demo")
  fields = json_checks.read_fields(
    value, "the episode", (*needed, "rewards", "episode"), needed
  )
  for name in ("name", "policy", "demo"):
    json_checks.read_text(fields[name], name)
  for name in ("task", "episode"):
    number = json_checks.read_whole(fields.get(name, 0), name)
    if not 0 <= number <= cli.MAX_COUNT:
      raise json_checks.refusal(name, number, f"0 to {cli.MAX_COUNT}")
  for reward in json_checks.read_list(
    fields.get("rewards", []), "rewards", "numbers"
  ):
    json_checks.read_number(reward, "rewards")


def _numbers(text: str) -> list[int]:
  try:
    numbers = sorted({int(part) for part in text.split(",")})
  except ValueError:
    numbers = [-1]
  if numbers[0] < 0 or len(numbers) > MAX_KEPT:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a list of at most {MAX_KEPT} numbers from 0, like 0,1,5"
    )
  return numbers


def add_flag(parser: argparse.ArgumentParser) -> None:
  """Adds the flag --keep."""
  parser.add_argument(
    "--keep",
    type=_numbers,
    default=[],
    metavar="TASKS",
    help="numbers of tasks, from 0, whose episodes --json keeps, to watch in "
    "adaland studio",
  )


def check_flag(args: argparse.Namespace, num_tasks: int) -> None:
  """Refuses numbers that no task has.

  Args:
    args: The command's flags.
    num_tasks: Number of tasks played.

  Raises:
    UserError: If there is such a number, or no JSON is written.
  """
  if not args.keep:
    return
  if not args.json:
    raise errors.UserError("--keep: allowed with --json only")
  if args.keep[-1] >= num_tasks:
    raise errors.UserError(
      f"--keep={args.keep[-1]}: allowed for "
      f"{output.plural(num_tasks, 'task')}: 0 to {num_tasks - 1}"
    )
