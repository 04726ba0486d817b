"""A search for the rules to fire so that a goal can be met.

It searches the symbolic game (`envs.tasks.symbolic`), which leaves out
distances, time and skill.
"""

import functools
import heapq
from collections.abc import Iterator
from typing import NamedTuple

from adaland.envs.tasks import symbolic
from adaland.envs.tasks.symbolic import Counts, SymbolicGame
from adaland.envs.tasks.task import Task

# States that a search explores before it gives up. The largest probe (crafting
# pyramid: 8 objects, 7 rules) needs 30; rules that spawn more objects than they
# consume could fire forever.
MAX_STATES = 4000
# Cost of letting an automatic rule fire; a rule fired on purpose costs one.
_AUTOMATIC_COST = 0.1
# Cost of passing through a state where another rule may fire automatically:
# more than any sensible detour, so that such states are crossed only if nothing
# else leads to the goal.
_UNSTABLE_COST = 5.0
# Alternatives to the cheapest plan: their maximum extra cost, the maximum
# number of plans, and the number of ways to a state that are followed.
_MAX_DETOUR = 5.0
_MAX_PLANS = 24
_VISITS = 4


class Plan(NamedTuple):
  """A sequence of rules that leads to the goal.

  Attributes:
    rules: Indices (from 0) of the rules to fire, in order; empty if the goal
      can be met at once.
    cost: Sum of the costs of the rules and of meeting the goal.
  """

  rules: tuple[int, ...]
  cost: float


def _automatic_rules(game: SymbolicGame, counts: Counts) -> list[int]:
  """Returns the rules that may fire automatically."""
  return [
    index
    for index in range(len(game.rules))
    if symbolic.is_automatic(game.rules[index][0])
    and symbolic.can_fire(game, counts, index)
  ]


def is_parted(game: SymbolicGame, counts: Counts) -> bool:
  """Returns True if an object of a negated goal is gone."""
  return not symbolic.exist(counts, game.goal.object_types)


def search(
  game: SymbolicGame,
  counts: Counts,
  careful: bool = True,
  parted: bool = False,
) -> Plan | None:
  """Finds the cheapest plan from a state (Dijkstra's algorithm).

  Args:
    game: Goal and rules.
    counts: The current state.
    careful: If true, avoids states in which a rule may fire automatically, and
      goals that are hard to meet. Otherwise every rule costs one, so that
      the plan has the fewest firings.
    parted: If true, the plan for a negated goal must remove one of its objects,
      so that rules alone reach the goal.

  Returns:
    The plan, or None if no sequence of rules within MAX_STATES states makes
    the goal possible. Among equally cheap plans it is the one whose rules
    come first.
  """
  return next(_plans(game, counts, careful, parted, visits=1), None)


def _plans(
  game: SymbolicGame, counts: Counts, careful: bool, parted: bool, visits: int
) -> Iterator[Plan]:
  """Yields plans, the cheapest first; see `search`.

  Args:
    game: Goal and rules.
    counts: The current state.
    careful: As in `search`.
    parted: As in `search`.
    visits: Ways to a state that are followed.
  """
  heap: list[tuple[float, tuple[int, ...], Counts, bool]] = [
    (0.0, (), counts, False)
  ]
  visited: dict[Counts, int] = {}
  while heap and len(visited) < MAX_STATES:
    cost, path, here, finished = heapq.heappop(heap)
    if finished:
      yield Plan(path, cost)
      continue
    if visited.get(here, 0) >= visits:
      continue
    visited[here] = visited.get(here, 0) + 1
    automatic = _automatic_rules(game, here) if careful else []
    # States that may arise automatically; they cost only where they interfere.
    shaken = [symbolic.fire(game, here, index) for index in automatic]
    end = symbolic.goal_cost(game, here)
    shaky = any(symbolic.goal_cost(game, state) != end for state in shaken)
    if parted and not is_parted(game, here):
      end = None
    if end is not None:
      end = end + _UNSTABLE_COST * shaky if careful else 0.0
      heapq.heappush(heap, (cost + end, path, here, True))
    for index, after in symbolic.successors(game, here):
      if visited.get(after, 0) < visits:
        shaky = any(not symbolic.can_fire(game, x, index) for x in shaken)
        step = 1 + _UNSTABLE_COST * shaky
        step = _AUTOMATIC_COST if index in automatic else step
        heapq.heappush(heap, (cost + step, (*path, index), after, False))


@functools.lru_cache(maxsize=65536)
def plan(game: SymbolicGame, counts: Counts) -> Plan | None:
  """Returns the result of a careful `search`, cached."""
  return search(game, counts)


@functools.lru_cache(maxsize=65536)
def alternatives(game: SymbolicGame, counts: Counts) -> tuple[Plan, ...]:
  """Returns the plans that cost little more than the cheapest, cached.

  Args:
    game: Goal and rules.
    counts: The current state.

  Returns:
    At most _MAX_PLANS plans, the cheapest first; empty if there is none.
  """
  found: list[Plan] = []
  for each in _plans(game, counts, careful=True, parted=False, visits=_VISITS):
    if found and each.cost > found[0].cost + _MAX_DETOUR:
      break
    found.append(each)
    if len(found) == _MAX_PLANS:
      break
  return tuple(found)


@functools.lru_cache(maxsize=65536)
def harm(game: SymbolicGame, counts: Counts) -> tuple[float, ...]:
  """Returns the increase of the plan's cost if each rule fired now.

  Args:
    game: Goal and rules.
    counts: The current state.

  Returns:
    For each rule, the plan's cost after it fires minus the cost before;
    infinite if no plan is left, 0 for rules that can't fire.
  """
  before = plan(game, counts)
  result = [0.0] * len(game.rules)
  if before is None:
    return tuple(result)
  for index, counts_after in symbolic.successors(game, counts):
    after = plan(game, counts_after)
    result[index] = float("inf") if after is None else after.cost - before.cost
  return tuple(result)


def shortest_solution(task: Task) -> tuple[int, ...] | None:
  """Returns the fewest rules (from 0) that make player 1's goal possible."""
  found = search(
    symbolic.make_game(task), symbolic.initial_counts(task), careful=False
  )
  return None if found is None else found.rules


def shortest_length(task: Task) -> int | None:
  """Returns the length of the shortest solution, None if unsolvable."""
  solution = shortest_solution(task)
  return None if solution is None else len(solution)
