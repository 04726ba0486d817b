"""Runs a study: trains variants of an agent and compares them."""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from adaland.launch import cli, errors
from adaland.launch.runtimes import children
from adaland.launch.studies import report, running, table

_EXAMPLES = """\
examples:
  adaland study memories
  adaland study memories --seeds=3 --minutes=60
  adaland study memories            # again: resumes, or draws what is there

studies:
"""
# The least length that reaches an evaluation of anything.
_LEAST_MINUTES = 0.1


def _minutes(value: str) -> float:
  try:
    minutes = float(value)
  except ValueError:
    minutes = 0.0
  if not _LEAST_MINUTES <= minutes < float("inf"):
    raise argparse.ArgumentTypeError(
      f"{value!r} is not a number of minutes from {_LEAST_MINUTES}"
    )
  return minutes


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  width = max(map(len, table.STUDIES))
  lines = "\n".join(
    f"  {name:{width}}  {study.question} ({len(study.variants)} variants)"
    for name, study in table.STUDIES.items()
  )
  parser = cli.Parser(
    prog="adaland study", description=__doc__, epilog=_EXAMPLES + lines
  )
  parser.add_argument("name", metavar="NAME", help=", ".join(table.STUDIES))
  parser.add_argument(
    "--seeds",
    type=cli.positive_int,
    default=2,
    help="training seeds of each variant, 2 by default",
  )
  parser.add_argument(
    "--minutes",
    type=_minutes,
    help="length of each run; by default the study's",
  )
  parser.add_argument(
    "--runs", metavar="DIR", help="where runs are, by default runs/studies/NAME"
  )
  parser.add_argument(
    "--out",
    metavar="DIR",
    help="where results go, by default results/studies/NAME",
  )
  parser.add_argument(
    "--launcher", default="local", help="as adaland train takes it"
  )
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Runs the study and reports."""
  if args.name not in table.STUDIES:
    raise errors.choice("study", args.name, table.STUDIES)
  study = table.STUDIES[args.name]
  plan = running.Plan(
    name=args.name,
    study=study,
    seeds=args.seeds,
    minutes=args.minutes or study.minutes,
    runs=pathlib.Path(args.runs or f"runs/studies/{args.name}"),
    out=pathlib.Path(args.out or f"results/studies/{args.name}"),
    launcher=args.launcher,
  )
  running.run(plan)
  result, page = report.write(plan)
  cli.emit(result, page, args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(main())
