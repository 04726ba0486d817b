"""Compares evaluations: score by trial, with intervals, and a figure.

Scores are paired by task. The intervals are 95 % bootstrap intervals over tasks
and, if a label has several files, over training seeds.
"""

import argparse
import sys
from collections.abc import Sequence

from adaland.launch import cli, errors, output
from adaland.launch.evaluation.comparison import score_tables, summary

_EXAMPLES = """\
examples:
  adaland compare agent.json memoryless.json --figure=scores.png
  adaland compare agent=a0.json agent=a1.json agent=a2.json \\
      memoryless=m0.json memoryless=m1.json expert.json random.json --json=-

Files are results of adaland evaluate --json, or of adaland prompt --taskset
--json, on the same tasks. Files with the same label are training seeds of one
agent. All labels are compared with the first.
"""


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland compare", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "files",
    nargs="+",
    metavar="[LABEL=]FILE",
    help="evaluations; a label is the file's name by default",
  )
  parser.add_argument(
    "--figure",
    metavar="OUT.png",
    type=output.writable_path,
    help="plot the score by trial, with intervals",
  )
  parser.add_argument("--title", default="", help="title of the figure")
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Compares and reports."""
  if args.figure and not args.figure.endswith(".png"):
    raise errors.UserError(f"--figure={args.figure}: the name must end in .png")
  tables = score_tables.load(args.files)
  result = summary.compare(tables)
  if args.figure:
    output.write_atomically(args.figure, summary.draw(result, args.title))
  output.emit(result, summary.text(result), args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
