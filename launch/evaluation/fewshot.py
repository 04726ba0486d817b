"""Few-shot evaluation of policies on a set of tasks."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.agent import types
from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import (
  policies,
  recording,
  rollout,
  scores,
  tasksets,
)
from adaland.launch.recipes import task_source
from adaland.launch.run import progress


class Table(NamedTuple):
  """A finished evaluation: for programs and for people.

  Attributes:
    result: Of each policy the JSON object of `evaluate`.
    text: A table of them.
  """

  result: dict[str, Any]
  text: str


def trial_rewards(
  config_: land.LandConfig,
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
    config_: Of the environments.
    tasks: The tasks to play.
    trials: Each number of trials, k, to play.
    make_policy: From the environments, the policy.
    seed: Of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    on_progress: Called with the share of episodes done.
    recorder: Keeps episodes; the numbers of trials, in their order, have those
      of all tasks, each task's repeats one after the other.

  Returns:
    For each k the rewards of each trial, seconds, float64 [tasks, k].
  """
  jobs = [
    dataclasses.replace(task, trials=k)
    for k in trials
    for task in tasks
    for _ in range(repeats)
  ]
  played = rollout.play(config_, jobs, make_policy, seed, on_progress, recorder)
  rewards = iter(played)
  count = len(tasks) * repeats
  return {
    k: np.array(list(itertools.islice(rewards, count)), np.float64)
    .reshape(len(tasks), repeats, k)
    .mean(axis=1)
    for k in trials
  }


def evaluate(
  name: str,
  env: land.LandConfig,
  tasks: Sequence[Task],
  trials: Sequence[int],
  make_policy: policies.PolicyMaker,
  seed: int,
  repeats: int,
  say: Callable[[str], None],
  keep: Sequence[int] = (),
) -> dict[str, Any]:
  """Scores a policy on tasks by the expert's rewards.

  Args:
    name: Of the policy.
    env: Of the environments.
    tasks: The tasks to play.
    trials: Each number of trials, k, to play.
    make_policy: From the environments, the policy.
    seed: Of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    say: Shows how far it is.
    keep: Numbers of tasks whose first episode of the most trials is kept.

  Returns:
    As `scores.summary`, with "tasks_sha256", by which other evaluations on the
    same tasks are known, and any kept "episodes", see `recording.entry`.

  Raises:
    UserError: If a task does not fit the environments.
  """
  fewer = list(trials).index(max(trials)) * len(tasks) * repeats
  recorder = recording.Recorder(keep, fewer, repeats) if keep else None
  with errors.user_input():
    best = expert.expert_rewards(
      tasks,
      env,
      seed=seed,
      progress=lambda n, of: say(f"expert plays: {n / of:.0%}"),
    )
    rewards = trial_rewards(
      env,
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


def agent_policy(
  experiment: ExperimentConfig, params: types.Params, seed: int
) -> Callable[[land.Land], policies.Agent]:
  """Returns what makes the agent with these parameters."""
  actor = builder.agent(experiment).actor
  return lambda environments: policies.Agent(
    actor, params, environments.num_envs, seed
  )


def after_training(experiment: ExperimentConfig, params: types.Params) -> Table:
  """Returns the table at the end of training: agent, random and noop."""
  run = experiment.run
  source = task_source.TaskSource(experiment, held_out=True)
  tasks = tasksets.many("test", source, run.eval_tasks)
  line = progress.Progress()
  line.say(f"evaluating on {len(tasks)} held-out tasks")
  best = expert.expert_rewards(tasks, experiment.env, seed=run.seed)
  makers = {
    "agent": agent_policy(experiment, params, run.seed),
    "random": policies.baseline("random", run.seed),
    "noop": policies.baseline("noop", run.seed),
  }
  results = []
  for name, maker in makers.items():
    line.update(f"{name} plays")
    rewards = trial_rewards(
      experiment.env, tasks, run.eval_trials, maker, run.seed
    )
    results.append(scores.summary(name, tasksets.ids(tasks), rewards, best))
  line.close()
  return Table(
    {result["policy"]: result for result in results}, scores.table(results)
  )
