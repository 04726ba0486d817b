"""Makes test sets and replays them."""

import argparse
from typing import Any

from adaland.envs import constants
from adaland.launch import cli, errors, output
from adaland.launch.run import progress
from adaland.launch.tasking import testset


def add(commands: Any) -> None:
  """Adds the subcommands that make and replay a test set."""
  command = cli.add_subcommand(
    commands,
    "testset",
    "lets the expert play held-out tasks, and keeps its rewards and actions",
  )
  command.add_argument(
    "--out",
    required=True,
    metavar="FILE",
    type=output.writable_path,
    help="write the test set to this file",
  )
  cli.add_num_tasks_flag(command, 1000, "number of tasks")
  command.add_argument(
    "--num_players",
    type=cli.positive_int,
    default=1,
    help=f"players of each task, 1 to {constants.MAX_PLAYERS}; 1 by default",
  )
  cli.add_seed_flag(command)
  cli.add_json_flag(command)
  command = cli.add_subcommand(
    commands,
    "replay",
    "replays actions of a test set; the exit status is 2 if a reward differs",
  )
  command.add_argument("file", metavar="FILE", help="a test set")
  cli.add_num_tasks_flag(
    command, 20, "maximum number of tasks, evenly spread over the set"
  )
  cli.add_json_flag(command)


def make(args: argparse.Namespace) -> None:
  """Runs the subcommand `testset`."""
  if args.num_players > constants.MAX_PLAYERS:
    raise errors.UserError(
      f"--num_players={args.num_players}: allowed: 1 to {constants.MAX_PLAYERS}"
    )
  line = progress.Progress()
  made = testset.make(
    args.num_tasks,
    args.num_players,
    args.seed,
    lambda done, total: line.update(f"{done} of {total} tasks played"),
  )
  line.close()
  output.write_atomically(args.out, testset.encode(made))
  result = testset.summary(made)
  text = "\n".join(f"{name}: {value:g}" for name, value in result.items())
  output.emit(result, text, args.json)


def replay(args: argparse.Namespace) -> None:
  """Runs the subcommand `replay`."""
  read = testset.load(args.file)
  total = len(read.witnesses)
  count = min(args.num_tasks, total)
  indices = [i * total // count for i in range(count)]
  wrong = testset.check(read, indices)
  if wrong:
    raise errors.UserError(
      f"{args.file}: the rewards of the tasks {wrong} of {count} replayed "
      "differ; make the test set again with this version"
    )
  result = testset.summary(read) | {"replayed": count}
  text = "\n".join(f"{name}: {value:g}" for name, value in result.items())
  output.emit(result, text, args.json)
