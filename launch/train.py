"""Trains an agent: `python -m launch.train --workdir=RUN --preset=laptop`."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from adaland.envs.physics import backends
from adaland.envs.tasks import json_checks
from adaland.launch import cli, errors
from adaland.launch.config import experiment as config_lib
from adaland.launch.config import json_codec, overrides, presets
from adaland.launch.run import progress, rundir
from adaland.launch.runtimes import children

_EXAMPLES = """\
examples:
  python -m launch.train --workdir=/tmp/run --preset=smoke
  python -m launch.train --workdir=/tmp/run --preset=laptop \\
      --set learner.batch_size=32 --set run.max_minutes=20
  python -m launch.train --workdir=/tmp/run      # goes on with that run

A run is a directory: config, checkpoints, metrics (JSON lines, TensorBoard).
Ctrl-C writes a checkpoint; the same command goes on from it.
"""

_LAUNCHERS = ("local", "ray", "device")


def make_parser() -> cli.Parser:
  """The command's flags."""
  parser = cli.Parser(
    prog="python -m launch.train", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--workdir", required=True, help="the run's directory, made if need be"
  )
  parser.add_argument(
    "--preset",
    help=f"settings to start from: {', '.join(presets.PRESETS)}; "
    "a run that exists has its own",
  )
  parser.add_argument(
    "--config", metavar="FILE", help="settings to start from, as JSON"
  )
  parser.add_argument(
    "--launcher",
    default="local",
    help="where processes run: local (this machine), ray (this machine or a "
    "cluster), device (one process, all on one device)",
  )
  parser.add_argument(
    "--ray_address",
    metavar="HOST:PORT",
    help="a cluster of Ray that runs already, or auto for the one that this "
    "machine is part of; without it, ray makes one of this machine",
  )
  parser.add_argument(
    "--set",
    action="extend",
    nargs="+",
    default=[],
    metavar="FIELD=VALUE",
    help="change single settings, as learner.learning_rate=1e-3",
  )
  cli.add_json_flag(parser)
  return parser


def choose_config(args: argparse.Namespace) -> config_lib.ExperimentConfig:
  """The run's config: of the preset, file or existing run, then --set.

  Raises:
    UserError: If there is no such preset, file or field, or a value is bad.
  """
  run = rundir.RunDir(args.workdir)
  if args.preset and args.config:
    raise errors.UserError("--preset and --config: give one of them")
  if args.preset:
    base = presets.get(args.preset)
  elif args.config:
    with errors.user_input(f"--config={args.config}"):
      content = json_checks.load(args.config)
      # A run's own file has the config inside, under its format.
      if isinstance(content, dict) and content.get("format") == rundir.FORMAT:
        content = rundir.config_of(content)
      base = json_codec.from_json(config_lib.ExperimentConfig, content)
  elif run.exists():
    with errors.user_input(str(run.config)):
      base = json_codec.from_json(
        config_lib.ExperimentConfig, run.read_config()
      )
  else:
    raise errors.UserError(
      f"--preset is missing: one of {', '.join(presets.PRESETS)}"
    )
  return overrides.apply(base, args.set)


@contextlib.contextmanager
def stopping_on_signals(stop: Any) -> Iterator[None]:
  """Calls `stop` at the first Ctrl-C or SIGTERM; a second one kills."""
  signals = (signal.SIGINT, signal.SIGTERM)

  def handle(number: int, frame: Any) -> None:
    for each in signals:
      signal.signal(each, signal.SIG_DFL)
    cli.say("\nstopping; again to stop without a checkpoint")
    stop()

  before = {each: signal.signal(each, handle) for each in signals}
  try:
    yield
  finally:
    for each, handler in before.items():
      signal.signal(each, handler)


def _make_trainer(
  args: argparse.Namespace,
  experiment: config_lib.ExperimentConfig,
  directory: rundir.RunDir,
) -> Any:
  """Makes the launcher's trainer; imported late, as each takes seconds."""
  line = progress.Progress()
  if args.launcher == "device":
    from adaland.launch.runtimes.single import trainer as device_trainer

    return device_trainer.Trainer(experiment, directory, line)
  from adaland.launch.runtimes import driver

  if args.launcher == "ray":
    from adaland.launch.runtimes import ray

    place = ray.RayRuntime(args.ray_address or "")
  else:
    from adaland.launch.runtimes import local

    place = local.LocalRuntime()
  return driver.Trainer(experiment, directory, line, place)


def run(args: argparse.Namespace) -> None:
  """Trains, then evaluates on held-out tasks."""
  if args.launcher not in _LAUNCHERS:
    raise errors.choice("--launcher", args.launcher, _LAUNCHERS)
  if args.ray_address is not None and args.launcher != "ray":
    raise errors.UserError("--ray_address: only with --launcher=ray")
  if args.launcher == "ray":
    from adaland.launch.runtimes import ray_cluster

    ray_cluster.require()
  experiment = choose_config(args)
  if args.launcher != "device" and experiment.env.backend != "cpu":
    raise errors.UserError(
      f"env.backend is {experiment.env.backend!r}, allowed with "
      f"--launcher={args.launcher}: cpu (the others are for --launcher=device)"
    )
  with errors.user_input("env"):
    backends.check(experiment.env.backend, experiment.env.device)
  if args.launcher == "device":
    from adaland.launch.runtimes.single import preflight

    preflight.prepare(experiment)
  directory = rundir.RunDir(args.workdir)
  with directory.begin(experiment, config_lib.FREE_FIELDS):
    # Imported late: bad flags should not have to wait for it.
    from adaland.launch.evaluation import fewshot

    trainer = _make_trainer(args, experiment, directory)
    try:
      with stopping_on_signals(trainer.request_stop):
        trainer.train()
    finally:
      trainer.close()
    counters, params = trainer.counters(), trainer.params
  result: dict[str, Any] = {"workdir": str(directory.path), **counters}
  text = (
    f"{directory.path}: {progress.count(counters['env_steps'])} steps, "
    f"{int(counters['updates'])} updates, "
    f"{progress.duration(counters['seconds'])}"
  )
  if experiment.run.eval_tasks and not trainer.stopped:
    table = fewshot.after_training(experiment, params)
    result["evaluation"] = table.result
    text = f"{text}\n\n{table.text}"
  cli.emit(result, text, args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(main())
