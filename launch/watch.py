"""Shows how an agent adapts: a film of its trials, and its scores.

The agent plays held-out tasks, several trials each. One of them is filmed: the
first whose first trial failed. The scores by trial are shown next to those of
the agent with another task's memory, of the agent after a demonstration, of the
expert, and of other players on the same tasks.
"""

import argparse
import pathlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert import expert
from adaland.envs.tasks.task import Task
from adaland.launch import builder, cli, errors, output
from adaland.launch.agents import agent_dir
from adaland.launch.config import teaching
from adaland.launch.evaluation import (
  controls,
  fewshot,
  policies,
  prompting,
  rollout,
  tasksets,
  trained_agent,
)
from adaland.launch.evaluation.comparison import (
  evaluation_files,
  score_tables,
  summary,
)
from adaland.launch.recipes import task_source
from adaland.launch.run import progress
from adaland.launch.watching import episodes, film, others

_EXAMPLES = """\
examples:
  adaland watch
  adaland watch --workdir=/tmp/run --out=/tmp/seen
  adaland watch --workdir=agent:laptop --memoryless=/tmp/other

The default of --workdir is the first agent that comes with the package.
"""
_AGENT = "agent"
_SWAPPED = "agent, swapped memory"
_FILM, _FIGURE = "trials.mp4", "scores.png"


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland watch", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--workdir", help="a run, an exported agent, or agent:NAME"
  )
  parser.add_argument(
    "--memoryless",
    metavar="WORKDIR",
    help="an agent without memory, to compare with; by default NAME-memoryless "
    "if it comes with the package",
  )
  parser.add_argument(
    "--taskset",
    default="test",
    help="as in adaland evaluate, test by default",
  )
  cli.add_num_tasks_flag(parser, 32)
  parser.add_argument(
    "--trials",
    type=cli.positive_int,
    help="trials of each task; by default the most that any task has",
  )
  parser.add_argument(
    "--demo",
    choices=teaching.DEMONSTRATORS,
    help="who plays the first trial of the prompted agent; by default the "
    "guide, or the expert if the guide can't play the tasks",
  )
  cli.add_seed_flag(parser)
  parser.add_argument(
    "--out",
    default="watch",
    metavar="DIR",
    help="folder for the film and the figure, by default watch",
  )
  cli.add_own_parts_flag(parser)
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Plays, films and reports."""
  began = time.monotonic()
  if args.num_tasks > rollout.MAX_ENVS:
    raise errors.UserError(
      f"--num_tasks={args.num_tasks}: allowed: 1 to {rollout.MAX_ENVS}"
    )
  workdir = args.workdir or _shipped()
  experiment = trained_agent.load_config(workdir, args.own_parts)
  source = task_source.TaskSource(experiment, held_out=True)
  chosen = tasksets.many(args.taskset, source, args.num_tasks)
  trials = args.trials or max(task.trials for task in chosen)
  if not 2 <= trials <= constants.MAX_TRIALS:
    raise errors.UserError(
      f"--trials={trials}: allowed: 2 to {constants.MAX_TRIALS}"
    )
  tasks = episodes.longest_first(chosen, trials)
  trained_agent.check_fit(experiment.env, tasks)
  demo = args.demo or prompting.demonstrator(tasks)
  policies.check_tasks(demo, tasks)
  make_land = builder.environments(experiment)
  params = trained_agent.load(workdir, args.own_parts).params
  agent = fewshot.agent_policy(experiment, params, args.seed)
  makers = {"agent, prompted": others.prompted(agent, demo)}
  place = args.memoryless or others.memoryless_beside(workdir)
  if place:
    makers["memoryless"] = others.memoryless(
      place, workdir, experiment, args.seed, args.own_parts
    )
  makers |= others.scripted(args.seed)
  out = pathlib.Path(args.out)
  with errors.user_input(f"--out={args.out}"):
    out.mkdir(parents=True, exist_ok=True)
  line = progress.Progress()
  with errors.user_input():
    best = expert.expert_rewards(
      tasks,
      make_land,
      seed=args.seed,
      progress=lambda n, of: line.update(f"expert: {n / of:.0%}"),
    )
  if not (best > 0).any():
    raise errors.UserError(
      f"--taskset={args.taskset}: the expert earns no reward on any task"
    )
  rewards, played = _play_all(make_land, tasks, agent, makers, args.seed, line)
  result = summary.compare(_tables(rewards, best, args.taskset))
  output.write_atomically(
    str(out / _FIGURE), summary.draw(result, _title(result))
  )
  index = episodes.to_film(played.rewards, best)
  filmed = _film(out, make_land, tasks[index], played, index, best, line)
  line.close()
  result |= {
    "workdir": workdir,
    "demo": demo,
    "film": str(out / _FILM),
    "figure": str(out / _FIGURE),
    "filmed": {
      "task": tasks[index].name,
      "rewards": filmed.tolist(),
      "expert": float(best[index]),
    },
    "seconds": time.monotonic() - began,
  }
  shares = " ".join(f"{reward / best[index]:.2f}" for reward in filmed)
  text = [
    summary.text(result),
    "",
    f"prompted: the {demo} plays trial 1",
    f"film:   {out / _FILM}: task {tasks[index].name!r}, "
    f"score by trial {shares}",
    f"figure: {out / _FIGURE}",
  ]
  output.emit(result, "\n".join(text), args.json)


def _shipped() -> str:
  """Returns the first agent of the package."""
  names = [n for n in agent_dir.names() if not n.endswith(others.MEMORYLESS)]
  if not names:
    raise errors.UserError(
      "--workdir is missing: no agent comes with this package"
    )
  return f"{agent_dir.PREFIX}{names[0]}"


def _play_all(
  make_land: land.MakeLand,
  tasks: Sequence[Task],
  agent: Callable[[land.Land], policies.Agent],
  makers: Mapping[str, policies.PolicyMaker],
  seed: int,
  line: progress.Progress,
) -> tuple[dict[str, np.ndarray], episodes.Episodes]:
  """Plays the tasks with the agent, with swapped memory, and with the others.

  Args:
    make_land: Makes the environments.
    tasks: The tasks to play, as `episodes.play` takes them.
    agent: Makes the agent from the environments.
    makers: Functions that make the other players, by label.
    seed: Seed of the environments.
    line: Progress line.

  Returns:
    Rewards of each trial by label, seconds, [tasks, trials]; the agent's
    episodes.
  """

  def show(name: str) -> Callable[[float], None]:
    return lambda done: line.update(f"{name}: {done:.0%}")

  played = episodes.play(make_land, tasks, agent, seed, show(_AGENT))
  rewards = {_AGENT: played.rewards}
  if controls.others(tasks):
    rewards[_SWAPPED] = controls.swapped_rewards(
      make_land,
      tasks,
      tasks[0].trials,
      agent,
      seed,
      on_progress=show(_SWAPPED),
    )
  for name, make in makers.items():
    try:
      rewards[name] = episodes.play(
        make_land, tasks, make, seed, show(name)
      ).rewards
    except errors.UserError as error:
      if name not in others.EXPLORERS:
        raise
      line.say(f"{name}: left out: {error}")
  return rewards, played


def _tables(
  rewards: dict[str, np.ndarray], best: np.ndarray, taskset: str
) -> score_tables.Tables:
  """Returns scores by label."""
  scored = best > 0
  return score_tables.Tables(
    {
      name: (each[scored] / best[scored, None])[None]
      for name, each in rewards.items()
    },
    {name: [evaluation_files.Seed(name.partition(",")[0])] for name in rewards},
    len(best),
    taskset,
  )


def _title(result: dict) -> str:
  held_out = " held-out" if tasksets.is_held_out(result["taskset"]) else ""
  return f"Score by trial on {result['num_scored']}{held_out} tasks"


def _film(
  out: pathlib.Path,
  make_land: land.MakeLand,
  task: Task,
  played: episodes.Episodes,
  index: int,
  best: np.ndarray,
  line: progress.Progress,
) -> np.ndarray:
  """Films the agent's trials on a task; returns their rewards, seconds."""
  rewards = film.write(
    str(out / _FILM),
    make_land,
    task,
    played.actions[index],
    played.seeds[index],
    float(best[index]),
    "agent",
    lambda done: line.update(f"filming: {done:.0%}"),
  )
  if not np.allclose(rewards, played.rewards[index], atol=1e-4):
    raise errors.RunError(
      f"the film of {task.name!r} shows rewards {rewards.tolist()}, but "
      f"{played.rewards[index].tolist()} were played: physics is not "
      "repeatable on this machine"
    )
  return rewards


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
