"""Trains an agent: `adaland train --workdir=RUN --preset=laptop`."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from adaland.agent import types
from adaland.envs.physics import backends
from adaland.envs.tasks import json_checks
from adaland.launch import cli, errors, output
from adaland.launch.agents import agent_dir
from adaland.launch.config import (
  experiment,
  json_codec,
  overrides,
  preset_configs,
)
from adaland.launch.recipes import recipe
from adaland.launch.run import progress, rundir, scale_request, status_file
from adaland.launch.runtimes import children

_EXAMPLES = """\
examples:
  adaland train --workdir=/tmp/run --preset=smoke
  adaland train --workdir=/tmp/run --preset=laptop \\
      --set replay.batch_size=32 --set run.max_minutes=20
  adaland train --workdir=/tmp/run --recipe=my_module:my_experiment
  adaland train --workdir=/tmp/run      # resumes that run

A run is a directory: config, checkpoints, metrics (JSON lines, TensorBoard).
Ctrl-C writes a checkpoint; the same command resumes from it.
"""

# By the start of their format tag: files that hold a config inside an object.
_CONFIG_OF = {
  rundir.FAMILY: rundir.config_of,
  agent_dir.FAMILY: agent_dir.config_of,
}
_LAUNCHERS = ("local", "ray", "device")


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland train", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--workdir", required=True, help="the run's directory, created if missing"
  )
  parser.add_argument(
    "--preset",
    help=f"settings to start from: {', '.join(preset_configs.PRESETS)}; "
    "an existing run has its own",
  )
  parser.add_argument(
    "--recipe",
    metavar="MODULE:FUNCTION",
    help="a function that returns an Experiment: settings and your own parts",
  )
  parser.add_argument(
    "--config",
    metavar="FILE",
    help="settings to start from, as JSON: a config, a run's config.json or an "
    "agent's agent.json",
  )
  parser.add_argument(
    "--launcher",
    default="local",
    help="where processes run: local (this machine), ray (this machine or a "
    "cluster), device (one process, all on one device); local by default",
  )
  parser.add_argument(
    "--ray_address",
    metavar="HOST:PORT",
    help="a running Ray cluster, or auto for the one that this machine is part "
    "of; by default ray starts one on this machine",
  )
  parser.add_argument(
    "--set",
    action="extend",
    nargs="+",
    default=[],
    metavar="FIELD=VALUE",
    help="change single settings, such as learner.learning_rate=1e-3",
  )
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def choose_config(args: argparse.Namespace) -> experiment.ExperimentConfig:
  """Returns the config of a preset, recipe, file or run, with --set applied.

  Raises:
    UserError: If there is no such preset, recipe, file or field, or a value is
      bad.
  """
  _check_workdir(args.workdir)
  run = rundir.RunDir(args.workdir)
  if sum(map(bool, (args.preset, args.recipe, args.config))) > 1:
    raise errors.UserError("--preset, --recipe, --config: give only one")
  if args.preset:
    base = preset_configs.get(args.preset)
  elif args.recipe:
    base = recipe.load(args.recipe)
  elif args.config:
    with errors.user_input(f"--config={args.config}"):
      content = _config_of(json_checks.load(args.config))
      base = json_codec.from_json(experiment.ExperimentConfig, content)
      base.factories.refuse_unless(args.own_parts)
  elif run.exists():
    with errors.user_input(str(run.config)):
      base = json_codec.from_json(
        experiment.ExperimentConfig, run.read_config()
      )
    with errors.argument(f"workdir={args.workdir}"):
      base.factories.refuse_unless(args.own_parts)
  else:
    raise errors.UserError(
      f"--preset is missing: one of {', '.join(preset_configs.PRESETS)} (or "
      "--recipe)"
    )
  return overrides.apply(base, args.set)


def _check_workdir(workdir: str) -> None:
  if workdir.startswith(agent_dir.PREFIX):
    raise errors.ArgumentError(
      f"workdir={workdir}: means an agent of the package, allowed: a directory "
      f"(run.start_from={workdir} starts a run from that agent's parameters)"
    )


def _config_of(content: Any) -> Any:
  """Returns the config in the content of a config file, which may be all."""
  if not isinstance(content, dict) or "format" not in content:
    return content
  found = str(content["format"])
  for family, config_of in _CONFIG_OF.items():
    if found.startswith(family):
      return config_of(content)
  raise errors.choice("format", found, (rundir.FORMAT, agent_dir.FORMAT))


@contextlib.contextmanager
def stopping_on_signals(stop: Any) -> Iterator[None]:
  """Calls `stop` at the first Ctrl-C or SIGTERM; a second one kills."""
  if threading.current_thread() is not threading.main_thread():
    yield  # Only the main thread may handle signals.
    return
  signals = (signal.SIGINT, signal.SIGTERM)

  def handle(number: int, frame: Any) -> None:
    for each in signals:
      signal.signal(each, signal.SIG_DFL)
    stop()
    # It fails if the signal has interrupted another message.
    with contextlib.suppress(RuntimeError):
      output.say("\nstopping; again to stop without a checkpoint")

  before = {each: signal.signal(each, handle) for each in signals}
  try:
    yield
  finally:
    for each, handler in before.items():
      signal.signal(each, handler)


class Outcome(NamedTuple):
  """A run that has ended.

  Attributes:
    workdir: Its directory.
    counters: Environment steps, updates, seconds and so on.
    params: The target network's parameters.
    evaluation: The few-shot results of agent, random and noop by policy; empty
      if there are none.
    table: The same results as text.
  """

  workdir: str
  counters: dict[str, float]
  params: types.Params
  evaluation: dict[str, Any]
  table: str


def train_and_evaluate(
  config: experiment.ExperimentConfig,
  workdir: str,
  launcher: str = "local",
  ray_address: str | None = None,
) -> Outcome:
  """Trains, then evaluates on held-out tasks.

  Args:
    config: The run's config.
    workdir: Its directory, created if missing; an existing run is continued.
    launcher: Where its processes run: "local", "ray" or "device".
    ray_address: Address of a Ray cluster; None starts one on this machine.

  Raises:
    UserError: If the config can't be run here.
    RunError: If training fails at run time.
  """
  _check_workdir(workdir)
  check_launcher(config, launcher, ray_address)
  # Imported late, so that bad flags are reported at once.
  from adaland.launch.builder import start

  directory = rundir.RunDir(workdir)
  config = start.complete(config, directory)
  with _jax_set_up(config, launcher):
    start.check(config, directory)
    if launcher == "device":
      from adaland.launch.runtimes.single import preflight

      preflight.prepare(config)
    with directory.begin(config, experiment.FREE_FIELDS):
      # Both are of an earlier start; from here on requests are of this one.
      scale_request.forget(directory)
      status_file.starting(directory, launcher)
      from adaland.launch.evaluation import fewshot

      trainer = _make_trainer(config, directory, launcher, ray_address or "")
      try:
        with stopping_on_signals(trainer.request_stop):
          trainer.train()
      finally:
        trainer.close()
      counters, params = trainer.counters(), trainer.params
  evaluation, table = {}, ""
  if config.run.eval_tasks and not trainer.stopped:
    evaluation, table = fewshot.after_training(config, params)
  return Outcome(str(directory.path), counters, params, evaluation, table)


def check_launcher(
  config: experiment.ExperimentConfig,
  launcher: str,
  ray_address: str | None = None,
) -> None:
  """Raises UserError unless the launcher can run the config here."""
  if launcher not in _LAUNCHERS:
    raise errors.choice("launcher", launcher, _LAUNCHERS, errors.ArgumentError)
  if ray_address is not None and launcher != "ray":
    raise errors.ArgumentError("ray_address: only with launcher ray")
  if ray_address == "":
    raise errors.ArgumentError(
      "ray_address: is empty, allowed: HOST:PORT, auto"
    )
  if launcher == "ray":
    from adaland.launch.runtimes import ray_cluster

    ray_cluster.require()
  if launcher != "device" and config.env.backend != "cpu":
    raise errors.UserError(
      f"env.backend is {config.env.backend!r}, allowed with launcher "
      f"{launcher}: cpu (the others are for launcher device)"
    )
  with errors.user_input("env"):
    backends.check(config.env.backend, config.env.device)


@contextlib.contextmanager
def _jax_set_up(
  config: experiment.ExperimentConfig, launcher: str
) -> Iterator[None]:
  """Sets this process up for its learner, before any check starts JAX."""
  if launcher == "device":
    from adaland.launch.runtimes.single import preflight

    preflight.set_up(config.device.memory_fraction)
  if launcher != "local":
    yield
    return
  from adaland.launch.runtimes import env_vars

  with env_vars.learner_here(config.actor.num_actors):
    yield


def _make_trainer(
  config: experiment.ExperimentConfig,
  directory: rundir.RunDir,
  launcher: str,
  ray_address: str,
) -> Any:
  """Makes the launcher's trainer; imported late, as each takes seconds."""
  line = progress.Progress()
  if launcher == "device":
    from adaland.launch.runtimes.single.trainer import Trainer

    return Trainer(config, directory, line)
  from adaland.launch.runtimes import driver

  if launcher == "ray":
    from adaland.launch.runtimes import ray

    place = ray.RayRuntime(ray_address)
  else:
    from adaland.launch.runtimes import local

    place = local.LocalRuntime()
  return driver.Trainer(config, directory, line, place)


def run(args: argparse.Namespace) -> None:
  """Trains, and prints the results."""
  if args.launcher not in _LAUNCHERS:
    raise errors.choice("--launcher", args.launcher, _LAUNCHERS)
  done = train_and_evaluate(
    choose_config(args), args.workdir, args.launcher, args.ray_address
  )
  counters = done.counters
  result: dict[str, Any] = {"workdir": done.workdir, **counters}
  text = (
    f"{done.workdir}: {progress.count(counters['env_steps'])} steps, "
    f"{int(counters['updates'])} updates, "
    f"{progress.duration(counters['seconds'])}"
  )
  if done.table:
    result["evaluation"] = done.evaluation
    text = f"{text}\n\n{done.table}"
  output.emit(result, text, args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(main())
