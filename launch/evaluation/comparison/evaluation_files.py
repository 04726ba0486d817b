"""The files of `adaland evaluate --json` and `adaland prompt --taskset --json`.

They may come from other people, so every value is checked.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from adaland.envs.tasks import json_checks
from adaland.launch import errors

# Largest JSON of an evaluation that is read, bytes: 10,000 tasks of 48 trials
# each, with a control, take less than half of it.
MAX_BYTES = 64_000_000
# Names of a task's rewards in the files of `adaland prompt --taskset`.
_PROMPT = ("prompted", "unprompted")
# An expert's smallest reward above 0, seconds: scores are shares of it.
_LEAST = 1e-6


class Seed(NamedTuple):
  """A training seed of a policy.

  Attributes:
    file: Name of the evaluation's file.
    agent: Hash of the agent's parameters; None if the file has none.
  """

  file: str
  agent: str | None = None

  @property
  def key(self) -> str:
    """The hash, the same in all evaluations of an agent, or else the file."""
    return self.agent or self.file


class File(NamedTuple):
  """One evaluation.

  Attributes:
    seed: Name of the file, and its agent.
    taskset: Name of the task set.
    tasks: Hash of its tasks.
    environment: Reference to the user's own environment; empty for `Land`.
    coplayer: Name of the policy that plays player 2; empty if there is none.
    demo: Who or which file demonstrated the first trial; empty without prompts.
    temperature: Temperature of the policy.
    rewards: Rewards [tasks, K] by the suffix of the label.
    expert: The expert's rewards, [tasks].
  """

  seed: Seed
  taskset: str
  tasks: str
  environment: str
  coplayer: str
  demo: str
  temperature: float
  rewards: dict[str, np.ndarray]
  expert: np.ndarray

  @property
  def name(self) -> str:
    """The file's name."""
    return self.seed.file

  @property
  def num_trials(self) -> int:
    """Number of trials, K."""
    return next(iter(self.rewards.values())).shape[1]


def read(path: str) -> File:
  """Reads an evaluation.

  Raises:
    UserError: If the file is missing, or is not an evaluation.
  """
  with errors.user_input(path):
    content = json_checks.load(path, MAX_BYTES)
  if not isinstance(content, dict) or "tasks_sha256" not in content:
    raise errors.UserError(
      f"{path}: is not a result of adaland evaluate --json or adaland prompt "
      "--taskset --json"
    )
  with errors.of_another_form(path), errors.user_input(path):
    return _parse(path, content)


def _parse(path: str, content: dict[str, Any]) -> File:
  """Parses the content of a file.

  Raises:
    ValueError, LookupError, TypeError: If its structure is wrong.
  """
  pairs = json_checks.read_list(content.get("pairs", []), "pairs", "pairs")
  if len(pairs) > 1:
    raise errors.UserError(
      f"has {len(pairs)} pairs of players, allowed: one, as adaland evaluate "
      "with one --coplayer writes"
    )
  tasks = json_checks.read_list(content["tasks"], "tasks", "tasks")
  names = {f", {name}": name for name in _PROMPT}
  if "prompted" not in content:
    names = {"": "trial_rewards"}
  environment = json_checks.read_text(
    content.get("environment", ""), "environment"
  )
  # A user's own environment may have negative rewards.
  least = -math.inf if environment else 0.0
  rewards = {
    addition: _rewards([task[name] for task in tasks], name, least)
    for addition, name in names.items()
  }
  for name, control in content.get("controls", {}).items():
    addition = f", {errors.printable(name)} memory"
    rewards[addition] = _rewards(
      control["trial_rewards"], "trial_rewards", least
    )
  expert = np.array([_reward(task["expert"], "expert") for task in tasks])
  low = expert[(expert > 0) & (expert < _LEAST)]
  if low.size:
    raise json_checks.refusal(
      "expert", low[0], f"0, or from {_LEAST:g} seconds"
    )
  num_trials = next(iter(rewards.values())).shape[1]
  for found in rewards.values():
    if found.shape != (len(expert), num_trials):
      raise errors.UserError(
        f"has rewards on {len(found)} tasks of {found.shape[1]} trials, "
        f"allowed: {num_trials} on each of {len(expert)}"
      )
  taskset = json_checks.read_text(content.get("taskset", ""), "taskset")
  agent = content.get("agent_sha256")
  if agent is not None:
    agent = json_checks.read_text(agent, "agent_sha256")
  return File(
    Seed(path, agent),
    errors.printable(taskset),
    json_checks.read_text(content["tasks_sha256"], "tasks_sha256"),
    environment,
    json_checks.read_text(content.get("coplayer", ""), "coplayer"),
    json_checks.read_text(content.get("demo", ""), "demo"),
    json_checks.read_number(content.get("temperature", 1.0), "temperature"),
    rewards,
    expert,
  )


def _reward(value: Any, name: str, least: float = 0.0) -> float:
  """Returns a reward; raises ValueError for other values."""
  number = json_checks.read_number(value, name)
  if number < least:
    raise json_checks.refusal(name, value, "a reward from 0, seconds")
  return number


def _rewards(rows: Any, name: str, least: float) -> np.ndarray:
  """Returns rewards, [tasks, K].

  Raises:
    ValueError: If they are not a table of rewards.
  """
  found = [
    [
      _reward(x, name, least)
      for x in json_checks.read_list(row, name, "rewards")
    ]
    for row in json_checks.read_list(rows, name, "tasks")
  ]
  lengths = {len(row) for row in found}
  if lengths <= {0}:
    raise errors.UserError("has no rewards by trial")
  if len(lengths) > 1:
    raise errors.UserError(
      f"has {name} of {min(lengths)} to {max(lengths)} trials, allowed: "
      "equally many on each task"
    )
  return np.array(found)
