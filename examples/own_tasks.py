"""A task family of your own: find the cube that a hidden rule asks for.

Both commands do the same; the first also takes --smoke:

    python examples/own_tasks.py --workdir=runs/cubes
    adaland train --recipe=examples/own_tasks.py:recipe --workdir=runs/cubes
"""

import argparse

import adaland

COLOURS = ("black", "purple", "yellow")


def cubes(index: int) -> adaland.Task:
  """Returns a task in which one of three cubes makes the sphere of the goal."""
  key, goal = COLOURS[index % 3], COLOURS[index // 3 % 3]
  return adaland.Task.of(
    name=f"cubes {index}",
    goal=f"near(player1, {goal} sphere)",
    objects=[f"{colour} cube" for colour in COLOURS],
    rules=[f"near(player1, {key} cube) -> {goal} sphere"],
    hide_rules=[1],
    world_seed=index,
    tiles=(5, 5),
    levels=1,
    trials=2,
    trial_seconds=2,
  )


def recipe() -> adaland.Experiment:
  """Returns the laptop's experiment on these tasks."""
  return adaland.presets.laptop(tasks=cubes)


if __name__ == "__main__":
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--workdir", default="runs/cubes", help="run's folder")
  parser.add_argument("--smoke", action="store_true", help="as short as can be")
  args = parser.parse_args()
  print(adaland.evaluate("expert", tasks=cubes, trials=(1,), num_tasks=2))
  settings = {"run.max_steps": 300, "run.eval_tasks": 1}
  short = adaland.presets.smoke(tasks=cubes, settings=settings)
  agent = adaland.train(short if args.smoke else recipe(), args.workdir)
  print(agent.evaluation["agent"])
