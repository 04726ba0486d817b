"""Lists, draws, describes, checks, soaks and measures tasks."""

import argparse
import collections
import itertools
import json
import pathlib
import sys
from collections.abc import Sequence

from adaland.envs import constants
from adaland.envs.sampling import families, named
from adaland.envs.tasks import (
  complexity,
  description,
  json_files,
)
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import validity
from adaland.launch import cli, errors, output
from adaland.launch.config import overrides, preset_configs
from adaland.launch.evaluation import tasksets, trained_agent
from adaland.launch.recipes import task_source
from adaland.launch.run import progress
from adaland.launch.soaking import soak_command
from adaland.launch.tasking import (
  importing,
  listing,
  testset_command,
  worth,
)

_EXAMPLES = """\
examples:
  adaland tasks list
  adaland tasks sample --num_tasks=3
  adaland tasks sample --split=test --index=7 --out=my_tasks/
  adaland tasks show probe:wrong-pair-disappears
  adaland tasks check my_tasks/*.json
  adaland tasks complexity sample:0 sample:1 --json=-
  adaland tasks complexity --preset=ada_23m --split=test --num_tasks=300
  adaland tasks worth traps --num_tasks=100
  adaland tasks testset --num_players=2 --out=two.npz
  adaland tasks replay two.npz
  adaland tasks import xland-minigrid rulesets.npz --out=my_tasks/
  adaland tasks soak --preset=ada_6m --num_tasks=100 --out=broken/
  adaland tasks soak --preset=ada_6m --set tasks.two_player_probability=1 \\
      env.num_players=2
  adaland tasks soak --replay=broken/inside_0.npz
"""


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland tasks", description=__doc__, epilog=_EXAMPLES
  )
  commands = parser.add_subparsers(
    dest="command",
    required=True,
    metavar="{list,sample,show,check,complexity,worth,soak,testset,replay,import}",
    help="adaland tasks COMMAND --help describes each of them",
  )
  listing.add_list(commands)
  testset_command.add(commands)
  importing.add(commands)
  for name, text in (
    ("sample", "draws tasks from a distribution"),
    ("show", "describes tasks in words"),
    ("check", "checks task files: format, room, and that goals can be met"),
    ("complexity", "computes the twelve measures of complexity"),
    ("worth", "scores scripted players with and without memory"),
    ("soak", "plays many tasks roughly, and checks laws at every step"),
  ):
    command = cli.add_subcommand(commands, name, text)
    _add_distribution_flags(command, name)
    if name == "worth":
      _add_worth_flags(command)
    elif name == "soak":
      soak_command.add_flags(command)
    elif name == "sample":
      _add_sample_flags(command)
    else:
      _add_task_arguments(command, name)
    cli.add_own_parts_flag(command)
    cli.add_json_flag(command)
  return parser


def _add_distribution_flags(command: cli.Parser, name: str) -> None:
  """Adds the flags that choose the distribution of a subcommand's tasks."""
  command.add_argument(
    "--preset",
    default="laptop",
    help="distribution to draw from, laptop by default",
  )
  command.add_argument(
    "--workdir", help="a run, to use its distribution instead of a preset's"
  )
  if name in ("sample", "soak"):
    command.add_argument(
      "--set",
      action="extend",
      nargs="+",
      default=[],
      metavar="FIELD=VALUE",
      help="change single settings, such as tasks.two_player_probability=1",
    )
  if name not in ("worth", "soak"):
    command.add_argument(
      "--split", default="train", help="train or test, train by default"
    )


def _add_worth_flags(command: cli.Parser) -> None:
  command.add_argument(
    "family",
    nargs="?",
    metavar="FAMILY",
    help=f"{', '.join(named.NAMES)}, or a folder of task files; by default "
    "the distribution's own tasks",
  )
  cli.add_num_tasks_flag(command, 100)
  command.add_argument(
    "--trials",
    type=cli.positive_int,
    default=4,
    help="trials of each task, 4 by default",
  )
  cli.add_seed_flag(command)


def _add_sample_flags(command: cli.Parser) -> None:
  command.add_argument(
    "--index",
    type=cli.non_negative_int,
    default=0,
    help="number of the first task, 0 by default",
  )
  cli.add_num_tasks_flag(command, 1, "number of tasks")
  command.add_argument("--out", metavar="DIR", help="write files here")


