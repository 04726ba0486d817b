"""The public functions of the library, as `import adaland` provides them."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.agent.checkpoint import weights
from adaland.envs import constants, land
from adaland.envs.sampling import families, task_sets
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.config import experiment, references
from adaland.launch.evaluation import (
  fewshot,
  policies,
  scores,
  tasksets,
  trained_agent,
)
from adaland.launch.recipes import presets, recipe, task_source
from adaland.launch.run import progress, rundir
from adaland.launch.train import train_and_evaluate

# A source of settings: a preset's name, or an experiment.
Source = str | recipe.Experiment | experiment.ExperimentConfig
# A source of tasks.
Tasks = (
  Task
  | Sequence[Task]
  | families.TaskFamily
  | SamplerConfig
  | Callable[[int], Task]
  | str
  | os.PathLike[str]
)


def make(
  source: Source | None = None,
  num_envs: int = 1,
  seed: int = 0,
  *,
  tasks: Tasks | None = None,
  held_out: bool = False,
) -> land.Land:
  """Makes a batch of environments that play one task after another.

  Example::

    env = adaland.make("laptop", num_envs=64, seed=0)
    step = env.reset()
    for _ in range(1000):
      step = env.step(my_policy(step))

  Args:
    source: A preset's name or an experiment, which sets sizes, kind of
      observation and tasks. None means the preset "laptop" or, with `tasks`,
      environments with room for any task.
    num_envs: Number of environments, N.
    seed: Seed for drawing tasks and the avatars' yaw.
    tasks: A task, a list of tasks, a task family or its name, a folder of task
      files, or a function of an index; replaces the tasks of `source`.
    held_out: Whether to draw tasks from the half that is never trained on.

  Returns:
    Environments with `reset()` and `step(actions)`, which return a `Step`;
    actions are int [N, A].

  Raises:
    UserError: If an argument is invalid, or a task does not fit.
  """
  if source is None and tasks is not None:
    config = None
  else:
    config = _config("laptop" if source is None else source)
  chosen = _task_set(tasks, config, held_out)
  if config is None:
    with errors.user_input("tasks"):
      first = chosen.task(0)
    config = experiment.ExperimentConfig(env=trained_agent.default_env([first]))
  num_envs = _checked_count("num_envs", num_envs)
  seed = policies.checked_seed(seed)
  draws = task_sets.Draws(chosen, seed)
  env = config.env

  def next_task(row: int) -> Task:
    del row
    with errors.user_input("tasks"):
      task = draws.next()
    task_source.check_room(task, env, "these")
    return task

  return builder.environment(config, num_envs, seed, next_task)


def evaluate(
  policy: Any,
  source: Source | None = None,
  trials: Sequence[int] | np.ndarray = (1, 2, 3),
  *,
  tasks: Tasks | None = None,
  num_tasks: int = 100,
  repeats: int = 1,
  seed: int = 0,
  name: str = "",
) -> scores.Evaluation:
  """Measures a policy: its score against the number of trials on a task.

  For each k in `trials` the policy plays an episode of k trials on each task;
  the last trial's reward counts. The score is that reward over the scripted
  expert's.

  Example::

    print(adaland.evaluate(my_policy, "laptop", trials=(1, 2, 4)))

  Args:
    policy: An object with `act(step)` and, if it keeps state for each
      environment, `reset(num_envs)`; a function from a step to actions; or
      "expert", "explorer", "tutor", "guide", "forgetful", "noop", "random". A
      scripted player plays the tasks measured, whatever environments it was
      made with.
    source: A preset's name or an experiment, which sets environments and
      held-out tasks. None means a trained agent's own; for a name with
      `tasks`, environments with room for any task; and otherwise those of the
      preset "laptop".
    trials: Numbers of trials, k.
    tasks: Tasks to play instead of the held-out ones: as in `make`, or the name
      of a task set, such as "probe". All tasks of a folder are played, and the
      held-out half of a family.
    num_tasks: Maximum number of tasks.
    repeats: Episodes per task and k; their rewards are averaged.
    seed: Seed of the environments.
    name: The policy's name in the results.

  Raises:
    UserError: If an argument is invalid.
  """
  own = getattr(policy, "config", None)
  if source is not None:
    config, whose = _config(source), "these"
  elif isinstance(own, experiment.ExperimentConfig):
    config, whose = own, "this agent's"
  else:
    config, whose = _config("laptop"), "these"
  seed = policies.checked_seed(seed)
  num_tasks = _checked_count("num_tasks", num_tasks)
  repeats = _checked_count("repeats", repeats)
  if isinstance(tasks, (str, os.PathLike)):
    # A path is never a name: it may lead to a folder called "test".
    spec = tasks if isinstance(tasks, str) else os.path.join(".", tasks)
    chosen = tasksets.many(
      spec, task_source.TaskSource(config, held_out=True), num_tasks, "tasks"
    )
  else:
    drawn = _task_set(tasks, config, held_out=True)
    count = min(num_tasks, drawn.num_tasks)
    with errors.user_input("tasks"):
      chosen = [drawn.task(index) for index in range(count)]
  if source is None and tasks is not None and isinstance(policy, str):
    env = trained_agent.default_env(chosen)
    config = dataclasses.replace(config, env=env)
  trained_agent.check_fit(config.env, chosen, whose=whose)
  if isinstance(policy, str):
    policies.check_tasks(policy, chosen)
  line = progress.Progress()
  if not name and isinstance(policy, str):
    name = policy
  name = name or getattr(policy, "__name__", type(policy).__name__)
  try:
    result = fewshot.evaluate(
      name,
      builder.environments(config),
      chosen,
      _checked_trials(trials),
      policies.maker(policy, seed),
      seed,
      repeats,
      line.update,
    )
  finally:
    line.close()
  taskset = "test" if tasks is None else tasks
  agent = policy if isinstance(policy, trained_agent.TrainedAgent) else None
  return scores.Evaluation(
    result,
    taskset=taskset if isinstance(taskset, str) else "given",
    repeats=repeats,
    seed=seed,
    workdir=None,
    environment=config.factories.environment,
    agent_sha256=agent and weights.fingerprint(agent.params),
    temperature=agent.temperature if agent else 1.0,
  )


def _checked_count(field: str, value: Any) -> int:
  if not policies.is_whole(value) or value < 1:
    raise errors.UserError(
      f"{field} is {errors.shown(value)}, allowed: a whole number from 1"
    )
  return int(value)


def _checked_trials(trials: Any) -> list[int]:
  listed = isinstance(trials, Sequence) or (
    isinstance(trials, np.ndarray) and trials.ndim == 1
  )
  whole = listed and all(map(policies.is_whole, trials))
  chosen = sorted({int(k) for k in trials}) if whole else []
  if not chosen or not 1 <= chosen[0] <= chosen[-1] <= constants.MAX_TRIALS:
    raise errors.UserError(
      f"trials is {errors.shown(trials)}, allowed: a sequence of whole numbers "
      f"from 1 to {constants.MAX_TRIALS}"
    )
  return chosen


def train(
  source: Source,
  workdir: str | os.PathLike[str],
  launcher: str = "local",
  *,
  ray_address: str | None = None,
) -> trained_agent.TrainedAgent:
  """Trains an agent, or continues a run, until the limit set in its config.

  Child processes import the main program, so a script guards the call with
  `if __name__ == "__main__"`.

  Example::

    class EMA(hk.Module): ...

    if __name__ == "__main__":
      adaland.train(adaland.presets.laptop(memory=EMA), "runs/ema")

  Args:
    source: A preset's name or an experiment.
    workdir: The run's directory, created if missing. If it holds a run of the
      same experiment, that run is continued.
    launcher: "local" (processes on this machine), "ray", or "device" (one
      process on one device).
    ray_address: Address of a running Ray cluster, for launcher "ray".

  Raises:
    UserError: If the experiment can't be run here, or the directory holds a run
      of another experiment.
    RunError: If training fails at run time.
  """
  place = references.importing()
  if place:
    raise errors.UserError(
      f"adaland.train was called while {place} was being imported; put the "
      'call under `if __name__ == "__main__":`'
    )
  config = _config(source)
  for name, value in config.factories.code.items():
    # Refused before there are threads and processes to end.
    if references.has_no_guard(value):
      raise errors.UserError(
        f"{name}: other processes import {value}, and would call adaland.train "
        'again; put the call under `if __name__ == "__main__":`'
      )
  folder = rundir.path_of(workdir)
  done = train_and_evaluate(config, folder, launcher, ray_address)
  return trained_agent.TrainedAgent(
    config,
    done.params,
    done.counters,
    {name: scores.Evaluation(each) for name, each in done.evaluation.items()},
  )


def _config(source: Source) -> experiment.ExperimentConfig:
  """Returns the config of a preset, given by name, or of an experiment."""
  if isinstance(source, str):
    with errors.user_input("source"):
      source = presets.named(source)
  if isinstance(source, recipe.Experiment):
    return source.resolved()
  if isinstance(source, experiment.ExperimentConfig):
    return source
  raise errors.UserError(
    f"source is {errors.shown(source)}, allowed: a preset's name or an "
    "Experiment"
  )


def _task_set(
  tasks: Tasks | None,
  config: experiment.ExperimentConfig | None,
  held_out: bool,
) -> task_sets.TaskSet:
  """Returns the requested tasks.

  Args:
    tasks: As in `make`; None means the config's own.
    config: Settings with a task family.
    held_out: Whether to take a family's held-out half.
  """
  if tasks is None:
    assert config is not None
    return task_source.TaskSource(config, held_out)
  if isinstance(tasks, Task):
    return task_sets.TaskList((tasks,))
  with errors.user_input("tasks"):
    if isinstance(tasks, Sequence) and not isinstance(tasks, str):
      return task_sets.TaskList(tuple(tasks))
    return task_source.half(families.make(tasks), held_out)
