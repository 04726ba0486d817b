"""Few-shot scores: last-trial reward against the number of trials.

Score = last trial's reward / scripted expert's reward on the same task. (AdA,
arXiv 2301.07608, normalises by a fine-tuned agent.) Tasks on which the expert
gets no reward have no score; they are counted, and left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Number of resamples of the tasks for the median's standard error.
_RESAMPLES = 1000


def standard_error(values: np.ndarray) -> float:
  """Computes the mean's standard error s / √n; 0 for a single value."""
  if len(values) < 2:
    return 0.0
  return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def median_error(values: np.ndarray) -> float:
  """Computes the median's standard error by the bootstrap."""
  rng = np.random.Generator(np.random.PCG64(0))
  drawn = rng.integers(len(values), size=(_RESAMPLES, len(values)))
  return float(np.std(np.median(values[drawn], axis=1)))


def summary(
  policy: str,
  ids: Sequence[str],
  rewards: Mapping[int, Sequence[float]],
  expert: Sequence[float] | np.ndarray,
) -> dict[str, Any]:
  """Summarises an evaluation.

  Args:
    policy: Name of the policy.
    ids: Names of the tasks.
    rewards: The tasks' last-trial rewards for each number of trials k.
    expert: The expert's reward on each task.

  Returns:
    The JSON object of `launch.evaluate`; keys k are strings, as in JSON.
  """
  best = np.asarray(expert, np.float64)
  solvable = best > 0
  result: dict[str, Any] = {
    "policy": policy,
    "trials": list(rewards),
    "reward": {"mean": {}, "stderr": {}},
    "score": {
      name: {} for name in ("mean", "stderr", "median", "median_stderr", "p20")
    },
    "num_tasks": len(ids),
    "num_scored": int(solvable.sum()),
  }
  for k, values in rewards.items():
    reward = np.asarray(values, np.float64)
    result["reward"]["mean"][str(k)] = float(np.mean(reward))
    result["reward"]["stderr"][str(k)] = standard_error(reward)
    if not solvable.any():
      continue
    score = reward[solvable] / best[solvable]
    numbers = {
      "mean": float(np.mean(score)),
      "stderr": standard_error(score),
      "median": float(np.median(score)),
      "median_stderr": median_error(score),
      "p20": float(np.quantile(score, 0.2)),
    }
    for name, number in numbers.items():
      result["score"][name][str(k)] = number
  result["tasks"] = [
    {
      "id": name,
      "rewards": {str(k): float(values[i]) for k, values in rewards.items()},
      "expert": float(best[i]),
    }
    for i, name in enumerate(ids)
  ]
  return result


def table(results: Sequence[Mapping[str, Any]]) -> str:
  """Formats mean scores and rewards of several policies as Markdown."""
  trials = results[0]["trials"]
  lines = [
    "| score, mean ± standard error | "
    + " | ".join(f"k={k}" for k in trials)
    + " | last-trial reward at k="
    + f"{trials[-1]} |",
    "|---" * (len(trials) + 2) + "|",
  ]
  for result in results:
    score, reward = result["score"], result["reward"]
    cells = [
      f"{score['mean'][str(k)]:.2f} ± {score['stderr'][str(k)]:.2f}"
      if str(k) in score["mean"]
      else "-"
      for k in trials
    ]
    last = str(trials[-1])
    cells.append(f"{reward['mean'][last]:.2f} ± {reward['stderr'][last]:.2f} s")
    lines.append(f"| {result['policy']} | {' | '.join(cells)} |")
  first = results[0]
  heldout = "held-out " if first.get("taskset", "test") == "test" else ""
  lines.append("")
  lines.append(
    f"{first['num_scored']} of {first['num_tasks']} {heldout}tasks, scored by "
    "the scripted expert's reward"
    + (
      "; it got none on the others."
      if first["num_scored"] < first["num_tasks"]
      else "."
    )
  )
  return "\n".join(lines)
