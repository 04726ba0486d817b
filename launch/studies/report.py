"""The page, figures and tables of a study."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.launch import cli
from adaland.launch.evaluation.comparison import score_tables, summary
from adaland.launch.studies import curves, running, table

PAGE = "README.md"
SCORES = "scores.png"
CURVES = "curves.png"


def write(plan: running.Plan) -> tuple[dict[str, Any], str]:
  """Writes the study's results; returns them as an object and as a page.

  Args:
    plan: A study of which all is done.

  Raises:
    UserError: If a file of results is damaged.
  """
  names = [variant.name for variant in plan.study.variants]
  specs = [
    f"{name}={plan.result(name, seed)}"
    for name in names
    for seed in range(plan.seeds)
  ]
  specs += [f"{name}={plan.player(name)}" for name in table.PLAYERS]
  compared = summary.compare(score_tables.load(specs))
  trained = {
    name: [
      running.training(plan.result(name, seed)) for seed in range(plan.seeds)
    ]
    for name in names
  }
  found = {
    name: [
      curves.read(plan.workdir(name, seed), plan.study.trials)
      for seed in range(plan.seeds)
    ]
    for name in names
  }
  equal = {axis: curves.common(found, axis) for axis in ("steps", "minutes")}
  result = {
    "study": plan.name,
    "seeds": plan.seeds,
    "minutes": plan.minutes,
    "training": trained,
    "equal": {
      axis: {
        "at": point,
        "last_trial_reward": {
          name: [curves.at(curve, axis, point) for curve in each]
          for name, each in found.items()
        },
      }
      for axis, point in equal.items()
    },
    "comparison": compared,
  }
  page = text(plan, result)
  files = {
    SCORES: summary.draw(compared, plan.study.question),
    CURVES: curves.draw(found, plan.study.question),
    "training.csv": curves.rows(found),
    "study.json": json.dumps(result, indent=1) + "\n",
    PAGE: page,
  }
  for name, content in files.items():
    cli.write_atomically(str(plan.out / name), content)
  return result, page


def text(plan: running.Plan, result: Mapping[str, Any]) -> str:
  """Formats the study's results as a page.

  Args:
    plan: The study.
    result: As `write` returns it.
  """
  study = plan.study
  lines = [
    f"# Study: {plan.name}",
    "",
    study.question,
    "",
    f"Each variant starts from the preset `{study.preset}` and is trained for "
    f"{plan.minutes:g} minutes with {plan.seeds} seed(s), then plays held-out "
    f"tasks of `{study.taskset}`, {study.trials} trials each.",
    "",
    f"![Score by trial]({SCORES})",
    "",
    summary.text(result["comparison"]),
    "",
    "## Equal time, equal steps",
    "",
    f"![Training]({CURVES})",
    "",
    *_training_table(result),
    "",
    "Reward of the last trial, in seconds, in the training episodes that the "
    "agent plays itself; mean over seeds, least and most.",
    "",
    "## Variants",
    "",
    "| variant | settings | teacher |",
    "|---|---|---|",
    *(_variant_row(variant) for variant in study.variants),
    "",
    "## Command",
    "",
    f"    adaland study {plan.name} --seeds={plan.seeds} "
    f"--minutes={plan.minutes:g}",
  ]
  return "\n".join(lines) + "\n"


def _training_table(result: Mapping[str, Any]) -> list[str]:
  steps, minutes = (result["equal"][axis] for axis in ("steps", "minutes"))
  lines = [
    f"| variant | million steps | updates | at {steps['at'] / 1e6:.2f} million "
    f"steps | at {minutes['at']:.1f} minutes |",
    "|---|---|---|---|---|",
  ]
  for name, runs in result["training"].items():
    cells = [
      f"{np.mean([run['env_steps'] for run in runs]) / 1e6:.2f}",
      f"{np.mean([run['updates'] for run in runs]):,.0f}",
      _spread(steps["last_trial_reward"][name]),
      _spread(minutes["last_trial_reward"][name]),
    ]
    lines.append(f"| {name} | {' | '.join(cells)} |")
  return lines


def _spread(values: Sequence[float]) -> str:
  return f"{np.mean(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def _variant_row(variant: table.Variant) -> str:
  settings = ", ".join(f"`{setting}`" for setting in variant.settings)
  teacher = variant.teacher or "the preset's"
  return f"| {variant.name} | {settings or 'the preset'} | {teacher} |"
