"""Tasks that the scripted players can play."""

from collections.abc import Callable, Mapping

from adaland.envs.tasks.task import Rule, Task


def check(task: Task, name: str = "explorer") -> None:
  """Checks that the explorer, or another player of its kind, can play a task.

  Args:
    task: The task.
    name: The player's name, for the error.

  Raises:
    ValueError: If it can't.
  """
  if len(task.players) > 1:
    raise ValueError(
      f"task {task.name!r}: the {name} can't play it with "
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
  check(task, name)
  if not is_simple(task):
    raise ValueError(
      f"task {task.name!r}: the {name} can't play it, allowed: a flat room, "
      "the goal near(player1, object type), all rules hidden"
    )


def check_guide(task: Task) -> None:
  """Checks that the guide can play a task.

  Raises:
    ValueError: If it can't.
  """
  check_tutor(task, "guide")
  [wanted] = task.players[0].goal.object_types
  frozen = {each.type for each in task.objects if each.frozen}
  movable = {each.type for each in task.objects if not each.frozen}
  rules = contact_rules(task)
  for _ in rules:  # A rule may need what another one makes.
    for rule in rules:
      kinds = rule.condition.object_types
      if all(kind in frozen | movable for kind in kinds) and (
        len(kinds) == 1 or any(kind in frozen for kind in kinds)
      ):
        movable.update(rule.spawns)
  if wanted not in frozen | movable:
    raise ValueError(
      f"task {task.name!r}: the guide can't play it, allowed: a goal's object "
      "that is there, or that rules make if the player comes near an object, "
      "or brings one near a frozen one"
    )


def contact_rules(task: Task) -> list[Rule]:
  """Returns the rules that fire if two objects, or player and object, meet."""
  return [
    rule
    for rule in task.rules
    if rule.condition.predicate == "near" and not rule.condition.negated
  ]


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


# The check of each player that can't play every task.
CHECKS: Mapping[str, Callable[[Task], None]] = {
  "explorer": check,
  "forgetful": check,
  "tutor": check_tutor,
  "guide": check_guide,
}
