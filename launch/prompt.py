"""Prompts an agent with a first-person demonstration.

In the first trial a scripted player, or a recorded demonstration, moves the
avatar while the agent's memory takes in observations and actions; from the
second trial on the agent acts (AdA, arXiv 2301.07608).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaland.agent.checkpoint import weights
from adaland.envs import constants
from adaland.envs.tasks.task import Task
from adaland.launch import builder, cli, errors, output
from adaland.launch.config import teaching
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import (
  demo,
  episode,
  fewshot,
  policies,
  prompting,
  recording,
  scores,
  tasksets,
  trained_agent,
  video,
)
from adaland.launch.recipes import task_source
from adaland.launch.run import progress

_EXAMPLES = """\
examples:
  adaland prompt --workdir=/tmp/run --taskset=test --demo=guide
  adaland prompt --workdir=/tmp/run --task=sample:3 --demo=expert
  adaland prompt --workdir=/tmp/run --task=sample:3 \\
      --demo=/tmp/demo.npz --video=/tmp/prompted.mp4 --json=-

Record a demonstration with adaland play --record=DEMO, of the same task.
"""


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland prompt", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--workdir", required=True, help="a run, an exported agent, or agent:NAME"
  )
  given = parser.add_mutually_exclusive_group(required=True)
  given.add_argument("--task", help="a file, probe:NAME or sample:INDEX")
  given.add_argument(
    "--taskset",
    help="test (held-out, sampled), a family such as traps, probe, a task "
    "file, or a folder of task files: scores by trial, with and without a "
    "demonstrated first trial",
  )
  cli.add_num_tasks_flag(parser, 100)
  parser.add_argument(
    "--trials",
    type=cli.positive_int,
    help="with --taskset, trials of each task; by default the most that any "
    "task has",
  )
  parser.add_argument(
    "--demo",
    default="expert",
    help=f"who plays the first trial: {', '.join(teaching.DEMONSTRATORS)}, or "
    "a file of play --record; expert by default. The guide acts by what is in "
    "view: choose it where it can play (flat rooms, all rules hidden), as "
    "agents learn more from it",
  )
  cli.add_seed_flag(parser)
  parser.add_argument(
    "--repeats",
    type=cli.positive_int,
    help="episodes per task, with and without the demonstration, averaged; "
    "by default 5 with --task and 1 with --taskset",
  )
  parser.add_argument(
    "--video",
    metavar="OUT.mp4",
    type=output.writable_path,
    help="film the first prompted episode",
  )
  cli.add_temperature_flag(parser)
  recording.add_flag(parser)
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Plays episodes with and without the demonstration."""
  _check_flags(args)
  if args.video:
    video.check_path(args.video)
  experiment = trained_agent.load_config(args.workdir, args.own_parts)
  if args.taskset:
    _run_many(args, experiment)
  else:
    _run_one(args, experiment)


def _check_flags(args: argparse.Namespace) -> None:
  """Raises UserError for flags that do not go together."""
  if args.taskset and args.demo not in teaching.DEMONSTRATORS:
    raise errors.UserError(
      f"--demo={args.demo}: is for one task, allowed with --taskset: "
      f"{', '.join(teaching.DEMONSTRATORS)}"
    )
  if args.taskset and args.video:
    raise errors.UserError(f"--video={args.video}: allowed with --task only")
  if args.task and args.trials:
    raise errors.UserError(
      f"--trials={args.trials}: allowed with --taskset only"
    )


def _run_many(args: argparse.Namespace, experiment: ExperimentConfig) -> None:
  """Plays the tasks of a set."""
  source = task_source.TaskSource(experiment, held_out=True)
  tasks = tasksets.many(args.taskset, source, args.num_tasks)
  recording.check_flag(args, len(tasks))
  trials = args.trials or max(task.trials for task in tasks)
  if not 2 <= trials <= constants.MAX_TRIALS:
    raise errors.UserError(
      f"--trials={trials}: allowed for a prompted agent: 2 to "
      f"{constants.MAX_TRIALS}"
    )
  trained_agent.check_fit(experiment.env, tasks)
  policies.check_tasks(args.demo, tasks)
  make_land = builder.environments(experiment)
  params = trained_agent.load(args.workdir, args.own_parts).params
  make_agent = fewshot.agent_policy(
    experiment, params, args.seed, args.temperature
  )
  repeats = args.repeats or 1
  line = progress.Progress()
  with errors.user_input():
    found = prompting.evaluate(
      make_land,
      tasks,
      trials,
      make_agent,
      args.seed,
      repeats,
      line.update,
      args.keep,
      _teacher(args.demo, None),
    )
  line.close()
  result = {
    "taskset": args.taskset,
    "demo": args.demo,
    "trials": trials,
    "repeats": repeats,
    "seed": args.seed,
    "temperature": args.temperature,
    "agent_sha256": weights.fingerprint(params),
    "environment": experiment.factories.environment,
    **found,
  }
  curves = {name: found[name] for name in ("prompted", "unprompted")}
  text = [
    *([scores.trial_table(curves), ""] if found["num_scored"] else []),
    f"{found['num_scored']} of {found['num_tasks']} tasks, scored by the "
    f"scripted expert's reward; trial 1 of the prompted agent is the "
    f"{args.demo}'s",
  ]
  output.emit(result, "\n".join(text), args.json)


