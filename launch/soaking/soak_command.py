"""The command `adaland tasks soak`."""

import argparse
import dataclasses
import pathlib
import time

from adaland.envs import constants, land
from adaland.envs.tasks import json_files, probes
from adaland.envs.tasks.task import Task
from adaland.launch import cli, errors, output
from adaland.launch.evaluation import demo
from adaland.launch.recipes import task_source
from adaland.launch.run import progress
from adaland.launch.soaking import laws, soak


def add_flags(parser: argparse.ArgumentParser) -> None:
  """Adds the command's flags."""
  cli.add_num_tasks_flag(parser, 100)
  parser.add_argument(
    "--num_envs",
    type=cli.positive_int,
    default=32,
    help="environments that are stepped together, 32 by default",
  )
  parser.add_argument(
    "--trials",
    type=cli.positive_int,
    default=2,
    help="trials of each task, 2 by default",
  )
  cli.add_seed_flag(parser)
  parser.add_argument(
    "--threads",
    type=cli.positive_int,
    help="physics threads; by default one per processor",
  )
  parser.add_argument(
    "--out",
    metavar="DIR",
    help="write episodes that break a law here: a task file, and the actions "
    "as a demonstration",
  )
  parser.add_argument(
    "--replay",
    metavar="DEMO",
    help="check the laws in one demonstration instead",
  )


def run(args: argparse.Namespace, source: task_source.TaskSource) -> None:
  """Runs the command.

  Args:
    args: The command's flags.
    source: The tasks to play, in addition to the probes.

  Raises:
    RunError: If a law was broken.
  """
  if args.trials > constants.MAX_TRIALS:
    raise errors.UserError(
      f"--trials={args.trials}: allowed: 1 to {constants.MAX_TRIALS}"
    )
  if args.out is not None:
    with errors.user_input("--out"):
      pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
  if args.replay:
    _replay(args)
  else:
    _soak(args, source)


def _config(num_players: int, threads: int | None) -> land.LandConfig:
  return land.LandConfig(num_players=num_players, num_threads=threads)


def _replay(args: argparse.Namespace) -> None:
  played = demo.load(args.replay, constants.MAX_PLAYERS, "replay")
  config = _config(len(played.task.players), args.threads)
  found = soak.replay(played, config)
  result = {
    "steps": len(played.actions),
    "violations": [
      {"law": each.law, "step": each.step, "reason": each.reason}
      for each in found
    ],
  }
  lines = [f"step {x.step}: {x.law}: {x.reason}" for x in found]
  output.emit(result, "\n".join(lines) or "no law was broken", args.json)
  if found:
    raise errors.RunError(
      f"{args.replay} breaks {output.plural(len(found), 'law')}"
    )


def _tasks(
  args: argparse.Namespace, source: task_source.TaskSource
) -> list[Task]:
  """Returns the probes, then tasks of the source, all with equally many trials.

  Probes for two players are included if the source's environments have two.
  """
  kinds = range(1, 1 + source.config.env.num_players)
  names = [name for kind in kinds for name in probes.names(kind)]
  chosen = [probes.load(name) for name in names[: args.num_tasks]]
  with errors.user_input():
    rest = min(args.num_tasks - len(chosen), source.num_tasks)
    chosen += [source.task(index) for index in range(rest)]
  return [dataclasses.replace(task, trials=args.trials) for task in chosen]


def _soak(args: argparse.Namespace, source: task_source.TaskSource) -> None:
  line, counts = progress.Progress(), dict.fromkeys(laws.LAWS, 0)
  total = soak.Summary()

  def report(violation: soak.Violation) -> None:
    number = counts[violation.law]
    counts[violation.law] += 1
    name = f"{violation.law}_{number}"
    if args.out is not None:
      folder = pathlib.Path(args.out)
      json_files.save(folder / f"{name}.json", violation.played.task)
      demo.save(str(folder / f"{name}.npz"), violation.played)
    line.say(
      f"{name}: {violation.played.task.name!r}, step {violation.step}: "
      f"{violation.reason}"
    )

  def show(summary: soak.Summary) -> None:
    line.update(
      f"{total.tasks + summary.tasks} of {len(tasks)} tasks, "
      f"{total.steps + summary.steps} steps"
    )

  tasks = _tasks(args, source)
  cpu_start = time.process_time()
  for num_players in range(1, 1 + constants.MAX_PLAYERS):
    chosen = [task for task in tasks if len(task.players) == num_players]
    if not chosen:
      continue
    with errors.user_input():
      config = _config(num_players, args.threads)
    num_envs = min(args.num_envs, len(chosen))
    total += soak.play(chosen, config, num_envs, args.seed, report, show)
  line.close()
  result = dataclasses.asdict(total) | {
    "violations": counts,
    "cpu_seconds": round(time.process_time() - cpu_start, 1),
    "seed": args.seed,
  }
  text = "\n".join(f"{name}: {value}" for name, value in result.items())
  output.emit(result, text, args.json)
  broken = sum(counts.values())
  if broken:
    raise errors.RunError(f"laws were broken {output.plural(broken, 'time')}")
