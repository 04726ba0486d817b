"""Runs a study: trains variants of an agent and compares them."""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Sequence

from adaland.launch import cli, errors, output
from adaland.launch.runtimes import children
from adaland.launch.studies import report, running, study, table

_EXAMPLES = """\
examples:
  adaland study memories
  adaland study memories --seeds=3 --minutes=60
  adaland study memories --size=micro
  adaland study memories            # again: resumes, or draws finished results

studies:
"""
# The shortest length that reaches an evaluation.
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


def _steps(value: str) -> int:
  steps = cli.non_negative_int(value)
  if not steps:
    raise argparse.ArgumentTypeError("'0' is not a number of steps from 1")
  return steps


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  width = max(map(len, table.STUDIES))
  lines = "\n".join(
    f"  {name:{width}}  {row.question} ({len(row.variants)} variants; "
    f"sizes: {', '.join(row.sizes)})"
    for name, row in table.STUDIES.items()
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
    "--only",
    metavar="VARIANT,...",
    type=lambda text: [name.strip() for name in text.split(",")],
    help="run only these variants; a later call without it adds the others",
  )
  parser.add_argument(
    "--size",
    metavar="SIZE",
    help="preset, tasks and length; by default the study's first",
  )
  length = parser.add_mutually_exclusive_group()
  length.add_argument(
    "--minutes", type=_minutes, help="length of each run; by default the size's"
  )
  length.add_argument(
    "--steps",
    type=_steps,
    help="the same in environment steps, for equal runs on a busy machine",
  )
  parser.add_argument(
    "--runs",
    metavar="DIR",
    help="folder of the runs, by default runs/studies/NAME, or .../NAME-SIZE "
    "for sizes other than the first",
  )
  parser.add_argument(
    "--out",
    metavar="DIR",
    help="folder of the results, by default results/studies/NAME or NAME-SIZE",
  )
  parser.add_argument(
    "--launcher", help="as in adaland train; by default the size's"
  )
  cli.add_json_flag(parser)
  return parser


def _chosen(row: study.Study, args: argparse.Namespace) -> study.Study:
  """Returns the study with the variants given by a flag, or all."""
  if not args.only:
    return row
  names = [variant.name for variant in row.variants]
  for name in args.only:
    if name not in names:
      raise errors.choice("--only", name, names)
  chosen = tuple(each for each in row.variants if each.name in args.only)
  with errors.user_input("--only"):
    return dataclasses.replace(row, variants=chosen)


def _changed(size: study.Size, args: argparse.Namespace) -> study.Size:
  """Returns the size with the length and launcher given by flags."""
  if args.minutes or args.steps:
    size = dataclasses.replace(
      size, minutes=args.minutes or 0.0, steps=args.steps or 0
    )
  return dataclasses.replace(size, launcher=args.launcher or size.launcher)


def run(args: argparse.Namespace) -> None:
  """Runs the study and reports."""
  if args.name not in table.STUDIES:
    raise errors.choice("study", args.name, table.STUDIES)
  row = _chosen(table.STUDIES[args.name], args)
  chosen = args.size or row.default_size
  if chosen not in row.sizes:
    raise errors.choice("--size", chosen, row.sizes)
  folder = args.name
  if chosen != row.default_size:
    folder = f"{args.name}-{chosen}"
  plan = running.Plan(
    name=args.name,
    study=row,
    size_name=chosen,
    size=_changed(row.sizes[chosen], args),
    seeds=args.seeds,
    runs=pathlib.Path(args.runs or f"runs/studies/{folder}"),
    out=pathlib.Path(args.out or f"results/studies/{folder}"),
  )
  running.run(plan)
  result, page = report.write(plan)
  output.emit(result, page, args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(main())
