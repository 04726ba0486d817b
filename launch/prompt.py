"""Prompts an agent with a first-person demonstration.

In the first trial the expert, or a recorded demonstration, moves the avatar
while the agent's memory takes in observations and actions; from the second
trial on the agent acts (AdA, arXiv 2301.07608).
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaland.envs import land
from adaland.launch import cli, errors
from adaland.launch.evaluation import (
  demo,
  episode,
  fewshot,
  policies,
  tasksets,
  trained_agent,
  video,
)
from adaland.launch.recipes import task_source

_EXAMPLES = """\
examples:
  adaland prompt --workdir=/tmp/run --task=sample:3 --demo=expert
  adaland prompt --workdir=/tmp/run --task=sample:3 \\
      --demo=/tmp/demo.npz --video=/tmp/prompted.mp4 --json=-

Record a demonstration with adaland play --record=DEMO, of the same task.
"""


class Prompted:
  """An agent that a teacher replaces in the first trial.

  Args:
    agent: Observes every step, and acts from the second trial on.
    teacher: Acts in the first trial.
  """

  def __init__(self, agent: policies.Policy, teacher: policies.Policy):
    self._agent = agent
    self._teacher = teacher
    self._is_led = False

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the teacher's action [1, A] in trial 1, else the agent's."""
    self._is_led = bool(
      step.first[0] or (self._is_led and not step.trial_last[0])
    )
    own = self._agent.act(step)
    return self._teacher.act(step) if self._is_led else own


class Recorded:
  """A policy that repeats recorded actions."""

  def __init__(self, actions: np.ndarray):
    self._actions = iter(actions)

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the next action, [1, A]."""
    del step
    return next(self._actions)[None]


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland prompt", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("--workdir", required=True, help="a run of adaland train")
  parser.add_argument(
    "--task", required=True, help="a file, probe:NAME or sample:INDEX"
  )
  parser.add_argument(
    "--demo", default="expert", help="expert, or a file of play --record"
  )
  parser.add_argument("--seed", type=cli.non_negative_int, default=0)
  parser.add_argument(
    "--repeats",
    type=cli.positive_int,
    default=5,
    help="episodes with and without the demonstration, averaged",
  )
  parser.add_argument(
    "--video",
    metavar="OUT.mp4",
    type=cli.output_path,
    help="film the first prompted episode",
  )
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Plays episodes with and without the demonstration."""
  if args.video:
    video.check_path(args.video)
  experiment = trained_agent.load_config(args.workdir, args.own_parts)
  task = tasksets.one(args.task, task_source.TaskSource(experiment))
  if task.trials < 2:
    raise errors.UserError(
      f"--task={args.task}: has 1 trial; a prompted agent needs at least 2"
    )
  env = trained_agent.fitting_env(experiment.env, [task])
  seed = args.seed
  recorded = None if args.demo == "expert" else demo.load(args.demo)
  if recorded is not None:
    if recorded.task != task:
      raise errors.UserError(
        f"--demo={args.demo}: is of another task, {recorded.task.name!r}"
      )
    # Only the same start leads to the same demonstration.
    seed = recorded.seed
  make_teacher = _teacher(recorded)
  params = trained_agent.load(args.workdir, args.own_parts).params
  prompted, alone = [], []
  for repeat in range(args.repeats):
    make_agent = fewshot.agent_policy(experiment, params, args.seed + repeat)
    film = args.video if repeat == 0 else None
    prompted.append(
      episode.play(
        env,
        task,
        lambda n, make=make_agent: Prompted(make(n), make_teacher(n)),
        seed,
        film,
        "prompted agent",
      ).rewards
    )
    alone.append(episode.play(env, task, make_agent, seed).rewards)
  result = {
    "task": task.name,
    "demo": args.demo,
    "repeats": args.repeats,
    "seed": seed,
    "prompted": {"rewards": np.mean(prompted, axis=0).tolist()},
    "unprompted": {"rewards": np.mean(alone, axis=0).tolist()},
  }
  cli.emit(result, _text(result), args.json)


def _teacher(recorded: demo.Demo | None) -> policies.PolicyMaker:
  """Returns a function that makes the player of the first trial."""
  if recorded is None:
    return policies.Expert
  return lambda environments: Recorded(recorded.actions)


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
