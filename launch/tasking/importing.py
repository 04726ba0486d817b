"""Converts files of other platforms to tasks."""

import argparse
import json
from collections.abc import Callable
from typing import Any

from adaland.envs.tasks import json_files, xland_minigrid
from adaland.envs.tasks.task import Task
from adaland.launch import cli, errors, output


def add(commands: Any) -> None:
  """Adds the subcommand that converts other platforms' files to tasks."""
  command = cli.add_subcommand(
    commands, "import", "converts rulesets of XLand-MiniGrid to tasks"
  )
  command.add_argument(
    "source", choices=["xland-minigrid"], help="the platform of the file"
  )
  command.add_argument(
    "file", metavar="FILE", help="npz: goals, rules, init_tiles of a benchmark"
  )
  command.add_argument(
    "--index",
    type=cli.non_negative_int,
    default=0,
    help="number of the first ruleset, 0 by default",
  )
  cli.add_num_tasks_flag(command, 1, "maximum number of rulesets to convert")
  command.add_argument("--out", metavar="DIR", help="write files here")
  cli.add_json_flag(command)


def run(
  args: argparse.Namespace, write: Callable[[str, dict[str, Task]], None]
) -> None:
  """Runs the subcommand `import`; `write` writes tasks to a folder."""
  with errors.user_input():
    arrays = xland_minigrid.load(args.file)
  count = len(arrays["goals"])
  if args.index >= count:
    raise errors.UserError(
      f"--index={args.index}: allowed: 0 to {count - 1}, the rulesets in "
      f"{args.file}"
    )
  names = ("goals", "rules", "init_tiles")
  made: dict[str, Task] = {}
  notes: dict[str, list[str]] = {}
  last = min(args.index + args.num_tasks, count)
  for index in range(args.index, last):
    try:
      task, dropped = xland_minigrid.make_task(
        *(arrays[name][index] for name in names), seed=index
      )
    except ValueError as error:
      notes[str(index)] = [f"not a task: {error}"]
      continue
    made[str(index)] = task
    if dropped:
      notes[str(index)] = [f"without {x}" for x in dropped]
  if not made:
    why = "; ".join(f"{i}: {note[0]}" for i, note in notes.items())
    raise errors.UserError(
      f"{args.file}: no ruleset from {args.index} to {last - 1} can be "
      f"converted, allowed: 0 to {count - 1}; {why}"
    )
  if args.out:
    write(args.out, made)
  described = [json_files.to_json(task) for task in made.values()]
  lines = [
    f"ruleset {i} {note}" for i, found in notes.items() for note in found
  ]
  if args.out:
    lines.append(f"{output.plural(len(made), 'file')} written to {args.out}")
  else:
    lines += [json.dumps(task) for task in described]
  result = {"tasks": described, "not_carried_over": notes}
  output.emit(result, "\n".join(lines), args.json)
