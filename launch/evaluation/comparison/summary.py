"""Comparison of score tables: intervals and differences, as text and figure.

S: training seeds, T: tasks, K: trials.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.launch.evaluation.comparison import (
  figure,
  score_tables,
  significance,
)

# Maximum number of trials in a table; the figure has all.
_MOST_COLUMNS = 8


def compare(tables: score_tables.Tables) -> dict[str, Any]:
  """Returns the JSON object of `adaland compare`.

  Args:
    tables: Scores by label.

  Returns:
    "policies": by label, the number of seeds; "mean", "low" and "high" of each
    trial; and "gain", the same for the last trial's score minus the first's.
    "differences": by label, the same numbers for the first label's score minus
    this one's, of each trial and of the gain.
  """
  reference, *others = tables.scores
  numbers = {label: _with_gain(score) for label, score in tables.scores.items()}
  # By pairs of labels: the differences of agents with the same seeds.
  paired = {
    (reference, label): numbers[reference] - numbers[label]
    for label in others
    if tables.same_seeds(reference, label)
  }
  bootstrap = significance.Bootstrap({**numbers, **paired})
  first = tables.scores[reference]
  return {
    "taskset": tables.taskset,
    "reference": reference,
    "trials": first.shape[2],
    "num_tasks": tables.num_tasks,
    "num_scored": first.shape[1],
    "num_unlike_experts": tables.num_unlike_experts,
    "policies": {
      label: {"seeds": len(score), **_columns(bootstrap.mean(label))}
      for label, score in tables.scores.items()
    },
    "differences": {
      label: _columns(
        bootstrap.mean((reference, label))
        if (reference, label) in paired
        else bootstrap.difference(reference, label)
      )
      for label in others
    },
  }


def _with_gain(score: np.ndarray) -> np.ndarray:
  """Adds the last trial's score minus the first's, [S, T, K + 1]."""
  return np.concatenate([score, score[:, :, -1:] - score[:, :, :1]], axis=2)


def _columns(intervals: Sequence[significance.Interval]) -> dict[str, Any]:
  """Returns "mean", "low" and "high", lists over trials, and "gain"."""
  *trials, gain = intervals
  columns = zip(*trials, strict=True)
  names = significance.Interval._fields
  return {
    **dict(zip(names, map(list, columns), strict=True)),
    "gain": gain._asdict(),
  }


def draw(result: Mapping[str, Any], title: str = "") -> bytes:
  """Draws the score by trial from a result of `compare`; returns a PNG."""
  curves = {
    label: figure.Curve(found["mean"], found["low"], found["high"])
    for label, found in result["policies"].items()
  }
  return figure.by_trial(curves, title, _note(result))


def _note(result: Mapping[str, Any]) -> str:
  seeds = {found["seeds"] for found in result["policies"].values()}
  over = "tasks and training seeds" if max(seeds) > 1 else "tasks"
  return (
    f"{result['num_scored']} tasks; bands: 95 % intervals, bootstrap over "
    f"{over}"
  )


def text(result: Mapping[str, Any]) -> str:
  """Formats a result of `compare` as Markdown."""
  numbers = _shown(result["trials"])
  head = [*(f"trial {k}" for k in numbers), "last - first"]
  rule = "|---" * (len(head) + 1) + "|"
  lines = [f"| score | {' | '.join(head)} |", rule]
  for label, found in result["policies"].items():
    seeds = f" ({found['seeds']} seeds)" if found["seeds"] > 1 else ""
    lines.append(f"| {label}{seeds} | {' | '.join(_cells(found, numbers))} |")
  if result["differences"]:
    lines += ["", f"| {result['reference']} minus | {' | '.join(head)} |", rule]
  for label, found in result["differences"].items():
    lines.append(f"| {label} | {' | '.join(_cells(found, numbers))} |")
  scored, all_tasks = result["num_scored"], result["num_tasks"]
  unlike = ""
  if result["num_unlike_experts"]:
    unlike = (
      f", which differs between the files on {result['num_unlike_experts']} of "
      "them (the best counts)"
    )
  lines += [
    "",
    f"{scored} of {all_tasks} tasks, scored by the scripted expert's reward"
    f"{unlike}; in brackets 95 % intervals",
  ]
  return "\n".join(lines)


def _shown(trials: int) -> list[int]:
  """Returns the trials that a table shows: all, or if many, a selection."""
  if trials <= _MOST_COLUMNS:
    return [*range(1, trials + 1)]
  return [k for k in (1, 2, 3, 5, 8, 13, 21, 34) if k < trials] + [trials]


def _cells(found: Mapping[str, Any], trials: list[int]) -> list[str]:
  columns = [found["mean"], found["low"], found["high"]]
  every = [*zip(*columns, strict=True)]
  intervals = [*(every[k - 1] for k in trials), tuple(found["gain"].values())]
  return [
    f"{mean:.2f} [{low:.2f}, {high:.2f}]" for mean, low, high in intervals
  ]
