"""Measures a policy: its score against the number of trials on a task."""

import argparse
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adaland.agent.checkpoint import weights
from adaland.envs import constants, land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, cli, errors, output
from adaland.launch.agents import agent_dir
from adaland.launch.config import preset_configs
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import (
  controls,
  fewshot,
  pairs,
  policies,
  recording,
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
  adaland evaluate --workdir=/tmp/run --trials=4 --control=swapped
  adaland evaluate --workdir=/tmp/run --policy=random --json=-
  adaland evaluate --policy=expert --taskset=probe --trials=1
  adaland evaluate --workdir=/tmp/run --taskset=my_tasks/ \\
      --trials=1,2,3,5,8 --report=/tmp/report
  adaland evaluate --workdir=/tmp/run --trials=4 --keep=0,1,2 \\
      --json=/tmp/run/evaluation.json
  adaland evaluate --workdir=/tmp/pairs --coplayer=self,random,expert
  adaland evaluate --policy=expert --coplayer=expert --trials=1 \\
      --taskset=two_player_probe

For each k in --trials the policy plays an episode of k trials on every task;
the reward of the last trial counts. Score = that reward / the scripted
expert's. "test" means held-out tasks of the run's distribution (of --preset's
without a run). On two-player tasks --policy plays player 1, and each player's
reward is divided by that of the same player in a pair of scripted experts.
"""


def _trials(text: str) -> list[int]:
  try:
    trials = sorted({int(part) for part in text.split(",")})
  except ValueError:
    trials = [0]
  if not 1 <= trials[0] <= trials[-1] <= constants.MAX_TRIALS:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a list of numbers from 1 to "
      f"{constants.MAX_TRIALS}, such as 1,2,3"
    )
  return trials


def make_parser() -> cli.Parser:
  """Makes the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland evaluate", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--workdir", help="a run, an exported agent, or agent:NAME"
  )
  parser.add_argument(
    "--policy",
    default="agent",
    help=f"who plays: {', '.join(policies.NAMES)}; agent by default",
  )
  parser.add_argument(
    "--taskset",
    default="test",
    help="test (held-out, sampled), a family such as traps, probe, "
    "two_player_probe, a task file, or a folder of task files; test by default",
  )
  parser.add_argument(
    "--trials",
    type=_trials,
    default=[1, 2, 3],
    help="numbers of trials, k; 1,2,3 by default",
  )
  cli.add_num_tasks_flag(parser, 100)
  parser.add_argument(
    "--repeats",
    type=cli.positive_int,
    default=1,
    help="episodes per task and k, averaged; 1 by default",
  )
  cli.add_seed_flag(parser)
  parser.add_argument(
    "--preset",
    default="laptop",
    help="task distribution of --taskset=test without a run, laptop by default",
  )
  parser.add_argument(
    "--report", metavar="DIR", help="write the table and a curve here"
  )
  parser.add_argument(
    "--control",
    choices=controls.NAMES,
    help="swapped: play again, starting each trial with the memory of another "
    "task, to see what the agent's memory is worth",
  )
  cli.add_temperature_flag(parser)
  recording.add_flag(parser)
  parser.add_argument(
    "--coplayer",
    help="who plays player 2, a list such as self,random of: self, random, "
    "noop, expert, agent:NAME, agent:DIRECTORY; tasks of one player are left "
    "out. Without this flag, self",
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
  recording.check_flag(args, len(tasks))
  if args.control and args.policy != "agent":
    raise errors.UserError(
      f"--control={args.control}: allowed with --policy=agent only"
    )
  if args.coplayer is not None:
    tasks = pairs.for_two(tasks, args.taskset)
  if args.workdir:
    env = experiment.env
    trained_agent.check_fit(env, tasks, pairs=True)
    make_land = builder.environments(experiment)
  else:
    env = trained_agent.default_env(tasks, pairs=True)
    make_land = land.maker(env)
  if args.temperature != 1 and (args.policy != "agent" or env.num_players > 1):
    raise errors.UserError(
      f"--temperature={args.temperature:g}: allowed with --policy=agent only, "
      "on tasks of one player"
    )
  if env.num_players == 1:
    policies.check_tasks(args.policy, tasks)
  if args.report:
    report.check_folder(args.report)
  if env.num_players > 1:
    results = _pairs(make_land, tasks, args, experiment)
  else:
    results = [_alone(make_land, tasks, args, experiment)]
  for result in results:
    result |= {
      "taskset": args.taskset,
      "repeats": args.repeats,
      "seed": args.seed,
      "workdir": args.workdir and _whole_path(args.workdir),
      "environment": experiment.factories.environment,
    }
  if args.report:
    report.write(args.report, results)
  first = results[0]
  if len(results) > 1:
    first = first | {"pairs": results}
  output.emit(first, scores.table(results), args.json)


def _whole_path(workdir: str) -> str:
  """Returns an agent's absolute path, or its name if the package has it."""
  if workdir.startswith(agent_dir.PREFIX):
    return workdir
  return str(pathlib.Path(workdir).absolute())


def _pairs(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  args: argparse.Namespace,
  experiment: ExperimentConfig,
) -> list[dict[str, Any]]:
  """Returns the results of the policy with each co-player."""
  for flag, value in (("control", args.control), ("keep", args.keep)):
    if value:
      shown = ",".join(map(str, value)) if flag == "keep" else value
      raise errors.UserError(
        f"--{flag}={shown}: allowed on tasks of one player only"
      )
  agent = None
  if args.policy == "agent":
    params = trained_agent.load(args.workdir, args.own_parts).params
    agent = weights.fingerprint(params)
    side = pairs.agent_side(experiment, params, args.seed)
  elif args.policy in pairs.NAMES:
    side = pairs.side_maker(args.policy, args.seed)
  else:
    raise errors.choice(
      "--policy on tasks of two players", args.policy, ["agent", *pairs.NAMES]
    )
  names = list(dict.fromkeys((args.coplayer or pairs.SELF).split(",")))
  makers = pairs.make_pairs(
    side,
    names,
    experiment if args.workdir else None,
    args.seed,
    args.own_parts,
  )
  line = progress.Progress()
  results = fewshot.evaluate_pairs(
    args.policy,
    makers,
    make_land,
    tasks,
    args.trials,
    args.seed,
    args.repeats,
    line.update,
  )
  line.close()
  known = {"agent_sha256": agent, "temperature": args.temperature}
  return [result | known for result in results]


def _alone(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  args: argparse.Namespace,
  experiment: ExperimentConfig,
) -> dict[str, Any]:
  """Returns the results of the policy on tasks of one player."""
  if args.control:
    controls.check_tasks(tasks, args.trials[-1])
  make_agent, agent = None, None
  if args.policy == "agent":
    saved = trained_agent.load(args.workdir, args.own_parts)
    agent = weights.fingerprint(saved.params)
    make_agent = fewshot.agent_policy(
      experiment, saved.params, args.seed, args.temperature
    )
  line = progress.Progress()
  result = fewshot.evaluate(
    args.policy,
    make_land,
    tasks,
    args.trials,
    make_agent or policies.baseline(args.policy, args.seed),
    args.seed,
    args.repeats,
    line.update,
    args.keep,
  )
  if args.control and make_agent:
    result["controls"] = {
      args.control: _control(
        make_land, tasks, args, make_agent, result["tasks"], line
      )
    }
  line.close()
  return result | {"agent_sha256": agent, "temperature": args.temperature}


def _control(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  args: argparse.Namespace,
  make_agent: Callable[[land.Land], policies.Agent],
  scored: Sequence[Mapping[str, Any]],
  line: progress.Progress,
) -> dict[str, Any]:
  """Returns the control's scores and rewards by trial.

  Args:
    make_land: Makes the environments.
    tasks: The tasks to play.
    args: The command's flags.
    make_agent: Makes the agent from the environments.
    scored: For each task, an object with the expert's reward.
    line: Progress line.
  """
  rewards = controls.swapped_rewards(
    make_land,
    tasks,
    args.trials[-1],
    make_agent,
    args.seed,
    args.repeats,
    lambda done: line.update(f"agent with swapped memory plays: {done:.0%}"),
  )
  return {
    "by_trial": scores.by_trial(rewards, [each["expert"] for each in scored]),
    "trial_rewards": rewards.tolist(),
  }


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