def _run_one(args: argparse.Namespace, experiment: ExperimentConfig) -> None:
  """Plays one task."""
  task = tasksets.one(args.task, task_source.TaskSource(experiment))
  recording.check_flag(args, 1)
  if task.trials < 2:
    raise errors.UserError(
      f"--task={args.task}: has 1 trial; a prompted agent needs at least 2"
    )
  trained_agent.check_fit(experiment.env, [task])
  policies.check_tasks(args.demo, [task])
  make_land = builder.environments(experiment)
  repeats = args.repeats or 5
  recorded = _recorded(args.demo, task)
  # Only the same start leads to the same demonstration.
  seed = args.seed if recorded is None else recorded.seed
  make_teacher = _teacher(args.demo, recorded)
  params = trained_agent.load(args.workdir, args.own_parts).params
  prompted, alone = [], []
  for repeat in range(repeats):
    make_agent = fewshot.agent_policy(
      experiment, params, args.seed + repeat, args.temperature
    )
    film = args.video if repeat == 0 else None
    prompted.append(
      episode.play(
        make_land,
        task,
        lambda n, make=make_agent: prompting.Prompted(make(n), make_teacher(n)),
        seed,
        film,
        "prompted agent",
      )
    )
    alone.append(episode.play(make_land, task, make_agent, seed))
  played = {"prompted": prompted, "unprompted": alone}
  result = {
    "task": task.name,
    "demo": args.demo,
    "repeats": repeats,
    "seed": seed,
    "temperature": args.temperature,
    "agent_sha256": weights.fingerprint(params),
    **{
      name: {"rewards": np.mean([e.rewards for e in each], axis=0).tolist()}
      for name, each in played.items()
    },
  }
  if args.keep:
    result["episodes"] = [
      recording.entry(0, name, demo.Demo(task, seed, *each[0]))
      for name, each in played.items()
    ]
  output.emit(result, _text(result), args.json)


def _recorded(name: str, task: Task) -> demo.Demo | None:
  """Reads the recorded demonstration of a task; None for a scripted player.

  Args:
    name: The value of --demo.
    task: The task.

  Raises:
    UserError: If there is no such file or player, or the file is broken or of
      another task.
  """
  if name in teaching.DEMONSTRATORS:
    return None
  if not os.path.exists(name):
    raise errors.UserError(
      f"--demo={name}: no such file, allowed: "
      f"{', '.join(teaching.DEMONSTRATORS)}, or a file of play --record"
      + errors.did_you_mean(name, teaching.DEMONSTRATORS)
    )
  recorded = demo.load(name)
  if recorded.task != task:
    raise errors.UserError(
      f"--demo={name}: is of another task, {recorded.task.name!r}"
    )
  return recorded


def _teacher(name: str, recorded: demo.Demo | None) -> policies.PolicyMaker:
  """Returns a function that makes the player of the first trial."""
  if recorded is None:
    return policies.baseline(name, seed=0)
  return lambda environments: prompting.Recorded(recorded.actions)


def _text(result: dict[str, Any]) -> str:
  rows = []
  for name in ("prompted", "unprompted"):
    cells = " ".join(f"{x:6.2f}" for x in result[name]["rewards"])
    rows.append(f"{name:>10} {cells}")
  count = len(result["prompted"]["rewards"])
  numbers = " ".join(f"{k + 1:6d}" for k in range(count))
  head = f"{'trial':>10} {numbers}"
  return "\n".join(
    [
      head,
      *rows,
      "reward in seconds; trial 1 of the prompted row is the demonstration",
    ]
  )


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
