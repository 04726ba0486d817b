"""A task as described to its player, with "?" for hidden parts."""

from typing import Any

from adaland.envs.tasks.literals import Argument, Literal, ObjectType, Rule
from adaland.envs.tasks.task import Hiding, Task

HIDDEN = "?"


def rules(task: Task, player: int) -> list[str]:
  """Returns the rules as described to a player.

  Args:
    task: The task.
    player: Index of the player, from 0.
  """
  hiding = task.hiding[player]
  return [
    HIDDEN if number in hiding.rules else _rule(rule, hiding)
    for number, rule in enumerate(task.rules, start=1)
  ]


def task(task: Task, player: int, reveal: bool = False) -> dict[str, Any]:
  """Describes a task for the page.

  Args:
    task: The task.
    player: Index of the player, from 0.
    reveal: True to show the hidden rules to somebody who does not play.
  """
  told = rules(task, player)
  return {
    "name": task.name,
    "goal": str(task.players[player].goal),
    "rules": [str(rule) for rule in task.rules] if reveal else told,
    "hidden": [n for n, text in enumerate(told) if text != str(task.rules[n])],
    "players": len(task.players),
    "me": player,
    "trials": task.trials,
    "steps": task.trial_steps,
    "seconds": task.trial_seconds,
    "tiles": list(task.world.tiles),
  }


def _rule(rule: Rule, hiding: Hiding) -> str:
  spawns = ", ".join(_argument(spawn, hiding) for spawn in rule.spawns)
  return f"{_literal(rule.condition, hiding)} -> {spawns or 'nothing'}"


def _literal(literal: Literal, hiding: Hiding) -> str:
  predicate = literal.predicate
  if predicate in hiding.predicates:
    number = hiding.predicates.index(predicate) + 1
    predicate = f"predicate {number}{HIDDEN}"
  a, b = (_argument(argument, hiding) for argument in literal.arguments)
  return f"{'not ' if literal.negated else ''}{predicate}({a}, {b})"


def _argument(argument: Argument, hiding: Hiding) -> str:
  if isinstance(argument, ObjectType) and argument in hiding.objects:
    return f"object {hiding.objects.index(argument) + 1}{HIDDEN}"
  return str(argument)
