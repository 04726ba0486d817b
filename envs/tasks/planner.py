"""Which rules to fire so that the goal can be met: search over what exists.

A world is boiled down to how many objects of each type it holds (`Counts`,
indexed by type id). Firing a rule takes its condition's objects away and adds
its spawns; a goal can be met where its objects exist. Distances, time and
skill don't appear here.
"""

import dataclasses
import functools
import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adaland.envs import constants
from adaland.envs.tasks import task as task_lib

Counts = tuple[int, ...]

# States that a search looks at before it gives up. The largest probe
# (crafting pyramid: 8 objects, 7 rules) needs 30; rules that make more objects
# than they consume can go on for ever.
MAX_STATES = 4000
# Letting a rule fire that fires by itself; one fired on purpose costs one.
_AUTOMATIC_COST = 0.1
# Passing through a state where another rule may fire by itself. More than
# any sensible detour, so that such states are crossed only if nothing else
# leads to the goal.
_UNSTABLE_COST = 5.0
# Keeping two objects out of each other's sight means to build a screen.
_SCREEN_COST = 5.0


class Condition(NamedTuple):
  """A literal over type ids.

  Attributes:
    predicate: One of `constants.PREDICATES`.
    a: Type id of the first argument, players from 13.
    b: Type id of the second argument.
    negated: Whether it says that the relation doesn't hold.
  """

  predicate: str
  a: int
  b: int
  negated: bool = False

  @property
  def object_types(self) -> tuple[int, ...]:
    """The arguments that are objects, in order; players are left out."""
    return tuple(t for t in (self.a, self.b) if not is_player(t))

  def implies(self, other: "Condition") -> bool:
    """Whether this relation can't be had without the other (both positive)."""
    if self.negated or other.negated or {self.a, self.b} != {other.a, other.b}:
      return False
    if self.predicate == other.predicate:
      return True
    if self.predicate == "hold" and other.predicate == "see":
      return self.a == other.a  # Nobody grips what they don't see.
    return self.predicate == "touching" and other.predicate == "near"


@dataclasses.dataclass(frozen=True)
class SymbolicGame:
  """One player's goal and all rules, in type ids.

  Attributes:
    goal: What is rewarded.
    rules: Condition and spawned type ids of each rule.
    capacity: Most objects there can be.
  """

  goal: Condition
  rules: tuple[tuple[Condition, tuple[int, ...]], ...]
  capacity: int


class Plan(NamedTuple):
  """A way to the goal.

  Attributes:
    rules: Indices (from 0) of the rules to fire, in order; empty where the
      goal can be met at once.
    cost: Sum of the costs of the rules and of meeting the goal.
  """

  rules: tuple[int, ...]
  cost: float


def is_player(type_id: int) -> bool:
  return type_id > constants.NUM_OBJECT_TYPES


def make_condition(literal: task_lib.Literal) -> Condition:
  """A task's literal in type ids."""
  return Condition(
    literal.predicate, literal.a.type_id, literal.b.type_id, literal.negated
  )


def make_game(
  task: task_lib.Task, capacity: int = constants.MAX_OBJECTS
) -> SymbolicGame:
  """The symbolic game that player 1 of a task plays, with so many slots."""
  return SymbolicGame(
    goal=make_condition(task.players[0].goal),
    rules=tuple(
      (make_condition(rule.condition), tuple(s.type_id for s in rule.spawns))
      for rule in task.rules
    ),
    capacity=capacity,
  )


def count_types(type_ids: Sequence[int]) -> Counts:
  """How many objects of each type there are; zeros (empty slots) are not."""
  counts = [0] * (constants.NUM_OBJECT_TYPES + 1)
  for type_id in type_ids:
    if type_id:
      counts[type_id] += 1
  return tuple(counts)


def initial_counts(task: task_lib.Task) -> Counts:
  """What the task starts with."""
  return count_types(
    [spec.type.type_id for spec in task.objects for _ in range(spec.count)]
  )


def _exist(counts: Counts, types: tuple[int, ...]) -> bool:
  """Whether a distinct instance of each type exists."""
  return all(counts[t] >= types.count(t) for t in types)


def _possible(condition: Condition) -> bool:
  """Whether anything can ever make the condition true."""
  if condition.negated:
    return True
  if condition.predicate == "hold":
    return is_player(condition.a) and not is_player(condition.b)
  return True


def is_automatic(condition: Condition) -> bool:
  """Whether a rule on this condition tends to fire with nobody's help.

  Objects usually start apart, unheld and in plain sight of each other.
  """
  if condition.negated:
    return True
  return condition.predicate == "see" and len(condition.object_types) == 2


