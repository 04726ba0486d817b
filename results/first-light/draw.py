"""Draws training.png and fewshot.png and writes table.md.

python results/first-light/draw.py
"""

import csv
import json
import pathlib

import numpy as np
from matplotlib import figure

_HERE = pathlib.Path(__file__).resolve().parent
_COLOURS = {
  "agent": "C0",
  "memoryless agent": "C1",
  "expert": "C2",
  "random": "C3",
  "noop": "0.5",
}
_CONFUSED = "agent, another task's memory at each trial"


def draw_training() -> None:
  """Draws reward during training by trial, one panel for each agent."""
  with open(_HERE / "training.csv") as file:
    rows = list(csv.DictReader(file))
  columns = [key for key in rows[0] if key.startswith("reward_trial_")]
  labels = list(dict.fromkeys(row["policy"] for row in rows))
  drawing = figure.Figure(figsize=(9, 3.4), dpi=110, layout="constrained")
  panels = drawing.subplots(1, len(labels), sharey=True)
  for axes, label in zip(panels, labels, strict=True):
    mine = [row for row in rows if row["policy"] == label]
    seeds = list(dict.fromkeys(row["seed"] for row in mine))
    runs = [[row for row in mine if row["seed"] == seed] for seed in seeds]
    # Rows have the same distance in steps in each run.
    steps = [float(row["env_steps"]) / 1e6 for row in min(runs, key=len)]
    for k, column in enumerate(columns, start=1):
      rewards = [
        [float(row[column]) for row in run[: len(steps)]] for run in runs
      ]
      mean = np.mean(rewards, axis=0)
      error = np.std(rewards, axis=0, ddof=1) / len(runs) ** 0.5
      colour = f"{0.75 - 0.75 * k / len(columns):.2f}"
      axes.plot(steps, mean, label=f"trial {k}", color=colour)
      axes.fill_between(
        steps, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0
      )
    axes.set_title(f"{label}, {len(runs)} seeds")
    axes.set_xlabel("environment steps, millions")
    axes.grid(alpha=0.3)
  panels[0].set_ylabel("reward of a trial, s")
  panels[0].legend()
  drawing.savefig(_HERE / "training.png")


def over_seeds(results: list[dict]) -> tuple[list[int], np.ndarray]:
  """Returns numbers of trials, and the score of each seed, [seeds, trials]."""
  trials = list(results[0]["trials"])
  return trials, np.array(
    [[seed["score"]["mean"][str(k)] for k in trials] for seed in results]
  )


def stderr(results: list[dict]) -> np.ndarray:
  """Returns standard errors over seeds, or over tasks for one seed."""
  trials, scores = over_seeds(results)
  if len(scores) > 1:
    return scores.std(axis=0, ddof=1) / len(scores) ** 0.5
  [only] = results
  return np.array([only["score"]["stderr"][str(k)] for k in trials])


def draw_fewshot(results: dict, trials_within: dict) -> None:
  """Draws scores against the number of trials, and against the trial."""
  drawing = figure.Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
  left, right = drawing.subplots(1, 2, sharey=True)
  for label, colour in _COLOURS.items():
    trials, scores = over_seeds(results[label])
    left.errorbar(
      trials,
      scores.mean(axis=0),
      stderr(results[label]),
      marker="o",
      capsize=3,
      label=label,
      color=colour,
    )
  left.set_title("last of k trials")
  left.set_xlabel("trials, k")
  for label, colour in (
    ("agent", "C0"),
    ("memoryless agent", "C1"),
    (_CONFUSED, "C4"),
  ):
    found = trials_within[label]["score_by_trial"]
    trials = range(1, len(found["mean"]) + 1)
    right.errorbar(
      trials,
      found["mean"],
      found["stderr"],
      marker="o",
      capsize=3,
      label=label,
      color=colour,
    )
    for seed in found["seeds"]:
      right.plot(trials, seed, color=colour, alpha=0.3, linewidth=1.0)
  right.set_title("each of four trials, as in training")
  right.set_xlabel("trial")
  left.set_ylabel("reward / expert's")
  for axes in (left, right):
    axes.set_xticks(trials)
    axes.grid(alpha=0.3)
    # Below the expert's line at one.
    axes.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 0.92))
  drawing.savefig(_HERE / "fewshot.png")


def write_table(results: dict) -> None:
  """Writes scores, mean ± standard error, as Markdown."""
  trials, _ = over_seeds(results["agent"])
  lines = [
    "| score | " + " | ".join(f"k={k}" for k in trials) + " |",
    "|---|" + "---|" * len(trials),
  ]
  for label in _COLOURS:
    _, scores = over_seeds(results[label])
    cells = [
      f"{mean:.3f} ± {error:.3f}"
      for mean, error in zip(
        scores.mean(axis=0), stderr(results[label]), strict=True
      )
    ]
    lines.append(f"| {label} | " + " | ".join(cells) + " |")
  (_HERE / "table.md").write_text("\n".join(lines) + "\n")


def main() -> None:
  """Draws both figures and writes the table."""
  results = json.loads((_HERE / "evaluation.json").read_text())
  draw_training()
  draw_fewshot(results, json.loads((_HERE / "by_trial.json").read_text()))
  write_table(results)


if __name__ == "__main__":
  main()
