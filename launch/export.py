"""Exports a run's agent to share: weights, config and a card.

The directory can be used wherever a run can. Nothing in it is code.
"""

import argparse
import pathlib
import sys
from collections.abc import Sequence

import jax
import numpy as np

import adaland
from adaland.agent import types
from adaland.agent.checkpoint import weights
from adaland.agent.network import heads
from adaland.launch import builder, cli, errors, output
from adaland.launch.agents import agent_dir, card, saved_agent
from adaland.launch.evaluation import trained_agent
from adaland.launch.evaluation.comparison import score_tables, summary

_EXAMPLES = """\
examples:
  adaland export --workdir=/tmp/run --out=my_agent
  adaland export --workdir=/tmp/run --out=my_agent \\
      --results agent=a.json memoryless=m.json expert=e.json \\
      --hardware="2 CPU cores" --note="It was trained on flat rooms only."
  adaland evaluate --workdir=my_agent
  adaland export --workdir=/tmp/run --out=small_agent --half
  adaland export --workdir=/tmp/run --out=averaged --average agent:mixture
  adaland export --workdir=/tmp/run --out=sharp_agent --temperature=0.3

--results takes files as adaland compare does, for the card.
"""


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland export", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("--workdir", required=True, help="a run of adaland train")
  parser.add_argument(
    "--out", required=True, metavar="DIR", help="the directory to make"
  )
  parser.add_argument(
    "--results",
    nargs="+",
    default=[],
    metavar="[LABEL=]FILE",
    help="evaluations for the card, the agent's first",
  )
  parser.add_argument(
    "--hardware", default="", help="the machine it was trained on, in words"
  )
  parser.add_argument(
    "--note",
    action="append",
    default=[],
    help="a sentence for the card's limits; may be repeated",
  )
  parser.add_argument(
    "--average",
    nargs="+",
    default=[],
    metavar="AGENT",
    help="write the mean of the agent's parameters and those of these agents, "
    "such as the one that its run started from; evaluate the result",
  )
  cli.add_temperature_flag(
    parser,
    "divide the policy's logits by this, in the weights, 1 by default: the "
    "agent then acts as evaluate --temperature=T shows",
  )
  parser.add_argument(
    "--half",
    action="store_true",
    help="round the weights to float16, for half the size; evaluate the result",
  )
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Writes the directory."""
  agent_dir.check_out(args.out)
  tables = score_tables.load(args.results) if args.results else None
  saved = trained_agent.load(args.workdir, args.own_parts)
  params = saved.params
  if args.average:
    params = builder.averaged_params(saved, args.average)
  params = heads.with_temperature(params, args.temperature)
  results = figure = None
  if tables is not None:
    _check_agent(tables, params, args.half)
    results = summary.compare(tables)
    figure = summary.draw(results)
  name = pathlib.Path(args.out).absolute().name
  averaged = [
    saved_agent.published_name(saved_agent.whole_path(other), args.workdir)
    for other in args.average
  ]
  description = agent_dir.Description(
    name,
    saved_agent.published(saved.config, args.workdir),
    saved.training._replace(
      hardware=args.hardware or saved.training.hardware,
      averaged=(*saved.training.averaged, *averaged),
      temperature=saved.training.temperature * args.temperature,
    ),
  )
  num_params = sum(int(np.size(x)) for x in jax.tree.leaves(params))
  text = card.write(
    description,
    adaland.__version__,
    agent_dir.public_name(args.out),
    num_params,
    results,
    args.note,
  )
  agent_dir.write(args.out, description, params, text, figure, args.half)
  path = pathlib.Path(args.out).absolute()
  size = sum(file.stat().st_size for file in path.iterdir())
  result = {
    "out": str(path),
    "name": name,
    "parameters": num_params,
    "bytes": size,
  }
  shown = f"{path}: {num_params:,} parameters, {size / 1e6:.2f} MB"
  output.emit(result, shown, args.json)


def _check_agent(
  tables: score_tables.Tables, params: types.Params, half: bool
) -> None:
  """Refuses results of parameters other than those to be written.

  Only the first label's results must be the agent's.

  Args:
    tables: The results, the agent's first.
    params: The parameters.
    half: True if they will be rounded to float16.
  """
  known = {
    seed.agent: seed.file for seed in tables.seeds[next(iter(tables.scores))]
  }
  if None in known:
    raise errors.UserError(
      f"--results: {known[None]} has no agent_sha256, allowed first: "
      "evaluations of the agent that is exported (others after them)"
    )
  if half:
    with errors.user_input("--half"):
      params = weights.decode(weights.encode(params, half=True), params)
  if weights.fingerprint(params) not in known:
    allowed = "evaluations of the agent that is exported"
    if half:
      allowed += (
        ", whose weights are rounded: export --half without --results, "
        "evaluate that directory, and export it"
      )
    raise errors.UserError(
      f"--results: {next(iter(known.values()))} is of other parameters, "
      f"allowed: {allowed}"
    )


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
