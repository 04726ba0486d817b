"""Shows the state of a run, role by role: `adaland status RUN`."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from adaland.launch import cli, errors, output
from adaland.launch.run import progress, rundir, status_file

_EXAMPLES = """\
examples:
  adaland status /tmp/run
  adaland status /tmp/run --json=-

It reads the file that the run writes every few seconds, even after the run has
ended.
"""
_COLUMNS = ("role", "host", "pid", "MiB", "restarts", "heartbeat", "numbers")
# The numbers that every role has.
_COMMON = {"kind", "pid", "host", "memory_mb", "restarts", "heartbeat_age_s"}


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland status", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("workdir", metavar="RUN", help="the run's directory")
  cli.add_json_flag(parser)
  return parser


def page(status: Mapping[str, Any], running: bool, now: float) -> str:
  """Returns the status as text.

  Args:
    status: As `status_file.read` returns it.
    running: True if a training process holds the run's lock.
    now: The time, seconds since 1970.
  """
  counters, row = status["counters"], status["metrics"]
  state = status["state"] if running else "not running"
  age = progress.duration(now - status["time"])
  lines = [
    f"{status['launcher']} launcher, {state}; process {status['pid']} on "
    f"{status['host']}, {age} ago",
    ", ".join(
      f"{progress.count(counters[name])} {name.replace('_', ' ')}"
      for name in ("env_steps", "episodes", "updates")
    )
    + f", {progress.duration(counters['seconds'])} of training",
    ", ".join(
      f"{name} {progress.count(row[name])}"
      for name in (
        "env_steps_per_s",
        "learner_steps_per_s",
        "samples_per_insert",
        "params_lag",
        "reward/episode",
      )
      if row.get(name) is not None
    ),
    "",
    *_table(status["roles"]),
  ]
  return "\n".join(map(errors.printable, lines))


def _table(roles: Mapping[str, Mapping[str, Any]]) -> list[str]:
  cells = [_COLUMNS]
  for name, role in roles.items():
    numbers = ", ".join(
      f"{key} {progress.count(value)}"
      for key, value in role.items()
      if key not in _COMMON and value is not None
    )
    cells.append(
      (
        name,
        role["host"],
        str(role["pid"] or "-"),
        f"{role['memory_mb']:.0f}",
        str(role["restarts"]),
        progress.duration(role["heartbeat_age_s"]),
        numbers,
      )
    )
  widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
  return [
    "  ".join(
      cell.ljust(width) for cell, width in zip(line, widths, strict=True)
    ).rstrip()
    for line in cells
  ]


def run(args: argparse.Namespace) -> None:
  """Reads the status file and shows it."""
  directory = rundir.RunDir(args.workdir)
  status = status_file.read(directory)
  path = str(directory.path / status_file.NAME)
  with errors.user_input(path), errors.of_another_form(path):
    text = page(status, directory.is_locked(), time.time())
  output.emit(status, text, args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
