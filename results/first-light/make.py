"""Makes this folder's curve, table and pictures from runs and evaluations.

    python results/first-light/make.py collect RUNS EVALUATIONS
    PYTHONPATH=. python results/first-light/make.py by_trial RUNS
    python results/first-light/make.py draw

`collect` reads RUNS/{transformer_xl,none} (run directories of launch.train)
and EVALUATIONS/*.json (launch.evaluate --json), and writes training.csv and
evaluation.json here. `by_trial` plays the held-out tasks with as many trials
X trial's score to by_trial.json. `draw` makes
training.png, fewshot.png and table.md of the first two, so that anybody can
draw them again.
"""

import csv
import functools
import json
import pathlib
import sys

import numpy as np
from matplotlib import figure

_HERE = pathlib.Path(__file__).resolve().parent
_AGENTS = {"transformer_xl": "agent", "none": "memoryless agent"}
_LINES = {
  "agent": "C0",
  "memoryless agent": "C1",
  "expert": "C2",
  "random": "C3",
  "noop": "0.5",
}
_MINUTES_PER_ROW = 0.5
_NUM_TASKS, _REPEATS, _SEED = 100, 3, 1


def collect(runs: str, evaluations: str) -> None:
  """Copies what is worth keeping into this folder."""
  rows = []
  for name, label in _AGENTS.items():
    lines = (pathlib.Path(runs) / name / "metrics.jsonl").read_text()
    metrics = [json.loads(line) for line in lines.splitlines()]
    num_trials = sum(key.startswith("reward/trial_") for key in metrics[-1])
    bins: dict[int, list[dict[str, float]]] = {}
    for row in metrics:
      if row.get("updates", 0) > 0 and f"reward/trial_{num_trials}" in row:
        key = int(row["seconds"] / 60 / _MINUTES_PER_ROW)
        bins.setdefault(key, []).append(row)
    for _, part in sorted(bins.items()):
      trials = [
        sum(row[f"reward/trial_{k}"] for row in part) / len(part)
        for k in range(1, num_trials + 1)
      ]
      last = part[-1]
      rows.append(
        [label, round(last["seconds"]), int(last["env_steps"])]
        + [int(last["updates"])]
        + [round(reward, 4) for reward in trials]
      )
  header = ["policy", "seconds", "env_steps", "updates"]
  header += [f"reward_trial_{k}" for k in range(1, len(rows[0]) - 3)]
  with open(_HERE / "training.csv", "w", newline="") as file:
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
  results = {}
  for path in sorted(pathlib.Path(evaluations).glob("*.json")):
    result = json.loads(path.read_text())
    result.pop("workdir", None)
    results[_AGENTS.get(path.stem, path.stem)] = result
  content = json.dumps(results, indent=1) + "\n"
  (_HERE / "evaluation.json").write_text(content)


