"""Few-shot scores: rewards of trials divided by the scripted expert's.

Score = a trial's reward / scripted expert's reward on the same task. (AdA,
arXiv 2301.07608, normalises by a fine-tuned agent.) Tasks on which the expert
gets no reward have no score; they are counted and left out.

K: trials of an episode.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.launch.evaluation import tasksets

# Number of resamples of the tasks for the median's standard error.
_RESAMPLES = 1000


class Evaluation(dict[str, Any]):
  """The results of `evaluate`, printed as a table.

  Example::

    result = adaland.evaluate("random", "laptop", trials=(1, 4))
    print(result)
    print(result["score"]["mean"]["4"])

  The keys are those of `adaland evaluate --json`.
  """

  def __str__(self) -> str:
    """Returns scores and rewards as a table."""
    return table([self])


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


def of(rewards: np.ndarray, expert: Sequence[float] | np.ndarray) -> np.ndarray:
  """Computes the scores of the tasks that have one.

  Args:
    rewards: Rewards on each task, seconds, [tasks, ...].
    expert: The expert's reward on each task, seconds.

  Returns:
    Scores, float64 [tasks with an expert's reward above 0, ...].
  """
  best = np.asarray(expert, np.float64)
  solvable = best > 0
  per_task = best[solvable].reshape(-1, *[1] * (np.ndim(rewards) - 1))
  return np.asarray(rewards, np.float64)[solvable] / per_task


def by_trial(
  rewards: np.ndarray, expert: Sequence[float] | np.ndarray
) -> dict[str, list[float]]:
  """Summarises the scores of each trial over tasks.

  Args:
    rewards: Reward of each trial on each task, seconds, [tasks, K].
    expert: The expert's reward on each task, seconds.

  Returns:
    "mean" and "stderr" of each trial's score; empty if no task has one.
  """
  score = of(rewards, expert)
  if not len(score):
    return {"mean": [], "stderr": []}
  return {
    "mean": score.mean(axis=0).tolist(),
    "stderr": [standard_error(trial) for trial in score.T],
  }


def summary(
  policy: str,
  ids: Sequence[str],
  rewards: Mapping[int, np.ndarray],
  expert: Sequence[float] | np.ndarray,
) -> dict[str, Any]:
  """Summarises an evaluation.

  Args:
    policy: Name of the policy.
    ids: Names of the tasks.
    rewards: For each number of trials k the rewards of each trial of the
      tasks' episodes, seconds, [tasks, k].
    expert: The expert's reward on each task, seconds.

  Returns:
    The JSON object of `launch.evaluate`; keys k are strings, as in JSON.
  """
  best = np.asarray(expert, np.float64)
  last = {k: np.asarray(rewards[k], np.float64)[:, -1] for k in rewards}
  longest = np.asarray(rewards[max(rewards)], np.float64)
  result: dict[str, Any] = {
    "policy": policy,
    "trials": list(rewards),
    "reward": {"mean": {}, "stderr": {}},
    "score": {
      name: {} for name in ("mean", "stderr", "median", "median_stderr", "p20")
    },
    "by_trial": by_trial(longest, best),
    "num_tasks": len(ids),
    "num_scored": int((best > 0).sum()),
  }
  for k, reward in last.items():
    result["reward"]["mean"][str(k)] = float(np.mean(reward))
    result["reward"]["stderr"][str(k)] = standard_error(reward)
    score = of(reward, best)
    if not len(score):
      continue
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
      "rewards": {str(k): float(values[i]) for k, values in last.items()},
      "trial_rewards": longest[i].tolist(),
      "expert": float(best[i]),
    }
    for i, name in enumerate(ids)
  ]
  return result


def sides(
  results: Sequence[Mapping[str, Any]],
) -> dict[str, Mapping[str, Any]]:
  """Returns the players' summaries by their labels; a pair has two."""
  found = {}
  for result in results:
    label = result["policy"]
    if "coplayer" in result:
      label = f"{label} with {result['coplayer']}"
    found[label] = result
    if "player2" in result:
      found[f"{label}, player 2"] = result["player2"]
  return found


def other_side(result: Mapping[str, Any]) -> str:
  """Returns player 2's number of tasks with a score, if it differs."""
  second = result.get("player2", result)
  if second["num_scored"] == result["num_scored"]:
    return ""
  return f" (player 2: {second['num_scored']} of {second['num_tasks']})"


def table(results: Sequence[Mapping[str, Any]]) -> str:
  """Formats mean scores and rewards of several policies as Markdown."""
  players = sides(results)
  trials = results[0]["trials"]
  lines = [
    "| score, mean ± standard error | "
    + " | ".join(f"k={k}" for k in trials)
    + " | last-trial reward at k="
    + f"{trials[-1]} |",
    "|---" * (len(trials) + 2) + "|",
  ]
  for label, result in players.items():
    score, reward = result["score"], result["reward"]
    cells = [
      f"{score['mean'][str(k)]:.2f} ± {score['stderr'][str(k)]:.2f}"
      if str(k) in score["mean"]
      else "-"
      for k in trials
    ]
    last = str(trials[-1])
    cells.append(f"{reward['mean'][last]:.2f} ± {reward['stderr'][last]:.2f} s")
    lines.append(f"| {label} | {' | '.join(cells)} |")
  first = results[0]
  taskset = first.get("taskset", "test")
  heldout = "held-out " if tasksets.is_held_out(taskset) else ""
  curves = {label: result["by_trial"] for label, result in players.items()}
  for result in results:
    for control, found in result.get("controls", {}).items():
      curves[f"{result['policy']}, {control} memory"] = found["by_trial"]
  if trials[-1] > 1 and any(curve["mean"] for curve in curves.values()):
    lines += ["", trial_table(curves)]
  lines.append("")
  lines.append(
    f"{first['num_scored']} of {first['num_tasks']} {heldout}tasks"
    f"{other_side(first)}, scored by "
    + (
      "the reward of the scripted expert in each player's place"
      if "player2" in first
      else "the scripted expert's reward"
    )
    + (
      "; it got none on the others."
      if any(
        result["num_scored"] < result["num_tasks"]
        for result in players.values()
      )
      else "."
    )
  )
  return "\n".join(lines)


def trial_table(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
  """Formats scores by trial as Markdown.

  Args:
    curves: Results of `by_trial`, by the policy's name; not all are empty.
  """
  count = max(len(curve["mean"]) for curve in curves.values())
  head = [f"trial {k}" for k in range(1, count + 1)]
  lines = [
    f"| score in each trial | {' | '.join(head)} |",
    "|---" * (count + 1) + "|",
  ]
  for name, curve in curves.items():
    cells = [
      f"{mean:.2f} ± {error:.2f}"
      for mean, error in zip(curve["mean"], curve["stderr"], strict=True)
    ]
    cells += ["-"] * (count - len(cells))
    lines.append(f"| {name} | {' | '.join(cells)} |")
  return "\n".join(lines)
