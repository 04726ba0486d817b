"""Measures a policy: its score against the number of trials on a task."""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from adaland.envs import constants
from adaland.launch import cli, errors
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import (
  fewshot,
  policies,
  report,
  scores,
  tasksets,
  trained_agent,
)
from adaland.launch.recipes import task_source
from adaland.launch.run import progress

_EXAMPLES = """\
examples:
  adaland evaluate --workdir=/tmp/run --taskset=test --num_tasks=100
  adaland evaluate --workdir=/tmp/run --policy=random --json=-
  adaland evaluate --policy=expert --taskset=probe --trials=1
  adaland evaluate --workdir=/tmp/run --taskset=my_tasks/ \\
      --trials=1,2,3,5,8 --report=/tmp/report

For each k in --trials the policy plays an episode of k trials on every task;
the reward of the last trial counts. Score = that reward / the scripted
expert's. "test" are held-out tasks of the run's distribution (of --preset's
without a run).
"""


def _trials(text: str) -> list[int]:
  try:
    trials = sorted({int(part) for part in text.split(",")})
  except ValueError:
    trials = [0]
  if not 1 <= trials[0] <= trials[-1] <= constants.MAX_TRIALS:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a list of numbers from 1 to "
      f"{constants.MAX_TRIALS}, as 1,2,3"
    )
  return trials


def make_parser() -> cli.Parser:
  """Makes the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland evaluate", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("--workdir", help="a run of adaland train")
  parser.add_argument(
    "--policy",
    default="agent",
    help=f"who plays: {', '.join(policies.NAMES)}",
  )
  parser.add_argument(
    "--taskset",
    default="test",
    help="test (held-out, sampled), probe, a task file, or a folder of them",
  )
  parser.add_argument(
    "--trials", type=_trials, default=[1, 2, 3], help="numbers of trials, k"
  )
  parser.add_argument("--num_tasks", type=cli.positive_int, default=100)
  parser.add_argument(
    "--repeats",
    type=cli.positive_int,
    default=1,
    help="episodes of each task and k, averaged",
  )
  parser.add_argument("--seed", type=cli.non_negative_int, default=0)
  parser.add_argument(
    "--preset",
    default="laptop",
    help="task distribution of --taskset=test without a run",
  )
  parser.add_argument(
    "--report", metavar="DIR", help="write the table and a curve here"
  )
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Evaluates and reports."""
  if args.policy not in policies.NAMES:
    raise errors.choice("--policy", args.policy, policies.NAMES)
  if args.policy == "agent" and not args.workdir:
    raise errors.UserError("--workdir is missing: --policy=agent needs a run")
  if args.workdir:
    experiment = trained_agent.load_config(args.workdir, args.own_parts)
  else:
    experiment = preset_configs.get(args.preset)
  source = task_source.TaskSource(experiment, held_out=True)
  tasks = tasksets.many(args.taskset, source, args.num_tasks)
  if args.workdir:
    env = trained_agent.fitting_env(experiment.env, tasks)
  else:
    env = trained_agent.default_env(tasks)
  if args.policy == "agent":
    saved = trained_agent.load(args.workdir, args.own_parts)
    make_policy = fewshot.agent_policy(experiment, saved.params, args.seed)
  else:
    make_policy = policies.baseline(args.policy, args.seed)
  if args.report:
    report.check_folder(args.report)
  line = progress.Progress()
  result = fewshot.evaluate(
    args.policy,
    env,
    tasks,
    args.trials,
    make_policy,
    args.seed,
    args.repeats,
    line.update,
  )
  line.close()
  result |= {
    "taskset": args.taskset,
    "repeats": args.repeats,
    "seed": args.seed,
    "workdir": args.workdir and str(pathlib.Path(args.workdir).absolute()),
  }
  if args.report:
    report.write(args.report, [result])
  cli.emit(result, scores.table([result]), args.json)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
