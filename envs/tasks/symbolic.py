"""The symbolic game: a task without distances, time and skill.

A state is the number of objects of each type (`Counts`, indexed by type id).
Firing a rule removes its condition's objects and adds its spawns; a goal can be
met if its objects exist. Rules and goals that frozen objects make impossible
are excluded (`envs.tasks.feasibility`).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adaland.envs import constants
from adaland.envs.tasks import feasibility
from adaland.envs.tasks.task import Literal, Task

Counts = tuple[int, ...]

# Keeping two objects out of each other's sight requires a screen.
_SCREEN_COST = 1.5


class Condition(NamedTuple):
  """A literal over type ids.

  Attributes:
    predicate: The literal's `means`.
    a: Type id of the first argument; players follow the objects.
    b: Type id of the second argument.
    negated: If true, the relation must not hold.
  """

  predicate: str
  a: int
  b: int
  negated: bool = False

  @property
  def object_types(self) -> tuple[int, ...]:
    """The arguments that are objects, in order."""
    return tuple(t for t in (self.a, self.b) if not is_player(t))

  def implies(self, other: "Condition") -> bool:
    """Returns True if this relation never holds without the other.

    Both must be positive.
    """
    if self.negated or other.negated or {self.a, self.b} != {other.a, other.b}:
      return False
    if self.predicate == other.predicate:
      return True
    if self.predicate == "hold" and other.predicate == "see":
      return self.a == other.a  # Gripping an object requires seeing it.
    return self.predicate == "touching" and other.predicate == "near"


@dataclasses.dataclass(frozen=True)
class SymbolicGame:
  """One player's goal and all rules, in type ids.

  Attributes:
    goal: The rewarded condition.
    rules: Condition and spawned type ids of each rule.
    capacity: Maximum number of objects.
    never_fire: Indices of the rules that can never fire.
    never_met: Whether the goal can never be met.
  """

  goal: Condition
  rules: tuple[tuple[Condition, tuple[int, ...]], ...]
  capacity: int
  never_fire: frozenset[int] = frozenset()
  never_met: bool = False


def is_player(type_id: int) -> bool:
  """Returns True for the type ids of players."""
  return type_id > constants.NUM_OBJECT_TYPES


def make_condition(literal: Literal) -> Condition:
  """Returns a literal in type ids."""
  return Condition(
    literal.means, literal.a.type_id, literal.b.type_id, literal.negated
  )


def make_game(
  task: Task, capacity: int = constants.MAX_OBJECTS
) -> SymbolicGame:
  """Returns the symbolic game that player 1 of a task plays.

  Args:
    task: The task.
    capacity: Number of object slots.
  """
  verdict = feasibility.judge(task)
  return SymbolicGame(
    goal=make_condition(task.players[0].goal),
    rules=tuple(
      (make_condition(rule.condition), tuple(s.type_id for s in rule.spawns))
      for rule in task.rules
    ),
    capacity=capacity,
    never_fire=verdict.rules,
    never_met=verdict.goals[0] is not None,
  )


def count_types(type_ids: Sequence[int]) -> Counts:
  """Counts the objects of each type; zeros (empty slots) don't count."""
  counts = [0] * (constants.NUM_OBJECT_TYPES + 1)
  for type_id in type_ids:
    if type_id:
      counts[type_id] += 1
  return tuple(counts)


def initial_counts(task: Task) -> Counts:
  """Counts the objects of each type at the start of a trial."""
  return count_types(
    [spec.type.type_id for spec in task.objects for _ in range(spec.count)]
  )


def exist(counts: Counts, types: tuple[int, ...]) -> bool:
  """Returns True if a distinct instance of each type exists."""
  return all(counts[t] >= types.count(t) for t in types)


def _possible(condition: Condition) -> bool:
  """Returns True if the condition can ever be true."""
  if condition.negated:
    return True
  if condition.predicate == "hold":
    return is_player(condition.a) and not is_player(condition.b)
  return True


def is_automatic(condition: Condition) -> bool:
  """Returns True if a rule on this condition tends to fire without help.

  Objects usually start apart, unheld and in plain sight of each other.
  """
  if condition.negated:
    return True
  return condition.predicate == "see" and len(condition.object_types) == 2


def can_fire(game: SymbolicGame, counts: Counts, index: int) -> bool:
  """Returns True if the rule's objects exist and no other rule uses them up."""
  condition, _ = game.rules[index]
  if index in game.never_fire:
    return False
  if not _possible(condition) or not exist(counts, condition.object_types):
    return False
  for other_index, (other, _) in enumerate(game.rules):
    if other_index == index or not condition.implies(other):
      continue
    # A rule with the same condition consumes the pair if it comes earlier; a
    # rule whose condition holds on the way (near before touching) always does.
    if not other.implies(condition) or other_index < index:
      return False
  return True


def fire(game: SymbolicGame, counts: Counts, index: int) -> Counts:
  """Returns the counts after the rule fires once."""
  condition, spawns = game.rules[index]
  after = list(counts)
  for type_id in condition.object_types:
    after[type_id] -= 1
  for type_id in spawns:
    if sum(after) < game.capacity:
      after[type_id] += 1
  return tuple(after)


def goal_cost(game: SymbolicGame, counts: Counts) -> float | None:
  """Returns the cost of meeting the goal in a state, None if impossible."""
  goal = game.goal
  if game.never_met:
    return None
  present = exist(counts, goal.object_types)
  if goal.negated:
    screen = goal.predicate == "see" and len(goal.object_types) == 2
    return _SCREEN_COST if screen and present else 0.0
  if not present or not _possible(goal):
    return None
  if any(goal.implies(condition) for condition, _ in game.rules):
    return None  # Some rule consumes the objects before the goal is evaluated.
  return 0.0


def successors(
  game: SymbolicGame, counts: Counts
) -> Iterator[tuple[int, Counts]]:
  """Yields every rule that can fire, and the counts after it."""
  for index in range(len(game.rules)):
    if can_fire(game, counts, index):
      after = fire(game, counts, index)
      if after != counts:
        yield index, after