def by_trial(runs: str) -> None:
  """Scores every trial of episodes as long as those of training."""
  # Imported where used: the rest needs no agent.
  import jax
  import jax.numpy as jnp

  from envs.expert import expert
  from launch import builder, fewshot, policies, rollout, tasksets
  from launch import saved as saved_lib

  class Forgetful(policies.Agent):
    """Starts each trial with an empty memory; all else stays as it is."""

    def act(self, environments, now):
      first = now.first | now.trial_last
      return super().act(environments, now._replace(first=first))

  class Confused(policies.Agent):
    """Starts each trial with the memory of one that plays another task."""

    def act(self, environments, now):
      if now.trial_last.any():
        assert now.trial_last.all(), "the trials must end together"
        memory = jax.tree.map(
          lambda x: jnp.roll(x, environments.num_envs // 2, axis=0),
          self._state.memory,
        )
        self._state = self._state._replace(memory=memory)
      return super().act(environments, now)

  def make_policy(kind, actor, params, num_envs):
    return kind(actor, params, num_envs, _SEED)

  def mean_and_stderr(x: np.ndarray) -> list[float]:
    return [
      round(float(v), 4) for v in (x.mean(), x.std(ddof=1) / len(x) ** 0.5)
    ]

  results = {}
  for name, label in _AGENTS.items():
    workdir = str(pathlib.Path(runs) / name)
    experiment = saved_lib.load_config(workdir)
    config = fewshot.heldout(experiment.tasks)
    tasks = tasksets.many("test", config, _NUM_TASKS)
    best = np.array(expert.expert_rewards(tasks, experiment.env, seed=0))
    params = saved_lib.load(workdir).params
    jobs = [task for task in tasks for _ in range(_REPEATS)]
    actor = builder.agent(experiment).actor
    kinds = {
      label: policies.Agent,
      f"{label}, memory emptied at each trial": Forgetful,
      f"{label}, another task's memory at each trial": Confused,
    }
    scores = {}
    for who, kind in kinds.items():
      make = functools.partial(make_policy, kind, actor, params)
      rewards = rollout.play(experiment.env, jobs, make, _SEED)
      score = np.array(rewards).reshape(len(tasks), _REPEATS, -1).mean(axis=1)
      scores[who] = score = score / best[:, None]
      trials = [mean_and_stderr(column) for column in score.T]
      results[who] = {
        "score_by_trial": [mean for mean, _ in trials],
        "stderr": [stderr for _, stderr in trials],
        "trial_3_minus_1": mean_and_stderr(score[:, 2] - score[:, 0]),
        "trial_4_minus_1": mean_and_stderr(score[:, 3] - score[:, 0]),
        "minus_with_memory": [
          mean_and_stderr(column) for column in (score - scores[label]).T
        ],
      }
  content = json.dumps(results, indent=1) + "\n"
  (_HERE / "by_trial.json").write_text(content)


def draw_training() -> None:
  """Draws reward during training by trial, one panel for each agent."""
  with open(_HERE / "training.csv") as file:
    rows = list(csv.DictReader(file))
  columns = [key for key in rows[0] if key.startswith("reward_trial_")]
  drawing = figure.Figure(figsize=(9, 3.4), dpi=110, layout="constrained")
  panels = drawing.subplots(1, len(_AGENTS), sharey=True)
  for axes, label in zip(panels, _AGENTS.values(), strict=True):
    mine = [row for row in rows if row["policy"] == label]
    for k, column in enumerate(columns, start=1):
      axes.plot(
        [float(row["env_steps"]) / 1e6 for row in mine],
        [float(row[column]) for row in mine],
        label=f"trial {k}",
        color=f"{0.75 - 0.75 * k / len(columns):.2f}",
      )
    axes.set_title(f"{label}, {float(mine[-1]['seconds']) / 60:.0f} minutes")
    axes.set_xlabel("environment steps, millions")
    axes.grid(alpha=0.3)
  panels[0].set_ylabel("reward of a trial, s")
  panels[0].legend()
  drawing.savefig(_HERE / "training.png")


def draw_fewshot(results: dict) -> None:
  """Draws the score on held-out tasks against the number of trials."""
  drawing = figure.Figure(figsize=(5.4, 3.6), dpi=110, layout="constrained")
  axes = drawing.subplots()
  for label, colour in _LINES.items():
    score = results[label]["score"]
    trials = [k for k in results[label]["trials"] if str(k) in score["mean"]]
    axes.errorbar(
      trials,
      [score["mean"][str(k)] for k in trials],
      [score["stderr"][str(k)] for k in trials],
      marker="o",
      capsize=3,
      label=label,
      color=colour,
    )
  axes.set_xlabel("trials, k")
  axes.set_ylabel("last trial's reward / expert's")
  axes.grid(alpha=0.3)
  axes.legend(fontsize=8)
  drawing.savefig(_HERE / "fewshot.png")


def write_table(results: dict) -> None:
  """Writes score and reward, mean ± standard error, as Markdown."""
  trials = results["agent"]["trials"]
  lines = [
    "| score | " + " | ".join(f"k={k}" for k in trials) + " |",
    "|---|" + "---|" * len(trials),
  ]
  for label in _LINES:
    score = results[label]["score"]
    cells = [
      f"{score['mean'][str(k)]:.3f} ± {score['stderr'][str(k)]:.3f}"
      for k in trials
    ]
    lines.append(f"| {label} | " + " | ".join(cells) + " |")
  (_HERE / "table.md").write_text("\n".join(lines) + "\n")


def main(argv: list[str]) -> None:
  """Runs one of the three."""
  if argv[:1] == ["collect"] and len(argv) == 3:
    collect(argv[1], argv[2])
  elif argv[:1] == ["by_trial"] and len(argv) == 2:
    by_trial(argv[1])
  elif argv == ["draw"]:
    results = json.loads((_HERE / "evaluation.json").read_text())
    draw_training()
    draw_fewshot(results)
    write_table(results)
  else:
    sys.exit(__doc__)


if __name__ == "__main__":
  main(sys.argv[1:])
