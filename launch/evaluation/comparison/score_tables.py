"""Tables of scores by trial, read from the JSON files of evaluations.

A policy's table has the scores of each training seed, task and trial, [S, T,
K]. All tables are of the same tasks, and share the expert's rewards: of each
task the best of all evaluations', as an expert's best of a few runs depends on
their seeds. Tasks on which the expert got no reward in one of the evaluations
have no score, and are left out.
"""

import itertools
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.envs.tasks import json_checks
from adaland.launch import errors

# Where the files of `adaland prompt --taskset` have a task's rewards.
_PROMPT = ("prompted", "unprompted")
_UNPROMPTED = ", unprompted"
# An expert's smallest reward above 0, seconds: scores are shares of it.
_LEAST = 1e-6


class Seed(NamedTuple):
  """A training seed of a policy.

  Attributes:
    file: Name of the evaluation's file.
    agent: Hash of the agent's parameters, None if the file has none.
  """

  file: str
  agent: str | None = None

  @property
  def key(self) -> str:
    """The hash, the same in all evaluations of an agent, or else the file."""
    return self.agent or self.file


class Tables(NamedTuple):
  """Scores of several policies on the same tasks.

  Attributes:
    scores: By label, in the order given, float64 [S, T, K].
    seeds: By label the training seeds, S; those of agents that several labels
      have are in the same order in each.
    num_tasks: Number of tasks, T and those without a score.
    taskset: Name of the task set, as the first file gives it.
    num_unlike_experts: Number of tasks with a score on which the expert's
      rewards differ between the files.
  """

  scores: dict[str, np.ndarray]
  seeds: dict[str, list[Seed]]
  num_tasks: int
  taskset: str
  num_unlike_experts: int = 0

  def same_seeds(self, label: str, other: str) -> bool:
    """Returns whether two labels are of the same seeds of one agent."""
    ours, theirs = self.seeds[label], self.seeds[other]
    return [seed.key for seed in ours] == [seed.key for seed in theirs]


class _File(NamedTuple):
  """One evaluation.

  Attributes:
    seed: Name of the file, and its agent.
    taskset: Name of the task set.
    tasks: The hash of its tasks.
    rewards: By what is to be added to the label, [tasks, K].
    expert: The expert's rewards, [tasks].
  """

  seed: Seed
  taskset: str
  tasks: str
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


def split_label(spec: str) -> tuple[str, str]:
  """Splits "LABEL=FILE"; without a label it is the file's name.

  Raises:
    UserError: If label or file is empty.
  """
  label, equals, path = spec.partition("=")
  if not equals:
    label, path = pathlib.Path(spec).stem, spec
  if not label.strip() or not path:
    raise errors.UserError(
      f"{errors.shown(spec)}: allowed: FILE, or LABEL=FILE with a label"
    )
  return errors.printable(label.strip()), path


def load(specs: Sequence[str]) -> Tables:
  """Reads evaluations.

  Args:
    specs: "LABEL=FILE" or "FILE"; files of one label are of an agent's seeds.

  Raises:
    UserError: If a file is missing or is no evaluation, the files are of
      different tasks, or those of one label are not of an agent's seeds.
  """
  labelled = [split_label(spec) for spec in specs]
  _check_labels(specs)
  files = [(label, _read(path)) for label, path in labelled]
  _check_same([file for _, file in files])
  _check_seeds(files)
  experts = np.stack([file.expert for _, file in files])
  scored = np.all(experts > 0, axis=0)
  if not scored.any():
    raise errors.UserError(
      f"{files[0][1].name}: the expert has no reward on any task, so there are "
      "no scores"
    )
  worst, best = experts.min(axis=0)[scored], experts.max(axis=0)[scored]
  rows: dict[str, list[tuple[Seed, np.ndarray]]] = {}
  for label, file in files:
    for addition, rewards in file.rewards.items():
      score = rewards[scored] / best[:, None]
      rows.setdefault(label + addition, []).append((file.seed, score))
  # Labels that have the same agents have them in the same order, as theirs are
  # drawn together.
  keys = list(dict.fromkeys(file.seed.key for _, file in files))
  for each in rows.values():
    each.sort(key=lambda row: keys.index(row[0].key))
  kept = {
    label: each
    for label, each in rows.items()
    # The same was played for the label's evaluation.
    if label.removesuffix(_UNPROMPTED) == label
    or label.removesuffix(_UNPROMPTED) not in rows
  }
  return Tables(
    {label: np.stack([row for _, row in each]) for label, each in kept.items()},
    {label: [seed for seed, _ in each] for label, each in kept.items()},
    len(scored),
    files[0][1].taskset,
    int((~np.isclose(worst, best)).sum()),
  )


