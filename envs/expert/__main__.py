"""Measures the expert on sampled held-out tasks.

python -m adaland.envs.expert --num_tasks=100 --seed=0
"""

import argparse
import itertools
import json
import sys

import numpy as np

from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.sampling import sampler
from adaland.envs.tasks import planner
from adaland.envs.tasks.task import Task


def sample_tasks(
  num_tasks: int, seed: int, max_rules: int
) -> list[tuple[int, Task]]:
  """Returns held-out tasks that need at most `max_rules`, with indices."""
  sample = sampler.TaskSampler(sampler.SamplerConfig(split="test")).task
  first = seed * 1_000_000
  found = (
    (index, task)
    for index in itertools.count(first)
    for task in [sample(index)]
    if (rules := planner.shortest_length(task)) is not None
    and rules <= max_rules
  )
  return list(itertools.islice(found, num_tasks))


def main() -> None:
  """Runs the expert and prints one JSON object."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--num_tasks", type=_positive, default=100)
  parser.add_argument("--seed", type=_non_negative, default=0)
  parser.add_argument("--runs", type=_positive, default=1)
  parser.add_argument("--max_rules", type=_non_negative, default=2)
  args = parser.parse_args()
  sampled = sample_tasks(args.num_tasks, args.seed, args.max_rules)
  tasks = [task for _, task in sampled]

  def progress(done: int, total: int) -> None:
    print(f"\r{done} of {total} runs", end="", file=sys.stderr)

  rewards = expert.expert_rewards(
    tasks, land.maker(land.LandConfig()), args.runs, args.seed, progress
  )
  print(file=sys.stderr)
  seconds = np.array([task.trial_seconds for task in tasks])
  print(
    json.dumps(
      {
        "tasks": len(tasks),
        "solved": int(np.sum(rewards > 0)),
        "mean_reward_s": float(np.mean(rewards)),
        "mean_reward_share": float(np.mean(rewards / seconds)),
        "unsolved": [
          index
          for (index, _), reward in zip(sampled, rewards, strict=True)
          if reward == 0
        ],
      }
    )
  )


def _positive(text: str) -> int:
  """Parses an integer of at least 1."""
  return _whole(text, 1)


def _non_negative(text: str) -> int:
  """Parses an integer of at least 0."""
  return _whole(text, 0)


def _whole(text: str, least: int) -> int:
  if not text.isdecimal() or int(text) < least:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a whole number from {least}"
    )
  return int(text)


if __name__ == "__main__":
  main()
