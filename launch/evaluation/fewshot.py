"""Few-shot evaluation of policies on a set of tasks."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.agent import types
from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import (
  pairs,
  policies,
  recording,
  rollout,
  scores,
  tasksets,
)
from adaland.launch.recipes import task_source
from adaland.launch.run import progress


class Table(NamedTuple):
  """A finished evaluation, for programs and for people.

  Attributes:
    result: The JSON object of `evaluate` for each policy.
    text: The results as a table.
  """

  result: dict[str, Any]
  text: str


def trial_rewards(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  trials: Sequence[int],
  make_policy: policies.PolicyMaker,
  seed: int,
  repeats: int = 1,
  on_progress: Callable[[float], None] | None = None,
  recorder: recording.Recorder | None = None,
) -> dict[int, np.ndarray]:
  """Plays each task with each number of trials.

  Args:
    make_land: Makes the environments.
    tasks: The tasks to play.
    trials: Each number of trials, k, to play.
    make_policy: Makes the policy from the environments.
    seed: Seed of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    on_progress: Called with the share of episodes done.
    recorder: Keeps episodes, which are numbered by number of trials, then by
      task, then by repeat.

  Returns:
    For each k the rewards of each trial, seconds, float64 [tasks, k]; with two
    players those of both, [tasks, k, 2].
  """
  jobs = [
    rollout.with_trials(task, k)
    for k in trials
    for task in tasks
    for _ in range(repeats)
  ]
  played = rollout.play(
    make_land, jobs, make_policy, seed, on_progress, recorder
  )
  rewards = iter(played)
  count = len(tasks) * repeats
  found = {}
  for k in trials:
    played = np.array(list(itertools.islice(rewards, count)), np.float64)
    by_task = played.reshape(len(tasks), repeats, *played.shape[1:])
    found[k] = by_task.mean(axis=1)
  return found


def evaluate(
  name: str,
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  trials: Sequence[int],
  make_policy: policies.PolicyMaker,
  seed: int,
  repeats: int,
  say: Callable[[str], None],
  keep: Sequence[int] = (),
) -> dict[str, Any]:
  """Scores a policy on tasks relative to the expert's rewards.

  Args:
    name: Name of the policy.
    make_land: Makes the environments.
    tasks: The tasks to play.
    trials: Each number of trials, k, to play.
    make_policy: Makes the policy from the environments.
    seed: Seed of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    say: Shows the progress.
    keep: Numbers of tasks whose first episode with the most trials is kept.

  Returns:
    The result of `scores.summary`, with "tasks_sha256", which identifies
    evaluations on the same tasks, and any kept "episodes", see
    `recording.entry`.

  Raises:
    UserError: If a task does not fit the environments.
  """
  fewer = list(trials).index(max(trials)) * len(tasks) * repeats
  recorder = recording.Recorder(keep, fewer, repeats) if keep else None
  with errors.user_input():
    best = expert.expert_rewards(
      tasks,
      make_land,
      seed=seed,
      progress=lambda n, of: say(f"expert plays: {n / of:.0%}"),
    )
    rewards = trial_rewards(
      make_land,
      tasks,
      trials,
      make_policy,
      seed,
      repeats,
      lambda done: say(f"{name} plays: {done:.0%}"),
      recorder,
    )
  result = scores.summary(name, tasksets.ids(tasks), rewards, best)
  result["tasks_sha256"] = tasksets.fingerprint(tasks)
  if recorder is not None:
    result["episodes"] = recorder.entries(name)
  return result


def evaluate_pairs(
  policy: str,
  makers: Mapping[str, policies.PolicyMaker],
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  trials: Sequence[int],
  seed: int,
  repeats: int,
  say: Callable[[str], None],
) -> list[dict[str, Any]]:
  """Scores pairs relative to the rewards of the scripted experts as a pair.

  Args:
    policy: Name of player 1.
    makers: Functions that make the pairs, by the co-player's name.
    make_land: Makes the environments, of two players.
    tasks: The tasks to play.
    trials: Each number of trials, k, to play.
    seed: Seed of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    say: Shows the progress.

  Returns:
    For each pair the `scores.summary` of player 1, with "coplayer" and, as
    "player2", the summary of player 2. Each player's reward is divided by that
    of the expert as the same player.

  Raises:
    UserError: If a task does not fit the environments.
  """
  ids, results = tasksets.ids(tasks), []
  with errors.user_input():
    best = pairs.best_rewards(
      tasks, make_land, seed, lambda done: say(f"experts play: {done:.0%}")
    )
    for coplayer, make in makers.items():
      label = f"{policy} with {coplayer}"
      rewards = trial_rewards(
        make_land,
        tasks,
        trials,
        make,
        seed,
        repeats,
        lambda done, label=label: say(f"{label} plays: {done:.0%}"),
      )
      first, second = (
        scores.summary(
          name,
          ids,
          {k: found[..., player] for k, found in rewards.items()},
          best[:, player],
        )
        for player, name in enumerate((policy, coplayer))
      )
      results.append(
        first
        | {
          "coplayer": coplayer,
          "player2": second,
          "tasks_sha256": tasksets.fingerprint(tasks),
        }
      )
  return results


def agent_policy(
  experiment: ExperimentConfig,
  params: types.Params,
  seed: int,
  temperature: float = 1.0,
) -> Callable[[land.Land], policies.Agent]:
  """Returns a function that makes the agent with these parameters."""
  actor = builder.agent(experiment).actor
  return lambda environments: policies.Agent(
    actor, params, environments.num_envs, seed, temperature
  )


def self_play(
  experiment: ExperimentConfig, params: types.Params
) -> policies.PolicyMaker:
  """Returns a function that makes the agent for all players."""
  seed = experiment.run.seed
  if experiment.env.num_players == 1:
    return agent_policy(experiment, params, seed)
  side = pairs.agent_side(experiment, params, seed)
  return pairs.maker(side, side)


def _baseline(
  name: str, env: land.LandConfig, seed: int
) -> policies.PolicyMaker:
  """Returns a function that makes a policy without parameters."""
  if env.num_players == 1:
    return policies.baseline(name, seed)
  side = pairs.side_maker(name, seed)
  return pairs.maker(side, side)


def after_training(experiment: ExperimentConfig, params: types.Params) -> Table:
  """Returns the table at the end of training: agent, random and noop.

  With two players each plays with itself, and the scores are player 1's.
  """
  run, env = experiment.run, experiment.env
  source = task_source.TaskSource(experiment, held_out=True)
  tasks = tasksets.many("test", source, run.eval_tasks)
  line = progress.Progress()
  line.say(f"evaluating on {len(tasks)} held-out tasks")
  make_land = builder.environments(experiment)
  makers = {"agent": self_play(experiment, params)}
  for name in ("random", "noop"):
    makers[name] = _baseline(name, env, run.seed)
  if env.num_players > 1:
    best = pairs.best_rewards(tasks, make_land, run.seed)[:, 0]
  else:
    best = expert.expert_rewards(tasks, make_land, seed=run.seed)
  results = []
  for name, maker in makers.items():
    line.update(f"{name} plays")
    rewards = trial_rewards(make_land, tasks, run.eval_trials, maker, run.seed)
    if env.num_players > 1:
      rewards = {k: found[..., 0] for k, found in rewards.items()}
    results.append(scores.summary(name, tasksets.ids(tasks), rewards, best))
  line.close()
  return Table(
    {result["policy"]: result for result in results}, scores.table(results)
  )
