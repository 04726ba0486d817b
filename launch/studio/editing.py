"""Checks a task while it is edited."""

from typing import Any

from adaland.envs.tasks import complexity, json_files, planner
from adaland.envs.tasks.task import Task
from adaland.launch.studio import catalogue, frames


def whole(task: Task) -> dict[str, Any]:
  """Returns a task with all its fields, for editing."""
  return json_files.to_json(task)


def check(task: Task, known: catalogue.Catalogue) -> dict[str, Any]:
  """Returns immediate feedback for a task's author.

  Args:
    task: The task.
    known: The agents that may play it.

  Returns:
    "scene", see `frames.start`; "solution", the numbers of the rules in the
    shortest solution, or None; "measures" of complexity; "agents", for each the
    reason why it can't play the task, or "".

  Raises:
    UserError: If the task's world has no room for its objects.
  """
  solution = planner.shortest_solution(task)
  return {
    "scene": frames.start(catalogue.start(task), task.world.seed),
    "solution": None if solution is None else [n + 1 for n in solution],
    "measures": complexity.measures(task),
    "agents": {name: known.fault(name, task) for name in known.agents},
  }
