"""The decisions of a study's curricula: how many, why, and on which tasks.

They are read from the logs that runs write (`adaland.launch.run.decisions`).
Decisions whose complexity was logged show which tasks a curriculum prefers.
"""

import collections
import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from adaland.envs.tasks import json_checks
from adaland.launch import errors
from adaland.launch.run import decisions
from adaland.launch.studies import results

# Number of parts of the run for which complexity is shown.
_PARTS: Final = 6
_MEASURE: Final = "rules"


class Decision(NamedTuple):
  """A decision from the log.

  Attributes:
    env_steps: The run's steps at the time.
    accepted: Whether the task was accepted for learning.
    why: The reason.
    rules: Number of the task's rules; None if complexity was not logged.
    number: Number of decisions that this one stands for, in a thinned log.
  """

  env_steps: float
  accepted: bool
  why: str
  rules: float | None
  number: int


Decided = Mapping[str, Sequence[Sequence[Decision]]]


def read(workdir: pathlib.Path) -> list[Decision]:
  """Reads a run's decisions, if its curriculum makes any.

  Raises:
    UserError: If the log is damaged.
  """
  path = workdir / decisions.FILE
  if not path.exists():
    return []
  found = []
  with errors.user_input(str(path)), errors.of_another_form(str(path)):
    for i, line in enumerate(path.read_text().splitlines(), 1):
      row, place = json.loads(line), f"line {i}: "
      rules = row.get("complexity", {}).get(_MEASURE)
      if rules is not None:
        rules = results.number(rules, f"{place}complexity.{_MEASURE}")
      found.append(
        Decision(
          results.number(row["env_steps"], f"{place}env_steps"),
          json_checks.read_flag(row["accepted"], f"{place}accepted"),
          json_checks.read_text(row["why"], f"{place}why"),
          rules,
          int(results.number(decisions.one_in(row), f"{place}one_in")),
        )
      )
  return found


def summary(decided: Decided) -> dict[str, Any]:
  """Counts decisions and averages the rules of their tasks.

  Args:
    decided: For each variant, the decisions of each seed.

  Returns:
    For each variant "decided", "accepted", "why" (counts) and "rules", which
    has for "accepted" and "refused" the mean number of rules in each part of
    the run, None where nothing was decided.
  """
  return {name: _summary(seeds) for name, seeds in decided.items()}


def _summary(seeds: Sequence[Sequence[Decision]]) -> dict[str, Any]:
  every = [decision for seed in seeds for decision in seed]
  why = collections.Counter[str]()
  for each in every:
    why[each.why] += each.number
  return {
    "decided": why.total(),
    "accepted": sum(each.number for each in every if each.accepted),
    "why": dict(why.most_common()),
    "rules": {
      kind: _by_part([d for d in every if d.accepted == accepted], every)
      for kind, accepted in (("accepted", True), ("refused", False))
    },
  }


def _by_part(
  chosen: Sequence[Decision], every: Sequence[Decision]
) -> list[float | None]:
  """Returns the mean number of rules in each part of the run."""
  last = max((decision.env_steps for decision in every), default=0.0)
  parts: list[list[float]] = [[] for _ in range(_PARTS)]
  for decision in chosen:
    if decision.rules is not None:
      part = int(_PARTS * decision.env_steps / max(last, 1.0))
      parts[min(part, _PARTS - 1)].append(decision.rules)
  return [float(np.mean(part)) if part else None for part in parts]


def table(found: Mapping[str, Any]) -> list[str]:
  """Formats the result of `summary` as the lines of a table."""
  lines = [
    "| variant | tasks decided on | accepted | why | rules of accepted tasks, "
    "over the run | rules of refused tasks |",
    "|---|---|---|---|---|---|",
  ]
  for name, each in found.items():
    why = ", ".join(f"{reason}: {n}" for reason, n in each["why"].items())
    share = each["accepted"] / max(each["decided"], 1)
    rules = (_numbers(each["rules"][kind]) for kind in ("accepted", "refused"))
    lines.append(
      f"| {name} | {each['decided']} | {share:.0%} | {why} "
      f"| {' | '.join(rules)} |"
    )
  return lines


def _numbers(values: Sequence[float | None]) -> str:
  return " ".join("-" if x is None else f"{x:.1f}" for x in values)


def draw(decided: Decided) -> bytes:
  """Draws the tasks' rules over the run, and the reasons; returns a PNG.

  Args:
    decided: For each variant, the decisions of each seed.
  """
  # Its import is slow, and no other command needs it.
  from matplotlib import figure

  found = summary(decided)
  drawing = figure.Figure(
    figsize=(9.6, 1.2 + 1.1 * len(found)), dpi=140, layout="constrained"
  )
  panels = drawing.subplots(len(found), 2, squeeze=False)
  for (left, right), (name, each) in zip(panels, found.items(), strict=True):
    for kind, style in (("accepted", "-"), ("refused", ":")):
      values = [np.nan if x is None else x for x in each["rules"][kind]]
      left.plot(range(1, _PARTS + 1), values, style, marker="o", label=kind)
    left.set_ylabel(f"{name}\nrules", fontsize=8)
    left.set_xlim(0.5, _PARTS + 0.5)
    right.barh(
      list(each["why"]), [n / each["decided"] for n in each["why"].values()]
    )
    right.set_xlim(0, 1)
    for panel in (left, right):
      panel.tick_params(labelsize=7)
      panel.spines[["top", "right"]].set_visible(False)
  panels[0, 0].legend(fontsize=7, frameon=False)
  panels[-1, 0].set_xlabel("sixth of the run", fontsize=8)
  panels[-1, 1].set_xlabel("share of the decisions", fontsize=8)
  content = io.BytesIO()
  drawing.savefig(content, format="png")
  return content.getvalue()
