"""Literals that can never hold, and rules that can never fire.

This module considers what the symbolic planner (`envs.tasks.planner`) leaves
out: frozen objects and the players' reach. What it rules out is impossible;
everything else may still be impossible. Nothing is consumed in this relaxed
game: objects that a rule can ever make exist forever.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from adaland.envs import constants, shapes
from adaland.envs.tasks.literals import Literal, ObjectType, Player
from adaland.envs.tasks.task import Task


class Instance(NamedTuple):
  """An object at the start of a trial.

  Attributes:
    type: Its type.
    frozen: Whether it never moves.
    at: Centre, metres; None where it is not known.
    near: Whether some player can get near it where it starts.
    in_reach: Whether some player's hand can reach it.
  """

  type: ObjectType
  frozen: bool
  at: Sequence[float] | None = None
  near: bool = True
  in_reach: bool = True


class Verdict(NamedTuple):
  """The rules and goals of a task that are impossible.

  Attributes:
    rules: Indices (from 0) of the rules that can never fire.
    goals: Why each player's goal can never hold, None where it may.
  """

  rules: frozenset[int]
  goals: tuple[str | None, ...]


# Distance of two centres beyond which objects cannot touch, metres.
_TOUCHING: Final = 2 * max(s.bounding_radius for s in shapes.SHAPE_TABLE)


def instances(task: Task) -> list[Instance]:
  """Returns the objects of a task, assuming that all are in reach."""
  return [
    Instance(spec.type, spec.frozen)
    for spec in task.objects
    for _ in range(spec.count)
  ]


def judge(task: Task, objects: Sequence[Instance] | None = None) -> Verdict:
  """Finds the impossible rules and goals of a task.

  Args:
    task: The task.
    objects: Its objects; None for those of `instances`.
  """
  state = _Reachable(instances(task) if objects is None else objects)
  waiting = set(range(len(task.rules)))
  while True:
    firing = {
      index
      for index in waiting
      if state.why_never(task.rules[index].condition) is None
    }
    if not firing:
      break
    waiting -= firing
    for index in firing:
      state.spawn(task.rules[index].spawns)
  consumed = {
    kind
    for index, rule in enumerate(task.rules)
    if index not in waiting
    for kind in rule.condition.object_types
  }
  goals = tuple(
    state.why_never_as_goal(player.goal, consumed) for player in task.players
  )
  return Verdict(frozenset(waiting), goals)


class _Reachable:
  """The objects that can exist in a task, and those that players can reach."""

  def __init__(self, objects: Sequence[Instance]):
    self._objects = objects
    self._spawned: set[ObjectType] = set()

  def spawn(self, kinds: Sequence[ObjectType]) -> None:
    """Adds objects that a rule can make: not frozen, and in reach."""
    self._spawned.update(kinds)

  def why_never(self, literal: Literal) -> str | None:
    """Returns why a rule's condition can never hold, None if it may."""
    kinds = literal.object_types
    for kind in kinds:
      if kind not in self._spawned and not self._at_start(kind):
        return f"there is no {kind} at the start, and no rule can make one"
      if kinds.count(kind) > max(
        len(self._at_start(kind)), 2 * (kind in self._spawned)
      ):
        return f"there is never a second {kind}"
    if literal.negated or literal.means == "see":
      return None
    if literal.means == "hold":
      return self._why_not_held(kinds[0])
    if any(isinstance(argument, Player) for argument in literal.arguments):
      away = [kind for kind in kinds if not self._approachable(kind)]
      return f"no player can get near any {away[0]}" if away else None
    if any(self._why_not_held(kind) is None for kind in kinds):
      return None
    if self._together(literal):
      return None
    first, second = literal.arguments
    return (
      f"neither {first} nor {second} can be moved (frozen or out of reach), "
      "and none are together at the start"
    )

  def why_never_as_goal(
    self, goal: Literal, consumed: set[ObjectType]
  ) -> str | None:
    """Returns why a goal can never hold, None if it may.

    Args:
      goal: The goal.
      consumed: Types of objects that some rule can consume.
    """
    if not goal.negated:
      return self.why_never(goal)
    # Absent objects satisfy no relation, and players can walk away.
    kinds = goal.object_types
    if goal.means != "near" or len(kinds) < 2 or consumed & set(kinds):
      return None
    if self._together(goal, frozen=True):
      return f"a frozen {goal.a} and a frozen {goal.b} are near for good"
    return None

  def _at_start(self, kind: ObjectType) -> list[Instance]:
    return [each for each in self._objects if each.type == kind]

  def _approachable(self, kind: ObjectType) -> bool:
    near = any(each.near for each in self._at_start(kind))
    # A hand reaches farther than `near`, and can fetch what it takes.
    return near or self._why_not_held(kind) is None

  def _why_not_held(self, kind: ObjectType) -> str | None:
    """Returns why no player can take an object of a type."""
    if kind in self._spawned:
      return None
    free = [each for each in self._at_start(kind) if not each.frozen]
    if not free:
      return f"every {kind} is frozen"
    if not any(each.in_reach for each in free):
      return f"no player can reach any {kind}"
    return None

  def _together(self, literal: Literal, frozen: bool = False) -> bool:
    """Returns True if the relation may hold between initial objects.

    Args:
      literal: `near` or `touching` between objects.
      frozen: Counts only frozen objects at known positions.
    """
    far = constants.NEAR_METRES if literal.means == "near" else _TOUCHING
    first, second = literal.object_types
    for i, a in enumerate(self._objects):
      for b in self._objects[i + 1 :]:
        if {a.type, b.type} != {first, second}:
          continue
        if frozen and not (a.frozen and b.frozen):
          continue
        if a.at is None or b.at is None:
          if not frozen:
            return True
          continue
        gap = [x - y for x, y in zip(a.at, b.at, strict=True)]
        if sum(x * x for x in gap) <= far * far:
          return True
    return False
