"""Training curves of a study's runs, against steps, time and processor time.

A curve is the reward of the last trial in training episodes that the agent
plays itself, averaged over the latest rows of metrics up to a point.
"""

import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.launch import errors
from adaland.launch.evaluation.comparison import figure
from adaland.launch.studies import results

# Number of rows of metrics that are averaged: one row covers few episodes.
_SMOOTHED = 9
# File in a run's directory.
METRICS = "metrics.jsonl"


class Curve(NamedTuple):
  """The training curve of one run.

  Attributes:
    steps: Environment steps of each row, ascending, float64 [R].
    minutes: Minutes of training, float64 [R].
    cpu_minutes: Processor time of all the run's processes, float64 [R].
    reward: Smoothed reward of the last trial, seconds, float64 [R].
  """

  steps: np.ndarray
  minutes: np.ndarray
  cpu_minutes: np.ndarray
  reward: np.ndarray


def read(workdir: pathlib.Path, trials: int, cpu_seconds: float) -> Curve:
  """Reads a run's curve; rows without rewards are left out.

  Args:
    workdir: The run's directory.
    trials: Number of trials; the last one's reward is read.
    cpu_seconds: Processor time of the run, assumed to be spent evenly over its
      steps, however busy the machine was.

  Raises:
    UserError: If the metrics are missing, or have no reward.
  """
  path = workdir / METRICS
  name = f"reward/trial_{trials}"
  rows = []
  with errors.user_input(str(path)), errors.of_another_form(str(path)):
    for i, line in enumerate(path.read_text().splitlines(), 1):
      row = json.loads(line)
      if row.get(name) is not None:
        rows.append(
          [
            results.number(row[column], f"line {i}: {column}")
            for column in ("step", "seconds", name)
          ]
        )
  if not rows:
    raise errors.UserError(f"{path}: has no {name}")
  steps, seconds, reward = np.array(rows, np.float64).T
  cpu_minutes = steps / steps[-1] * cpu_seconds / 60
  return Curve(steps, seconds / 60, cpu_minutes, smoothed(reward))


def smoothed(values: np.ndarray, width: int = _SMOOTHED) -> np.ndarray:
  """Returns means over up to `width` latest of the values [R], float64 [R]."""
  total = np.cumsum(np.concatenate([[0.0], values]))
  end = np.arange(1, len(values) + 1)
  start = np.maximum(0, end - width)
  return (total[end] - total[start]) / (end - start)


def at(curve: Curve, axis: str, point: float) -> float:
  """Returns the reward of the last row up to a point.

  Args:
    curve: The curve.
    axis: "steps", "minutes" or "cpu_minutes".
    point: The point; before the first row, that row counts.
  """
  index = int(np.searchsorted(getattr(curve, axis), point, side="right")) - 1
  return float(curve.reward[max(0, index)])


def common(curves: Mapping[str, Sequence[Curve]], axis: str) -> float:
  """Returns the largest value on an axis that all runs reach."""
  return min(
    float(getattr(curve, axis)[-1])
    for each in curves.values()
    for curve in each
  )


def rows(curves: Mapping[str, Sequence[Curve]]) -> str:
  """Formats the curves as CSV, at most a hundred points of each."""
  lines = ["variant,seed,env_steps,minutes,cpu_minutes,last_trial_reward"]
  for name, each in curves.items():
    for seed, curve in enumerate(each):
      count = len(curve.steps)
      for i in np.unique(
        np.linspace(0, count - 1, min(count, 100)).astype(int)
      ):
        lines.append(
          f"{name},{seed},{curve.steps[i]:.0f},{curve.minutes[i]:.2f},"
          f"{curve.cpu_minutes[i]:.2f},{curve.reward[i]:.4f}"
        )
  return "\n".join(lines) + "\n"


def draw(curves: Mapping[str, Sequence[Curve]], title: str) -> bytes:
  """Draws all curves against steps and processor time; returns a PNG.

  Args:
    curves: For each variant, a curve for each seed.
    title: Text above the figure.
  """
  # Its import is slow, and no other command needs it.
  import matplotlib.figure

  drawing = matplotlib.figure.Figure(
    figsize=(9.6, 4.2), dpi=140, layout="constrained"
  )
  panels = drawing.subplots(1, 2, sharey=True)
  axes_of = {"steps": 1e6, "cpu_minutes": 1.0}
  for panel, (axis, unit) in zip(panels, axes_of.items(), strict=True):
    _draw_panel(panel, curves, axis, unit)
  panels[0].set_xlabel("environment steps, millions")
  panels[1].set_xlabel("processor minutes")
  panels[0].set_ylabel("reward of the last trial, s")
  panels[1].legend(fontsize=7.5, frameon=False, loc="upper left")
  drawing.suptitle(title, x=0.02, ha="left", fontsize=11)
  content = io.BytesIO()
  drawing.savefig(content, format="png")
  return content.getvalue()


def _draw_panel(
  panel: Any, curves: Mapping[str, Sequence[Curve]], axis: str, unit: float
) -> None:
  """Draws a line for each seed, and one at the last point that all reach."""
  colour_of = figure.colours([*curves])
  for name, each in curves.items():
    for seed, curve in enumerate(each):
      panel.plot(
        getattr(curve, axis) / unit,
        curve.reward,
        color=colour_of[name],
        linewidth=1.4,
        alpha=0.85,
        label=name if not seed else None,
      )
  panel.axvline(common(curves, axis) / unit, color="0.7", linewidth=0.8)
  panel.grid(axis="y", alpha=0.25)
  panel.spines[["top", "right"]].set_visible(False)
