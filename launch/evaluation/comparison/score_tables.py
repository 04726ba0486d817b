"""Tables of scores by trial, read from the JSON files of evaluations.

A policy's table has the scores of each training seed, task and trial, [S, T,
K]. All tables are of the same tasks and share the expert's rewards: for each
task, the highest in any of the evaluations, as the expert's best of a few runs
depends on their seeds. Tasks on which the expert got no reward in one of the
evaluations have no score and are left out.
"""

import itertools
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaland.launch import errors
from adaland.launch.evaluation.comparison import evaluation_files

_UNPROMPTED = ", unprompted"


class Tables(NamedTuple):
  """Scores of several policies on the same tasks.

  Attributes:
    scores: Scores by label, in the order given, float64 [S, T, K].
    seeds: The S training seeds by label; labels that share agents have them in
      the same order.
    num_tasks: Number of tasks: T plus those without a score.
    taskset: Name of the task set, from the first file.
    num_unlike_experts: Number of tasks with a score on which the expert's
      rewards differ between the files.
  """

  scores: dict[str, np.ndarray]
  seeds: dict[str, list[evaluation_files.Seed]]
  num_tasks: int
  taskset: str
  num_unlike_experts: int = 0

  def same_seeds(self, label: str, other: str) -> bool:
    """Returns whether two labels are of the same seeds of one agent."""
    ours, theirs = self.seeds[label], self.seeds[other]
    return [seed.key for seed in ours] == [seed.key for seed in theirs]


def split_label(spec: str) -> tuple[str, str]:
  """Splits "LABEL=FILE"; the default label is the file's name.

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
    specs: "LABEL=FILE" or "FILE"; files of one label are one agent's seeds.

  Raises:
    UserError: If a file is missing or is not an evaluation, the files are of
      different tasks, those of one label are not one agent's seeds, or a label
      is also the name of another one's rows.
  """
  labelled = [split_label(spec) for spec in specs]
  _check_labels(specs)
  files = [(label, evaluation_files.read(path)) for label, path in labelled]
  _check_same([file for _, file in files])
  _check_rows(files)
  _check_seeds(files)
  experts = np.stack([file.expert for _, file in files])
  scored = np.all(experts > 0, axis=0)
  if not scored.any():
    raise errors.UserError(
      f"{files[0][1].name}: the expert has no reward on any task, so there are "
      "no scores"
    )
  worst, best = experts.min(axis=0)[scored], experts.max(axis=0)[scored]
  rows: dict[str, list[tuple[evaluation_files.Seed, np.ndarray]]] = {}
  for label, file in files:
    for addition, rewards in file.rewards.items():
      score = rewards[scored] / best[:, None]
      rows.setdefault(label + addition, []).append((file.seed, score))
  # Labels with the same agents have them in the same order, as their seeds are
  # resampled together.
  keys = list(dict.fromkeys(file.seed.key for _, file in files))
  for each in rows.values():
    each.sort(key=lambda row: keys.index(row[0].key))
  given = {label for label, _ in files}
  kept = {
    label: each
    for label, each in rows.items()
    if label in given or not _is_repeated(label, rows)
  }
  return Tables(
    {label: np.stack([row for _, row in each]) for label, each in kept.items()},
    {label: [seed for seed, _ in each] for label, each in kept.items()},
    len(scored),
    files[0][1].taskset,
    int((~np.isclose(worst, best)).sum()),
  )


def _is_repeated(
  label: str, rows: dict[str, list[tuple[evaluation_files.Seed, np.ndarray]]]
) -> bool:
  """Returns True for unprompted rows that the label's own evaluation has too.

  With the same agent, seed and number of trials the episodes are the same.
  """
  own = rows.get(label.removesuffix(_UNPROMPTED), [])
  return label.endswith(_UNPROMPTED) and all(
    any(np.array_equal(row, other) for _, other in own)
    for _, row in rows[label]
  )


def _check_labels(specs: Sequence[str]) -> None:
  """Refuses a file given twice, and files that share a label by default."""
  for spec, other in itertools.combinations(specs, 2):
    (label, path), (other_label, other_path) = map(split_label, (spec, other))
    if label != other_label:
      continue
    if os.path.realpath(path) == os.path.realpath(other_path):
      raise errors.UserError(
        f"{other}: is given twice, allowed: a file for each training seed"
      )
    if "=" not in spec or "=" not in other:
      raise errors.UserError(
        f"{spec} and {other} are both named {label!r}, allowed: LABEL=FILE, "
        "with one label for the seeds of an agent"
      )


def _check_seeds(files: Sequence[tuple[str, evaluation_files.File]]) -> None:
  """Refuses files of one label that are not of an agent's training seeds.

  Several files of one agent are not, and neither are files with different
  co-players, temperatures or demonstrations.
  """
  found: dict[tuple[str, str], str] = {}
  firsts: dict[str, evaluation_files.File] = {}
  prompted: dict[str, evaluation_files.File] = {}
  for label, file in files:
    first = firsts.setdefault(label, file)
    allowed = f"allowed: as files of {label!r} evaluations with the same"
    if file.coplayer != first.coplayer:
      ours, theirs = (_shown(each.coplayer, "nobody") for each in (file, first))
      raise errors.UserError(
        f"{file.name}: is with the co-player {ours}, {first.name} with "
        f"{theirs}, {allowed}"
      )
    if file.temperature != first.temperature:
      raise errors.UserError(
        f"{file.name}: has the temperature {file.temperature:g}, {first.name} "
        f"{first.temperature:g}, {allowed}"
      )
    if file.demo:
      first = prompted.setdefault(label, file)
      if file.demo != first.demo:
        ours, theirs = (errors.printable(each.demo) for each in (file, first))
        raise errors.UserError(
          f"{file.name}: has the demonstration {ours}, {first.name} {theirs}, "
          f"{allowed}"
        )
    if file.seed.agent is None:
      continue
    for addition in file.rewards:
      other = found.setdefault((label + addition, file.seed.agent), file.name)
      if other != file.name:
        raise errors.UserError(
          f"{other} and {file.name} are of the same agent, allowed as files of "
          f"{label!r}: one for each training seed"
        )


def _check_rows(files: Sequence[tuple[str, evaluation_files.File]]) -> None:
  """Refuses a label that is also the name of another label's rows."""
  found: dict[str, tuple[str, str]] = {}
  for label, file in files:
    for addition in file.rewards:
      row = label + addition
      other_label, other = found.setdefault(row, (label, file.name))
      if other_label != label:
        raise errors.UserError(
          f"{other} and {file.name} both have rows named {row!r}, allowed: "
          "another label"
        )


def _check_same(files: Sequence[evaluation_files.File]) -> None:
  first = files[0]
  for file in files:
    if (file.tasks, len(file.expert)) != (first.tasks, len(first.expert)):
      raise errors.UserError(
        f"{file.name}: has other tasks than {first.name}, allowed: "
        "evaluations on the same tasks"
      )
    if file.environment != first.environment:
      ours, theirs = (
        _shown(each.environment, "Land") for each in (file, first)
      )
      raise errors.UserError(
        f"{file.name}: is of the environment {ours}, {first.name} of {theirs}, "
        "allowed: evaluations in the same (evaluate --workdir=RUN --policy=...)"
      )
    if file.num_trials != first.num_trials:
      raise errors.UserError(
        f"{file.name}: has {file.num_trials} trials, {first.name} "
        f"{first.num_trials}, allowed: evaluations with equally many"
      )


def _shown(name: str, default: str) -> str:
  return errors.printable(name) or default
