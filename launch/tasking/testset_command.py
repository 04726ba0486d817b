"""Makes test sets and replays them."""

import argparse
from typing import Any

from adaland.envs import constants
from adaland.launch import cli, errors
from adaland.launch.run import progress
from adaland.launch.tasking import testset


def add(commands: Any) -> None:
  """Adds the subcommands that make and replay a test set."""
  text = "let the expert play held-out tasks, and keep its rewards and actions"
  command = commands.add_parser("testset", help=text, description=text)
  command.add_argument(
    "--out", required=True, metavar="FILE", type=cli.output_path
  )
  command.add_argument("--num_tasks", type=cli.positive_int, default=1000)
  command.add_argument("--num_players", type=cli.positive_int, default=1)
  command.add_argument("--seed", type=cli.non_negative_int, default=0)
  cli.add_json_flag(command)
  text = "replay actions of a test set; exit 2 if a reward differs"
  command = commands.add_parser("replay", help=text, description=text)
  command.add_argument("file", metavar="FILE", help="a test set")
  command.add_argument(
    "--num_tasks", type=cli.positive_int, default=20, help="evenly spread"
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
  cli.write_atomically(args.out, testset.encode(made))
  result = testset.summary(made)
  text = "\n".join(f"{name}: {value:g}" for name, value in result.items())
  cli.emit(result, text, args.json)


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
  cli.emit(result, text, args.json)