def _add_task_arguments(command: cli.Parser, name: str) -> None:
  """Adds the tasks to show or check, or to average over, as arguments."""
  averages = name == "complexity"
  command.add_argument(
    "tasks",
    nargs="*" if averages else "+",
    metavar="TASK",
    help="a file, probe:NAME or sample:INDEX"
    + ("; by default means over the distribution" if averages else ""),
  )
  if averages:
    cli.add_num_tasks_flag(command, 300, "number of tasks to average over")


def _source(args: argparse.Namespace, held_out: bool) -> task_source.TaskSource:
  if args.workdir:
    config = trained_agent.load_config(args.workdir, args.own_parts)
  else:
    config = preset_configs.get(args.preset)
  config = overrides.apply(config, getattr(args, "set", []))
  return task_source.TaskSource(config, held_out)


def _read(args: argparse.Namespace) -> dict[str, Task]:
  if args.split not in ("train", "test"):
    raise errors.choice("--split", args.split, ["train", "test"])
  source = _source(args, args.split == "test")
  names = getattr(args, "tasks", [])
  if not names:
    first, count = getattr(args, "index", 0), args.num_tasks
    if args.command == "complexity":
      # Higher numbers are the same tasks again.
      with errors.user_input():
        count = min(count, source.num_tasks)
    names = [f"sample:{i}" for i in range(first, first + count)]
  return {name: tasksets.one(name, source) for name in names}


def _write(folder: str, tasks: dict[str, Task]) -> None:
  path = pathlib.Path(folder)
  with errors.user_input("--out"):
    path.mkdir(parents=True, exist_ok=True)
  chosen = list(tasks.values())
  for task, name in zip(chosen, _file_names(chosen), strict=True):
    content = json.dumps(json_files.to_json(task), indent=1) + "\n"
    output.write_atomically(str(path / f"{name}.json"), content)


def _file_names(tasks: Sequence[Task]) -> list[str]:
  """Returns names for tasks' files; equal names are numbered."""
  names = [
    (task.name or "task").replace(" ", "_").replace("/", "_") for task in tasks
  ]
  counts, taken = collections.Counter(names), set(names)
  for index, name in enumerate(names):
    if counts[name] > 1:
      numbered = (f"{name}_{number}" for number in itertools.count(index))
      names[index] = next(each for each in numbered if each not in taken)
      taken.add(names[index])
  return names


def _worth(args: argparse.Namespace) -> None:
  """Measures what memory is worth on held-out tasks."""
  if args.trials > constants.MAX_TRIALS:
    raise errors.UserError(
      f"--trials={args.trials}: allowed: 1 to {constants.MAX_TRIALS}"
    )
  family = args.family
  if family is None:
    source = _source(args, held_out=True)
  else:
    with errors.user_input():
      source = families.make(family).held_out()
  with errors.user_input():
    count = min(args.num_tasks, source.num_tasks)
    tasks = [source.task(index) for index in range(count)]
  env = trained_agent.default_env(tasks)
  line = progress.Progress()
  result = worth.measure(tasks, args.trials, env, args.seed, line.update)
  line.close()
  result |= {"family": family or "test", "seed": args.seed}
  output.emit(result, worth.table(result), args.json)


def run(args: argparse.Namespace) -> None:
  """Runs the subcommand."""
  own = {
    "worth": _worth,
    "list": listing.run_list,
    "testset": testset_command.make,
    "replay": testset_command.replay,
    "import": lambda args: importing.run(args, _write),
  }
  if args.command in own:
    own[args.command](args)
    return
  if args.command == "soak":
    soak_command.run(args, _source(args, held_out=False))
    return
  tasks = _read(args)
  if args.command == "check":
    for name, task in tasks.items():
      with errors.user_input(name):
        validity.check(task)
    result = {"checked": len(tasks)}
    verb = "is" if len(tasks) == 1 else "are"
    text = f"{output.plural(len(tasks), 'task')} {verb} fine"
  elif args.command == "complexity":
    measured = {name: complexity.measures(task) for name, task in tasks.items()}
    result = {"complexity": measured}
    if not args.tasks:
      result, text = listing.means(measured)
      output.emit(result, text, args.json)
      return
    text = "\n".join(
      f"{name}\n"
      + "\n".join(f"  {measure}: {value}" for measure, value in each.items())
      for name, each in measured.items()
    )
  else:
    described = [json_files.to_json(task) for task in tasks.values()]
    result = {"tasks": described}
    if args.command == "show":
      text = "\n\n".join(description.describe(task) for task in tasks.values())
    elif args.out:
      _write(args.out, tasks)
      text = f"{output.plural(len(tasks), 'file')} written to {args.out}"
    else:
      text = "\n".join(json.dumps(task) for task in described)
  output.emit(result, text, args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
