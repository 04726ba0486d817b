"""Changes the number of actors of a running run: `adaland scale`."""

import argparse
import sys
import time
from collections.abc import Sequence

from adaland.launch import cli, errors, output
from adaland.launch.run import rundir, scale_request, status_file

_EXAMPLES = """\
examples:
  adaland scale /tmp/run --num_actors=4

The command returns once that many actors have answered. The run stores the
number in its config.json: resumed without --preset, it starts with that number.
"""
_LOOK_SECONDS = 0.2


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland scale", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("workdir", metavar="RUN", help="the run's directory")
  parser.add_argument(
    "--num_actors",
    type=cli.positive_int,
    required=True,
    help="number of actors",
  )
  parser.add_argument(
    "--wait",
    metavar="SECONDS",
    type=cli.positive_int,
    default=60,
    help="time that the run has to comply (default: 60)",
  )
  cli.add_json_flag(parser)
  return parser


def num_actors(status: dict) -> int:
  """Returns the number of actors in a status file that have answered."""
  return sum(
    role["kind"] == "actor" and role["pid"] > 0
    for role in status["roles"].values()
  )


def run(args: argparse.Namespace) -> None:
  """Asks the run for actors, and waits until it has them."""
  directory = rundir.RunDir(args.workdir)
  directory.read_config()
  if not directory.is_locked():
    raise errors.UserError(
      f"{args.workdir}: no training is running there; start it with "
      f"--set actor.num_actors={args.num_actors}"
    )
  status = status_file.read(directory)
  if status.get("launcher") == "device":
    raise errors.UserError(
      f"{args.workdir}: the run has --launcher=device, which has one actor; "
      "it can't be scaled"
    )
  before = num_actors(status)
  wanted = output.plural(args.num_actors, "actor")
  scale_request.request(directory, args.num_actors)
  deadline = time.monotonic() + args.wait
  while num_actors(status_file.read(directory)) != args.num_actors:
    if time.monotonic() > deadline:
      raise errors.RunError(
        f"{args.workdir}: was asked for {wanted}, but did not comply "
        f"within {args.wait} s"
      )
    time.sleep(_LOOK_SECONDS)
  output.emit(
    {"workdir": str(directory.path), "num_actors": args.num_actors},
    f"{directory.path}: {before} -> {wanted}",
    args.json,
  )


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
