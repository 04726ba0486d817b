"""Checks a task while it is edited."""

from typing import Any

from adaland.envs.tasks import complexity, json_files, planner
from adaland.envs.tasks.task import Task
from adaland.launch.studio import catalogue, frames


def whole(task: Task) -> dict[str, Any]:
  """Returns a task with all its fields, to be edited."""
  return json_files.to_json(task)


def check(task: Task, known: catalogue.Catalogue) -> dict[str, Any]:
  """Returns what an author wants to know of a task at once.

  Args:
    task: The task.
    known: The agents that may play it.

  Returns:
    "scene" as `frames.start` returns it; "solution", numbers of the rules of
    the shortest, or None; "measures" of complexity; "agents", for each the
    reason why it can't play it, or "".

  Raises:
    UserError: If its world has no room for its objects.
  """
  solution = planner.shortest_solution(task)
  return {
    "scene": frames.start(catalogue.start(task), task.world.seed),
    "solution": None if solution is None else [n + 1 for n in solution],
    "measures": complexity.measures(task),
    "agents": {name: known.fault(name, task) for name in known.agents},
  }