def can_fire(game: SymbolicGame, counts: Counts, index: int) -> bool:
  """Whether the rule's objects exist and no other rule takes them first."""
  condition, _ = game.rules[index]
  if not _possible(condition) or not _exist(counts, condition.object_types):
    return False
  for other_index, (other, _) in enumerate(game.rules):
    if other_index == index or not condition.implies(other):
      continue
    # A rule with the same condition takes the pair if it stands earlier; one
    # that holds already on the way (near before touching) always does.
    if not other.implies(condition) or other_index < index:
      return False
  return True


def fire(game: SymbolicGame, counts: Counts, index: int) -> Counts:
  """What exists after the rule fired once."""
  condition, spawns = game.rules[index]
  after = list(counts)
  for type_id in condition.object_types:
    after[type_id] -= 1
  for type_id in spawns:
    if sum(after) < game.capacity:
      after[type_id] += 1
  return tuple(after)


def goal_cost(game: SymbolicGame, counts: Counts) -> float | None:
  """Effort to meet the goal with what exists, None where that can't be."""
  goal = game.goal
  exist = _exist(counts, goal.object_types)
  if goal.negated:
    screen = goal.predicate == "see" and len(goal.object_types) == 2
    return _SCREEN_COST if screen and exist else 0.0
  if not exist or not _possible(goal):
    return None
  if any(goal.implies(condition) for condition, _ in game.rules):
    return None  # Some rule takes the objects before the goal is read.
  return 0.0


def successors(
  game: SymbolicGame, counts: Counts
) -> Iterator[tuple[int, Counts]]:
  """Every rule that can fire, and what exists after it."""
  for index in range(len(game.rules)):
    if can_fire(game, counts, index):
      after = fire(game, counts, index)
      if after != counts:
        yield index, after


def _automatic_rules(game: SymbolicGame, counts: Counts) -> list[int]:
  """Rules that may fire by themselves with what exists."""
  return [
    index
    for index in range(len(game.rules))
    if is_automatic(game.rules[index][0]) and can_fire(game, counts, index)
  ]


def search(
  game: SymbolicGame,
  counts: Counts,
  careful: bool = True,
) -> Plan | None:
  """Cheapest plan from what exists (Dijkstra's algorithm).

  Args:
    game: Goal and rules.
    counts: What exists now.
    careful: Whether to keep clear of states in which a rule may fire by
      itself, and of goals that are hard to meet. If not, every rule costs
      one, so that the plan has the fewest firings.

  Returns:
    The plan, or None where no firing of rules within MAX_STATES states makes
    the goal possible. Among equally cheap plans the one whose rules stand
    first.
  """
  heap: list[tuple[float, tuple[int, ...], Counts, bool]] = [
    (0.0, (), counts, False)
  ]
  done: set[Counts] = set()
  while heap and len(done) < MAX_STATES:
    cost, path, here, finished = heapq.heappop(heap)
    if finished:
      return Plan(path, cost)
    if here in done:
      continue
    done.add(here)
    automatic = _automatic_rules(game, here) if careful else []
    unstable = _UNSTABLE_COST if automatic else 0.0
    end = goal_cost(game, here)
    if end is not None:
      end = end + unstable if careful else 0.0
      heapq.heappush(heap, (cost + end, path, here, True))
    for index, after in successors(game, here):
      if after not in done:
        step = _AUTOMATIC_COST if index in automatic else 1 + unstable
        heapq.heappush(heap, (cost + step, (*path, index), after, False))
  return None


@functools.lru_cache(maxsize=65536)
def plan(game: SymbolicGame, counts: Counts) -> Plan | None:
  """The plan the expert follows: the careful `search`, remembered."""
  return search(game, counts)


@functools.lru_cache(maxsize=65536)
def harm(game: SymbolicGame, counts: Counts) -> tuple[float, ...]:
  """How much worse the way to the goal gets if each rule fires now.

  Args:
    game: Goal and rules.
    counts: What exists now.

  Returns:
    For each rule the cost of the plan after it fired less that before it;
    infinite where no plan is left, 0 for rules that can't fire.
  """
  before = plan(game, counts)
  result = [0.0] * len(game.rules)
  if before is None:
    return tuple(result)
  for index, counts_after in successors(game, counts):
    after = plan(game, counts_after)
    result[index] = float("inf") if after is None else after.cost - before.cost
  return tuple(result)


def shortest_solution(task: task_lib.Task) -> tuple[int, ...] | None:
  """Fewest rules (indices from 0) that make player 1's goal possible."""
  found = search(make_game(task), initial_counts(task), careful=False)
  return None if found is None else found.rules


def min_rules_to_solution(task: task_lib.Task) -> int | None:
  """Length of the shortest solution, None for an unsolvable task."""
  solution = shortest_solution(task)
  return None if solution is None else len(solution)


def is_solvable(task: task_lib.Task) -> bool:
  """Whether some firing of rules makes player 1's goal possible."""
  return shortest_solution(task) is not None
