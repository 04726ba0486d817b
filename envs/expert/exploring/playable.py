"""Tasks that the scripted players can play."""

from adaland.envs.tasks.task import Task


def check(task: Task) -> None:
  """Checks that explorers can play a task.

  Raises:
    ValueError: If they can't.
  """
  if len(task.players) > 1:
    raise ValueError(
      f"task {task.name!r}: the explorer can't play it with "
      f"{len(task.players)} players, allowed: 1"
    )


def check_tutor(task: Task, name: str = "tutor") -> None:
  """Checks that the tutor, or another player of its kind, can play a task.

  Args:
    task: The task.
    name: The player's name, for the error.

  Raises:
    ValueError: If it can't.
  """
  check(task)
  if not is_simple(task):
    raise ValueError(
      f"task {task.name!r}: the {name} can't play it, allowed: a flat room, "
      "the goal near(player1, object type), all rules hidden"
    )


def is_simple(task: Task) -> bool:
  """Returns True for tasks in flat rooms about finding out how to make objects.

  All their rules are hidden, and the goal is near(player1, object type).
  """
  goal, hiding = task.players[0].goal, task.hiding[0]
  near = goal.predicate == "near" and not goal.negated
  flat = task.world.levels == 1 and not task.world.walls
  return (
    near
    and flat
    and len(goal.object_types) == 1
    and len(hiding.rules) == len(task.rules)
  )
