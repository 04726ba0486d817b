"""Lists of the tasks that come with Adaland, and tables of task measures."""

import argparse
from typing import Any

from adaland.envs.sampling import named
from adaland.envs.tasks import complexity, probes
from adaland.launch import cli, output


def add_list(commands: Any) -> None:
  """Adds the subcommand `list`."""
  command = cli.add_subcommand(
    commands, "list", "lists the probes and families"
  )
  cli.add_json_flag(command)


def run_list(args: argparse.Namespace) -> None:
  """Prints the probes with their goals, and the named families."""
  result: dict[str, Any] = {"families": list(named.NAMES)}
  lines = []
  for num_players, key, whom in (
    (1, "probes", "one player"),
    (2, "two_player_probes", "two players"),
  ):
    found = {name: probes.load(name) for name in probes.names(num_players)}
    result[key] = list(found)
    lines.append(f"{len(found)} probes for {whom}:")
    lines += [
      f"  probe:{name:48} {task.players[0].goal}"
      for name, task in found.items()
    ]
  lines.append(f"Families: {', '.join(named.NAMES)}")
  output.emit(result, "\n".join(lines), args.json)


def means(
  measured: dict[str, dict[str, int]],
) -> tuple[dict[str, Any], str]:
  """Returns the measures' means over tasks, next to those of AdA's test set."""
  found = {
    name: sum(each[name] for each in measured.values()) / len(measured)
    for name in complexity.PAPER
  }
  lines = [f"{f'mean of {len(measured)} tasks':28}{'here':>8}{'AdA':>8}"]
  for name, mean in found.items():
    lines.append(f"{name:28}{mean:8.2f}{complexity.PAPER[name]:8.2f}")
  result = {"num_tasks": len(measured), "mean": found, "ada": complexity.PAPER}
  return result, "\n".join(lines)
