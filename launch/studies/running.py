"""Runs a study: trains each variant and seed, and plays the held-out tasks.

Finished work is not repeated: a run continues where it ended, and a player
whose results file exists is skipped.
"""

import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from adaland.agent.checkpoint import weights
from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import errors, output, train
from adaland.launch.config import experiment, overrides, preset_configs
from adaland.launch.evaluation import (
  fewshot,
  policies,
  tasksets,
  trained_agent,
)
from adaland.launch.recipes import task_source
from adaland.launch.run import progress, rundir
from adaland.launch.studies import curves, processor_time, results, study

# A run ends at most this late, plus a tenth of its length.
_LATE_STEPS = 50_000
_LATE_SECONDS = 60.0


class Plan(NamedTuple):
  """A study and its extent.

  Attributes:
    name: The study's name.
    study: The study.
    size_name: Name of the size.
    size: The size, with the length of each run.
    seeds: Number of training seeds, which count from 0.
    runs: Folder of the runs.
    out: Folder of the results.
  """

  name: str
  study: study.Study
  size_name: str
  size: study.Size
  seeds: int
  runs: pathlib.Path
  out: pathlib.Path

  @property
  def length(self) -> str:
    """The length of each run, for people."""
    if self.size.steps:
      return f"{self.size.steps:,} steps"
    return f"{self.size.minutes:g} minutes"

  def is_over(self, counters: Mapping[str, float]) -> bool:
    """Returns True if a run with these counters is as long as planned."""
    if self.size.steps:
      return counters["env_steps"] >= self.size.steps
    # Runs end at the first update after their time, or just before it.
    return counters["seconds"] >= 60 * self.size.minutes - 1

  def is_shorter_than(self, counters: Mapping[str, float]) -> bool:
    """Returns True if a run with these counters is longer than planned."""
    if self.size.steps:
      # A run may end some steps late.
      return counters["env_steps"] > 1.1 * self.size.steps + _LATE_STEPS
    return counters["seconds"] > 66 * self.size.minutes + _LATE_SECONDS

  def workdir(self, variant: str, seed: int) -> pathlib.Path:
    """Returns the directory of a run."""
    return self.runs / f"{variant}-{seed}"

  def spent(self, variant: str, seed: int) -> pathlib.Path:
    """Returns the file with the processor time of all starts of a run."""
    return self.runs / f"{variant}-{seed}.spent.json"

  def result(self, variant: str, seed: int) -> pathlib.Path:
    """Returns the file with the results of a variant."""
    return self.out / f"{variant}-{seed}.json"

  def player(self, name: str) -> pathlib.Path:
    """Returns the file with the results of an untrained player."""
    return self.out / f"{name}.json"


def config(
  plan: Plan, variant: study.Variant, seed: int
) -> experiment.ExperimentConfig:
  """Returns the config of a run.

  Args:
    plan: The plan.
    variant: The variant.
    seed: Training seed.

  Raises:
    UserError: If a setting of the study does not fit.
  """
  settings = [
    *plan.size.settings,
    *variant.settings,
    f"run.seed={seed}",
    f"run.max_minutes={plan.size.minutes}",
    f"run.max_steps={plan.size.steps}",
    "run.eval_tasks=0",
  ]
  if variant.teacher:
    teacher = plan.workdir(variant.teacher, seed).absolute()
    settings.append(f"teaching.teacher=agent:{teacher}")
  return overrides.apply(preset_configs.get(plan.size.preset), settings)


def run(plan: Plan) -> None:
  """Trains and plays everything that is left to do.

  Raises:
    UserError: If a setting, a task, a player or the launcher does not fit, or
      existing files are another study's; raised before training if possible.
    RunError: If a run fails.
    KeyboardInterrupt: If a run was stopped; the same call continues it.
  """
  configs = {
    (variant, seed): config(plan, variant, seed)
    for seed in range(plan.seeds)
    for variant in plan.study.variants
  }
  base = configs[plan.study.variants[0], 0]
  source = task_source.TaskSource(base, held_out=True)
  tasks = tasksets.many(plan.size.taskset, source, plan.size.num_tasks)
  for each in configs.values():
    trained_agent.check_fit(each.env, tasks)
  wanted = (tasksets.fingerprint(tasks), [plan.size.trials])
  for path in (
    *map(plan.player, study.PLAYERS),
    *(plan.result(variant.name, seed) for variant, seed in configs),
  ):
    if path.exists() and results.tasks(path) != wanted:
      raise errors.UserError(
        f"{path}: is of other tasks than the study's ({plan.size.taskset}, "
        f"{plan.size.trials} trials), allowed: the same, or another --out"
      )
  left = {
    (variant.name, seed): chosen
    for (variant, seed), chosen in configs.items()
    if not _is_done(plan, variant, seed, chosen)
  }
  for each in left.values():
    train.check_launcher(each, plan.size.launcher)
  folders = {"--out": plan.out, "--runs": plan.runs}
  for flag, folder in folders.items():
    if folder.exists() and not folder.is_dir():
      raise errors.UserError(f"{flag}={folder}: is a file, allowed: a folder")
  for flag, folder in folders.items():
    with errors.user_input(flag):
      folder.mkdir(parents=True, exist_ok=True)
  for name in study.PLAYERS:
    if not plan.player(name).exists():
      result = _played(plan, name, base.env, tasks, policies.baseline(name, 0))
      _write(plan.player(name), result)
  for (name, seed), each in left.items():
    _write(plan.result(name, seed), _trained(plan, name, seed, each, tasks))


