"""The page, figures and tables of a study."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.launch import errors, output
from adaland.launch.evaluation.comparison import score_tables, summary
from adaland.launch.studies import (
  curves,
  decisions,
  results,
  running,
  study,
  table,
)

PAGE = "README.md"
SCORES = "scores.png"
CURVES = "curves.png"
DECISIONS = "decisions.png"
# Written by hand: the study's conclusion.
FINDING = "finding.md"
_AXES = ("steps", "minutes", "cpu_minutes")


def write(plan: running.Plan) -> tuple[dict[str, Any], str]:
  """Writes the study's results; returns them as an object and as a page.

  Args:
    plan: A finished study.

  Raises:
    UserError: If a file of results is damaged.
  """
  names = [variant.name for variant in plan.study.variants]
  specs = [
    f"{name}={plan.result(name, seed)}"
    for name in names
    for seed in range(plan.seeds)
  ]
  specs += [f"{name}={plan.player(name)}" for name in study.PLAYERS]
  compared = summary.compare(score_tables.load(specs))
  trained = {
    name: [
      results.training(plan.result(name, seed)) for seed in range(plan.seeds)
    ]
    for name in names
  }
  found = {
    name: [
      curves.read(
        plan.workdir(name, seed),
        plan.size.trials,
        trained[name][seed]["cpu_seconds"],
      )
      for seed in range(plan.seeds)
    ]
    for name in names
  }
  equal = {axis: curves.common(found, axis) for axis in _AXES}
  result = {
    "study": plan.name,
    "size": plan.size_name,
    "seeds": plan.seeds,
    "length": plan.length,
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
  decided = {
    name: [
      decisions.read(plan.workdir(name, seed)) for seed in range(plan.seeds)
    ]
    for name in names
  }
  decided = {name: each for name, each in decided.items() if any(each)}
  if decided:
    result["decisions"] = decisions.summary(decided)
  page = text(plan, result)
  files: dict[str, str | bytes] = {
    SCORES: summary.draw(compared, plan.study.question),
    CURVES: curves.draw(found, plan.study.question),
    "training.csv": curves.rows(found),
    "study.json": json.dumps(result, indent=1) + "\n",
    PAGE: page,
  }
  if decided:
    files[DECISIONS] = decisions.draw(decided)
  for name, content in files.items():
    output.write_atomically(str(plan.out / name), content)
  return result, page


def text(plan: running.Plan, result: Mapping[str, Any]) -> str:
  """Formats the study's results as a page.

  Args:
    plan: The study.
    result: The object that `write` returns.
  """
  size = plan.size
  settings = ", ".join(f"`{setting}`" for setting in size.settings)
  lines = [
    f"# Study: {plan.name}",
    "",
    plan.study.question,
    "",
    *_finding(plan),
    f"Each variant starts from the preset `{size.preset}`"
    + (f" with {settings}" if settings else "")
    + f", is trained for {plan.length} with "
    f"{output.plural(plan.seeds, 'seed')}, then plays held-out tasks of "
    f"`{size.taskset}`, {size.trials} trials each.",
    "",
    f"![Score by trial]({SCORES})",
    "",
    summary.text(result["comparison"]),
    "",
    "## Equal steps, equal time",
    "",
    f"![Training]({CURVES})",
    "",
    *_training_table(result),
    "",
    "Reward of the last trial, in seconds, in the training episodes that the "
    "agent plays itself; mean over seeds, least and most. Processor time is "
    "that of all processes, and does not depend on what else the machine had "
    "to do.",
    "",
    *_decisions_part(result),
    "## Variants",
    "",
    "| variant | settings | teacher |",
    "|---|---|---|",
    *(_variant_row(plan, variant) for variant in plan.study.variants),
    "",
    "## Command",
    "",
    f"    {_command(plan)}",
  ]
  return "\n".join(lines) + "\n"


def _finding(plan: running.Plan) -> list[str]:
  """Returns the handwritten conclusion of the study, if any."""
  path = plan.out / FINDING
  if not path.exists():
    return []
  with errors.user_input(str(path)):
    return [path.read_text().strip(), ""]


def _command(plan: running.Plan) -> str:
  """Returns the command that runs the study."""
  parts = ["adaland study", plan.name, f"--seeds={plan.seeds}"]
  names = [variant.name for variant in plan.study.variants]
  if len(names) < len(table.STUDIES[plan.name].variants):
    parts.append(f"--only={','.join(names)}")
  if plan.size_name != plan.study.default_size:
    parts.append(f"--size={plan.size_name}")
  if plan.size.steps:
    parts.append(f"--steps={plan.size.steps}")
  else:
    parts.append(f"--minutes={plan.size.minutes:g}")
  usual = table.STUDIES[plan.name].sizes[plan.size_name].launcher
  if plan.size.launcher != usual:
    parts.append(f"--launcher={plan.size.launcher}")
  return " ".join(parts)


def _decisions_part(result: Mapping[str, Any]) -> list[str]:
  """Returns the section on the curricula's decisions, if there are any."""
  if "decisions" not in result:
    return []
  return [
    "## Decisions",
    "",
    f"![Decisions]({DECISIONS})",
    "",
    *decisions.table(result["decisions"]),
    "",
  ]


def _training_table(result: Mapping[str, Any]) -> list[str]:
  equal = result["equal"]
  lines = [
    "| variant | million steps | updates | processor minutes "
    f"| at {equal['steps']['at'] / 1e6:.2f} million steps "
    f"| at {equal['minutes']['at']:.1f} minutes "
    f"| at {equal['cpu_minutes']['at']:.1f} processor minutes |",
    "|---|---|---|---|---|---|---|",
  ]
  for name, runs in result["training"].items():
    cells = [
      f"{np.mean([run['env_steps'] for run in runs]) / 1e6:.2f}",
      f"{np.mean([run['updates'] for run in runs]):,.0f}",
      f"{np.mean([run['cpu_seconds'] for run in runs]) / 60:.1f}",
      *(_spread(equal[axis]["last_trial_reward"][name]) for axis in _AXES),
    ]
    lines.append(f"| {name} | {' | '.join(cells)} |")
  return lines


def _spread(values: Sequence[float]) -> str:
  return f"{np.mean(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def _variant_row(plan: running.Plan, variant: study.Variant) -> str:
  settings = ", ".join(f"`{setting}`" for setting in variant.settings)
  teacher = variant.teacher or running.config(plan, variant, 0).teaching.teacher
  return f"| {variant.name} | {settings or 'none'} | {teacher} |"
