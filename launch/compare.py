"""Compares evaluations: score by trial, with intervals, and a figure.

Scores are paired by task. The intervals are of 95 %, by a bootstrap over tasks
and, where a label has several files, over the training seeds.
"""

import argparse
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adaland.launch import cli, errors
from adaland.launch.evaluation.comparison import (
  figure,
  score_tables,
  significance,
)

_EXAMPLES = """\
examples:
  adaland compare agent.json memoryless.json --figure=scores.png
  adaland compare agent=a0.json agent=a1.json agent=a2.json \\
      memoryless=m0.json memoryless=m1.json expert.json random.json --json=-

Files are results of adaland evaluate --json, or of adaland prompt --taskset
--json, on the same tasks. Files of one label are seeds of one agent. All are
compared with the first.
"""


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland compare", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("files", nargs="+", metavar="[LABEL=]FILE")
  parser.add_argument(
    "--figure",
    metavar="OUT.png",
    type=cli.output_path,
    help="draw score by trial with the intervals",
  )
  parser.add_argument("--title", default="", help="title of the figure")
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Compares and reports."""
  if args.figure and not args.figure.endswith(".png"):
    raise errors.UserError(f"--figure={args.figure}: the name must end in .png")
  tables = score_tables.load(args.files)
  result = compare(tables)
  if args.figure:
    curves = {
      label: figure.Curve(found["mean"], found["low"], found["high"])
      for label, found in result["policies"].items()
    }
    picture = figure.by_trial(curves, args.title, _note(result))
    cli.write_atomically(args.figure, picture)
  cli.emit(result, _text(result), args.json)


def compare(tables: score_tables.Tables) -> dict[str, Any]:
  """Returns the JSON object of the command.

  Args:
    tables: Scores by label.

  Returns:
    "policies": by label the number of seeds, and of each trial "mean", "low"
    and "high"; "gain", the same of the last trial's score minus the first's.
    "differences": by label the same of the first label's score minus this
    one's, of each trial and of the gain.
  """
  reference, *others = tables.scores
  first = tables.scores[reference]

  def minus(label: str) -> Callable[..., significance.Interval]:
    same_seeds = tables.same_seeds(reference, label)
    return functools.partial(significance.difference, same_seeds=same_seeds)

  return {
    "reference": reference,
    "trials": first.shape[2],
    "num_tasks": tables.num_tasks,
    "num_scored": first.shape[1],
    "policies": {
      label: {
        "seeds": len(score),
        **_columns(significance.mean(trial) for trial in _trials(score)),
        "gain": significance.mean(_gain(score))._asdict(),
      }
      for label, score in tables.scores.items()
    },
    "differences": {
      label: {
        **_columns(
          map(minus(label), _trials(first), _trials(tables.scores[label]))
        ),
        "gain": minus(label)(
          _gain(first), _gain(tables.scores[label])
        )._asdict(),
      }
      for label in others
    },
  }


def _trials(score: np.ndarray) -> np.ndarray:
  """Returns the scores of each trial, [K, S, T]."""
  return np.moveaxis(score, 2, 0)


def _gain(score: np.ndarray) -> np.ndarray:
  """Returns the last trial's score minus the first's, [S, T]."""
  return score[:, :, -1] - score[:, :, 0]


def _columns(intervals: Any) -> dict[str, list[float]]:
  """Returns "mean", "low" and "high", lists over trials."""
  columns = zip(*intervals, strict=True)
  return dict(zip(("mean", "low", "high"), map(list, columns), strict=True))


def _note(result: Mapping[str, Any]) -> str:
  seeds = {found["seeds"] for found in result["policies"].values()}
  over = "tasks and training seeds" if max(seeds) > 1 else "tasks"
  return (
    f"{result['num_scored']} tasks; bands: 95 % intervals, bootstrap over "
    f"{over}"
  )


def _text(result: Mapping[str, Any]) -> str:
  numbers = range(1, result["trials"] + 1)
  head = [*(f"trial {k}" for k in numbers), "last - first"]
  rule = "|---" * (len(head) + 1) + "|"
  lines = [f"| score | {' | '.join(head)} |", rule]
  for label, found in result["policies"].items():
    seeds = f" ({found['seeds']} seeds)" if found["seeds"] > 1 else ""
    lines.append(f"| {label}{seeds} | {' | '.join(_cells(found))} |")
  if result["differences"]:
    lines += ["", f"| {result['reference']} minus | {' | '.join(head)} |", rule]
  for label, found in result["differences"].items():
    lines.append(f"| {label} | {' | '.join(_cells(found))} |")
  scored, all_tasks = result["num_scored"], result["num_tasks"]
  lines += [
    "",
    f"{scored} of {all_tasks} tasks, scored by the scripted expert's reward; "
    "in brackets 95 % intervals",
  ]
  return "\n".join(lines)


def _cells(found: Mapping[str, Any]) -> list[str]:
  columns = [found["mean"], found["low"], found["high"]]
  intervals = [*zip(*columns, strict=True), tuple(found["gain"].values())]
  return [
    f"{mean:.2f} [{low:.2f}, {high:.2f}]" for mean, low, high in intervals
  ]


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
