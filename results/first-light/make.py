"""Collects this folder's curves and scores from runs and evaluations.

    python results/first-light/make.py collect RUNS EVALUATIONS
    PYTHONPATH=. python results/first-light/make.py by_trial RUNS

`collect` reads RUNS/{transformer_xl,none}/SEED (run directories of
launch.train) and EVALUATIONS/*.json (launch.evaluate --json: MEMORY-SEED.json
of each run, and one of each policy that does not learn), and writes
training.csv and evaluation.json here. `by_trial` plays the held-out tasks with
as many trials as in training and writes each trial's score to by_trial.json.
draw.py draws them.
"""

import csv
import functools
import json
import pathlib
import sys
from collections.abc import Iterator

import numpy as np

_HERE = pathlib.Path(__file__).resolve().parent
_AGENTS = {"transformer_xl": "agent", "none": "memoryless agent"}
_OTHERS = ("expert", "random", "noop")
_STEPS_PER_ROW = 50_000
_NUM_TASKS, _REPEATS, _SEED = 100, 3, 1


def _runs(runs: str, memory: str) -> Iterator[pathlib.Path]:
  """Yields the runs of an agent, one for each seed."""
  yield from sorted((pathlib.Path(runs) / memory).iterdir())


def collect(runs: str, evaluations: str) -> None:
  """Writes training.csv and evaluation.json."""
  rows = []
  results = {}
  for memory, label in _AGENTS.items():
    results[label] = []
    for run in _runs(runs, memory):
      rows += [[label, int(run.name), *row] for row in _curve(run)]
      results[label].append(_evaluation(evaluations, f"{memory}-{run.name}"))
  for policy in _OTHERS:
    results[policy] = [_evaluation(evaluations, policy)]
  header = ["policy", "seed", "seconds", "env_steps", "updates"]
  header += [f"reward_trial_{k}" for k in range(1, len(rows[0]) - 4)]
  with open(_HERE / "training.csv", "w", newline="") as file:
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
  _write("evaluation.json", results)


def _curve(run: pathlib.Path) -> Iterator[list[float]]:
  """Yields means over rows of a run's metrics: seconds, steps, rewards."""
  lines = (run / "metrics.jsonl").read_text()
  metrics = [json.loads(line) for line in lines.splitlines()]
  num_trials = sum(key.startswith("reward/trial_") for key in metrics[-1])
  bins: dict[int, list[dict[str, float]]] = {}
  for row in metrics:
    if row.get("updates", 0) > 0 and f"reward/trial_{num_trials}" in row:
      bins.setdefault(int(row["env_steps"] / _STEPS_PER_ROW), []).append(row)
  for _, part in sorted(bins.items()):
    last = part[-1]
    yield [
      round(last["seconds"]),
      int(last["env_steps"]),
      int(last["updates"]),
      *(
        round(sum(row[f"reward/trial_{k}"] for row in part) / len(part), 4)
        for k in range(1, num_trials + 1)
      ),
    ]


def _evaluation(evaluations: str, name: str) -> dict:
  path = pathlib.Path(evaluations, f"{name}.json")
  result = json.loads(path.read_text())
  result.pop("workdir", None)
  return result


def _write(name: str, content: dict) -> None:
  (_HERE / name).write_text(json.dumps(content, indent=1) + "\n")


def by_trial(runs: str) -> None:
  """Scores every trial of episodes as long as in training."""
  results = {}
  for memory, label in _AGENTS.items():
    found = [_scores(run) for run in _runs(runs, memory)]
    whole = [scores["agent"] for scores in found]
    for name in found[0]:
      each = [scores[name] for scores in found]
      results[name.replace("agent", label)] = {
        "score_by_trial": _summary(each),
        "trial_3_minus_1": _summary([x[:, 2] - x[:, 0] for x in each]),
        "trial_4_minus_1": _summary([x[:, 3] - x[:, 0] for x in each]),
        "minus_with_memory": _summary(
          [x - y for x, y in zip(each, whole, strict=True)]
        ),
      }
  _write("by_trial.json", results)


def _scores(run: pathlib.Path) -> dict[str, np.ndarray]:
  """Scores the agent and its controls on held-out tasks.

  Args:
    run: Directory of a run.

  Returns:
    Scores by name of the policy, [tasks, trials].
  """
  # Other functions of this module need no agent.
  import jax
  import jax.numpy as jnp

  from adaland.envs.expert import expert
  from adaland.launch import builder
  from adaland.launch.evaluation import (
    policies,
    rollout,
    tasksets,
    trained_agent,
  )
  from adaland.launch.recipes import task_source

  class Forgetful(policies.Agent):
    """An agent that starts each trial with an empty memory."""

    def act(self, step):
      first = step.first | step.trial_last
      return super().act(step._replace(first=first))

  class Confused(policies.Agent):
    """An agent that starts each trial with the memory of another task."""

    def act(self, step):
      if step.trial_last.any():
        assert step.trial_last.all(), "the trials must end together"
        memory = jax.tree.map(
          lambda x: jnp.roll(x, len(step.first) // 2, axis=0),
          self._state.memory,
        )
        self._state = self._state._replace(memory=memory)
      return super().act(step)

  def make_policy(kind, actor, params, environments):
    return kind(actor, params, environments.num_envs, _SEED)

  experiment = trained_agent.load_config(str(run))
  source = task_source.TaskSource(experiment, held_out=True)
  tasks = tasksets.many("test", source, _NUM_TASKS)
  make_land = builder.environments(experiment)
  best = np.array(expert.expert_rewards(tasks, make_land, seed=0))
  params = trained_agent.load(str(run)).params
  jobs = [task for task in tasks for _ in range(_REPEATS)]
  actor = builder.agent(experiment).actor
  kinds = {
    "agent": policies.Agent,
    "agent, memory emptied at each trial": Forgetful,
    "agent, another task's memory at each trial": Confused,
  }
  scores = {}
  for name, kind in kinds.items():
    make = functools.partial(make_policy, kind, actor, params)
    rewards = rollout.play(make_land, jobs, make, _SEED)
    score = np.array(rewards).reshape(len(tasks), _REPEATS, -1).mean(axis=1)
    scores[name] = score / best[:, None]
  return scores


def _summary(each: list[np.ndarray]) -> dict[str, list]:
  """Computes means and standard errors over seeds, and over tasks.

  Args:
    each: Values of each seed, [tasks] or [tasks, trials].
  """
  means = np.array([x.mean(axis=0) for x in each])
  errors = [x.std(axis=0, ddof=1) / len(x) ** 0.5 for x in each]
  return {
    "mean": means.mean(axis=0).round(4).tolist(),
    "stderr": (means.std(axis=0, ddof=1) / len(means) ** 0.5).round(4).tolist(),
    "seeds": means.round(4).tolist(),
    "seeds_stderr_over_tasks": np.array(errors).round(4).tolist(),
  }


def main(argv: list[str]) -> None:
  """Runs one of the two commands."""
  if argv[:1] == ["collect"] and len(argv) == 3:
    collect(argv[1], argv[2])
  elif argv[:1] == ["by_trial"] and len(argv) == 2:
    by_trial(argv[1])
  else:
    sys.exit(__doc__)


if __name__ == "__main__":
  main(sys.argv[1:])
