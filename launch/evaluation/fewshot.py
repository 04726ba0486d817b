"""Few-shot evaluation of policies on a set of tasks."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.agent import types
from adaland.envs import land as land_lib
from adaland.envs.expert import expert
from adaland.envs.sampling import sampler
from adaland.envs.tasks import task as task_lib
from adaland.launch import builder
from adaland.launch.config import experiment as config
from adaland.launch.evaluation import policies, rollout, scores, tasksets
from adaland.launch.run import progress


class Table(NamedTuple):
  """A finished evaluation: for programs and for people."""

  result: dict[str, Any]
  text: str


def heldout(config_: sampler.SamplerConfig) -> sampler.SamplerConfig:
  """The same distribution's half that is never trained on."""
  return dataclasses.replace(config_, split="test")


def last_trial_rewards(
  config_: land_lib.LandConfig,
  tasks: Sequence[task_lib.Task],
  trials: Sequence[int],
  make_policy: Callable[[int], policies.Policy],
  seed: int,
  repeats: int = 1,
  on_progress: Callable[[float], None] | None = None,
) -> dict[int, list[float]]:
  """Plays each task with each number of trials.

  Args:
    config_: Of the environments.
    tasks: What to play.
    trials: Numbers of trials, k.
    make_policy: From the number of environments, the policy.
    seed: Of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    on_progress: Called with the share of episodes done.

  Returns:
    For each k the tasks' rewards in the last trial.
  """
  jobs = [
    dataclasses.replace(task, trials=k)
    for k in trials
    for task in tasks
    for _ in range(repeats)
  ]
  rewards = rollout.play(config_, jobs, make_policy, seed, on_progress)
  last = np.array([trial_rewards[-1] for trial_rewards in rewards])
  means = last.reshape(len(trials), len(tasks), repeats).mean(axis=-1)
  return {k: means[i].tolist() for i, k in enumerate(trials)}


def agent_policy(
  experiment: config.ExperimentConfig, params: types.Params, seed: int
) -> Callable[[int], policies.Policy]:
  """Makes the agent with these parameters."""
  actor = builder.agent(experiment).actor
  return lambda n: policies.Agent(actor, params, n, seed)


def baseline(name: str, seed: int) -> Callable[[int], policies.Policy]:
  """Makes the policy of this name, one that needs no parameters."""
  makers: dict[str, Callable[[int], policies.Policy]] = {
    "expert": policies.Expert,
    "noop": policies.Noop,
    "random": lambda n: policies.Random(n, seed),
  }
  return makers[name]


def after_training(
  experiment: config.ExperimentConfig, params: types.Params
) -> Table:
  """The small table at the end of `train`: agent, random and noop."""
  run = experiment.run
  tasks = tasksets.many("test", heldout(experiment.tasks), run.eval_tasks)
  line = progress.Progress()
  line.say(f"evaluating on {len(tasks)} held-out tasks")
  best = expert.expert_rewards(tasks, experiment.env, seed=run.seed)
  makers = {
    "agent": agent_policy(experiment, params, run.seed),
    "random": baseline("random", run.seed),
    "noop": baseline("noop", run.seed),
  }
  results = []
  for name, maker in makers.items():
    line.update(f"{name} plays")
    rewards = last_trial_rewards(
      experiment.env, tasks, run.eval_trials, maker, run.seed
    )
    results.append(scores.summary(name, tasksets.ids(tasks), rewards, best))
  line.close()
  return Table(
    {result["policy"]: result for result in results}, scores.table(results)
  )