def _check_labels(specs: Sequence[str]) -> None:
  """Refuses a file named twice, and one without a label named as another."""
  for spec, other in itertools.combinations(specs, 2):
    (label, path), (other_label, other_path) = map(split_label, (spec, other))
    if label != other_label:
      continue
    if path == other_path:
      raise errors.UserError(
        f"{other}: is given twice, allowed: a file for each training seed"
      )
    if "=" not in spec or "=" not in other:
      raise errors.UserError(
        f"{spec} and {other} are both named {label!r}, allowed: LABEL=FILE, "
        "with one label for the seeds of an agent"
      )


def _check_seeds(files: Sequence[tuple[str, _File]]) -> None:
  """Refuses evaluations of one agent as those of its training seeds."""
  found: dict[tuple[str, str], str] = {}
  for label, file in files:
    if file.seed.agent is None:
      continue
    for addition in file.rewards:
      other = found.setdefault((label + addition, file.seed.agent), file.name)
      if other != file.name:
        raise errors.UserError(
          f"{other} and {file.name} are of one agent, allowed: as files of "
          f"{label!r} one for each training seed"
        )


def _check_same(files: Sequence[_File]) -> None:
  first = files[0]
  for file in files:
    if (file.tasks, len(file.expert)) != (first.tasks, len(first.expert)):
      raise errors.UserError(
        f"{file.name}: is of other tasks than {first.name}, allowed: "
        "evaluations on the same tasks"
      )
    if file.num_trials != first.num_trials:
      raise errors.UserError(
        f"{file.name}: has {file.num_trials} trials, {first.name} "
        f"{first.num_trials}, allowed: evaluations with equally many"
      )


def _read(path: str) -> _File:
  with errors.user_input(path):
    content = json_checks.load(path)
  if not isinstance(content, dict) or "tasks_sha256" not in content:
    raise errors.UserError(
      f"{path}: is no result of adaland evaluate --json or of adaland prompt "
      "--taskset --json"
    )
  with errors.of_another_form(path), errors.user_input(path):
    return _parse(path, content)


def _parse(path: str, content: dict[str, Any]) -> _File:
  """Parses the content of a file.

  Raises:
    ValueError, LookupError, TypeError: If it has another form.
  """
  tasks = json_checks.read_list(content["tasks"], "tasks", "tasks")
  names = {f", {name}": name for name in _PROMPT}
  if "prompted" not in content:
    names = {"": "trial_rewards"}
  rewards = {
    addition: _rewards([task[name] for task in tasks], name)
    for addition, name in names.items()
  }
  for name, control in content.get("controls", {}).items():
    addition = f", {errors.printable(name)} memory"
    rewards[addition] = _rewards(control["trial_rewards"], "trial_rewards")
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
  return _File(
    Seed(path, agent),
    errors.printable(taskset),
    json_checks.read_text(content["tasks_sha256"], "tasks_sha256"),
    rewards,
    expert,
  )


def _reward(value: Any, name: str) -> float:
  """Returns a reward; ValueError for other values."""
  number = json_checks.read_number(value, name)
  if number < 0:
    raise json_checks.refusal(name, value, "a reward from 0, seconds")
  return number


def _rewards(rows: Any, name: str) -> np.ndarray:
  """Returns rewards, [tasks, K].

  Raises:
    ValueError: If they are no table of rewards.
  """
  found = [
    [_reward(x, name) for x in json_checks.read_list(row, name, "rewards")]
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