def _trained(
  plan: Plan,
  name: str,
  seed: int,
  chosen: experiment.ExperimentConfig,
  tasks: list[Task],
) -> dict[str, Any]:
  """Trains one variant with one seed; returns its results."""
  output.say(f"{plan.name}: {name}, seed {seed}")
  workdir = plan.workdir(name, seed)
  with processor_time.Counter(plan.spent(name, seed)) as spent:
    done = train.train_and_evaluate(chosen, str(workdir), plan.size.launcher)
  if not plan.is_over(done.counters):
    raise KeyboardInterrupt  # Stopped by a signal, with a checkpoint.
  # A run that is already longer ends at once.
  _refuse_longer(plan, workdir, done.counters, "--runs")
  maker = fewshot.agent_policy(chosen, done.params, seed)
  result = _played(plan, name, chosen.env, tasks, maker)
  return result | {
    "agent_sha256": weights.fingerprint(done.params),
    "launcher": plan.size.launcher,
    "training": {
      "seed": seed,
      "cpu_seconds": spent.seconds,
      **{
        key: done.counters[key] for key in ("env_steps", "updates", "seconds")
      },
    },
  }


def _played(
  plan: Plan,
  name: str,
  env: land.LandConfig,
  tasks: list[Task],
  maker: Callable[[land.Land], policies.Policy],
) -> dict[str, Any]:
  """Plays the tasks; returns the JSON object of `adaland evaluate`."""
  line = progress.Progress()
  try:
    result = fewshot.evaluate(
      name, land.maker(env), tasks, [plan.size.trials], maker, 0, 1, line.update
    )
  finally:
    line.close()
  return result | {"taskset": plan.size.taskset, "repeats": 1, "seed": 0}


def _is_done(
  plan: Plan,
  variant: study.Variant,
  seed: int,
  chosen: experiment.ExperimentConfig,
) -> bool:
  """Returns whether there are results of a run of the planned length.

  Raises:
    UserError: If the results are of a longer run, or one with other settings or
      another launcher, which would not be comparable with the others; or if the
      run is missing, as in a checkout: training it again would replace results
      that can't be recovered.
  """
  path = plan.result(variant.name, seed)
  if not path.exists():
    return False
  run_dir = rundir.RunDir(str(plan.workdir(variant.name, seed)))
  if not run_dir.exists() or not (run_dir.path / curves.METRICS).exists():
    raise errors.UserError(
      f"{path}: its run is not in {plan.runs}, allowed: --runs with the runs "
      "of these results, or another --out to train them again"
    )
  # Runs can be moved; the teacher's own settings are checked with its run.
  moved = ["teaching.teacher"] if variant.teacher else []
  unlike = run_dir.differences(chosen, [*experiment.FREE_FIELDS, *moved])
  if unlike:
    raise errors.UserError(
      f"{path}: its run has other settings than the study ({unlike[0]}), "
      "allowed: the same, or another --out and --runs"
    )
  found = results.training(path)
  # Older results do not name their launcher.
  launcher = results.launcher(path) or plan.size.launcher
  if launcher != plan.size.launcher:
    raise errors.UserError(
      f"{path}: its run had --launcher={errors.printable(str(launcher))}, "
      f"the study has {plan.size.launcher}, allowed: the same, or another "
      "--out and --runs"
    )
  _refuse_longer(plan, path, found, "--out")
  return plan.is_over(found)


def _refuse_longer(
  plan: Plan, path: pathlib.Path, counters: Mapping[str, float], flag: str
) -> None:
  """Raises UserError if a run was longer than planned.

  Args:
    plan: The plan.
    path: The run, or its results.
    counters: The run's counters.
    flag: The flag that names the place of another one.
  """
  if plan.is_shorter_than(counters):
    raise errors.UserError(
      f"{path}: is of a longer run ({counters['env_steps']:,.0f} steps, "
      f"{counters['seconds'] / 60:.0f} minutes) than {plan.length}, allowed: "
      f"a study of that length (--steps, --minutes), or another {flag}"
    )


def _write(path: pathlib.Path, result: dict[str, Any]) -> None:
  output.write_atomically(str(path), json.dumps(result, indent=1) + "\n")
