"""Plays one task: by a scripted player, an agent, or you."""

import argparse
import sys
from collections.abc import Sequence

from adaland.envs import land
from adaland.launch import builder, cli, errors, output
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import (
  demo,
  episode,
  fewshot,
  human,
  policies,
  tasksets,
  trained_agent,
  video,
)
from adaland.launch.recipes import task_source

_EXAMPLES = """\
examples:
  adaland play --task=probe:wrong-pair-disappears --policy=expert \\
      --video=/tmp/expert.mp4
  adaland play --task=sample:3 --policy=random --json=-
  adaland play --task=my_task.json --policy=agent --workdir=/tmp/run
  adaland play --task=sample:3 --policy=human --record=/tmp/demo.npz

"sample:N" is task N of the run's distribution (of --preset's without a run).
"""


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland play", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--task", required=True, help="a file, probe:NAME or sample:INDEX"
  )
  parser.add_argument(
    "--policy",
    default="expert",
    help=f"the player: human, {', '.join(policies.NAMES)}; expert by default",
  )
  parser.add_argument(
    "--workdir", help="a run, an exported agent, or agent:NAME"
  )
  parser.add_argument(
    "--preset",
    default="laptop",
    help="the preset that sample:INDEX draws from, laptop by default",
  )
  cli.add_seed_flag(parser)
  parser.add_argument(
    "--video",
    metavar="OUT.mp4",
    type=output.writable_path,
    help="film the episode",
  )
  parser.add_argument(
    "--record",
    metavar="DEMO",
    type=output.writable_path,
    help="save the actions, for adaland prompt",
  )
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Plays the task."""
  names = ["human", *policies.NAMES]
  if args.policy not in names:
    raise errors.choice("--policy", args.policy, names)
  if args.policy == "agent" and not args.workdir:
    raise errors.UserError("--workdir is missing: --policy=agent needs a run")
  if args.video:
    video.check_path(args.video)
  if args.record:
    demo.check_path(args.record)
  if args.workdir:
    experiment = trained_agent.load_config(args.workdir, args.own_parts)
  else:
    experiment = preset_configs.get(args.preset)
  task = tasksets.one(args.task, task_source.TaskSource(experiment))
  with errors.user_input(f"--task={args.task}"):
    if args.workdir:
      trained_agent.check_fit(experiment.env, [task])
      make_land = builder.environments(experiment)
    else:
      make_land = land.maker(trained_agent.default_env([task]))
  if args.policy == "human":
    make_policy = human.Human
  elif args.policy == "agent":
    params = trained_agent.load(args.workdir, args.own_parts).params
    make_policy = fewshot.agent_policy(experiment, params, args.seed)
  else:
    make_policy = policies.baseline(args.policy, args.seed)
  played = episode.play(
    make_land, task, make_policy, args.seed, args.video, args.policy
  )
  _record(args.record, demo.Demo(task, args.seed, *played))
  result = {
    "task": task.name,
    "policy": args.policy,
    "seed": args.seed,
    "rewards": [float(reward) for reward in played.rewards],
  }
  shown = " ".join(f"{reward:.2f}" for reward in played.rewards)
  output.emit(result, f"reward by trial, seconds: {shown}", args.json)


def _record(path: str | None, played: demo.Demo) -> None:
  """Writes an episode, or part of one, to `path` unless that is None."""
  steps, one_trial = len(played.actions), played.task.trial_steps
  if steps < played.task.trials * one_trial:
    output.say(f"ended after {steps} of {played.task.trials * one_trial} steps")
  if path is None:
    return
  if steps < one_trial:
    output.say(
      f"--record={path}: not saved: a demonstration has at least one trial, "
      f"{one_trial} steps"
    )
    return
  demo.save(path, played)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
