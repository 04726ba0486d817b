"""Twelve measures of a task's complexity; larger is harder.

AdA (arXiv 2301.07608) names them without definitions; these are Adaland's. All
read the rules symbolically (`envs.tasks.planner`): an object counts by its
type, and a rule can fire if the objects of its condition exist.

- solution: the shortest sequence of firings that makes player 1's goal
  possible; among equally short ones, the one whose rules come first. The
  solution of a negated goal consumes one of its objects, if rules can: hands
  could separate them without any rule, but then most such tasks would have
  an empty solution, and the paper's tasks never do (their mean number of
  repetitions is 1.0).
- critical rule: fires in the solution.
- needed type: in the goal, or in the condition of a critical rule.
- dead-end rule: not critical, and spawns nothing of a needed type.
- dangerous rule: in some reachable state the goal is possible, but firing this
  rule makes it permanently impossible.
- hidden rule: the rule, its predicate or one of its object types is hidden from
  player 1.
- distractor: an initial object of a type that isn't needed.
"""

from collections.abc import Callable

from adaland.envs.tasks import planner, symbolic
from adaland.envs.tasks.task import Task

# States explored to find dangerous rules; only rules found by then count.
_MAX_STATES = 1000


def _solution(task: Task) -> tuple[int, ...]:
  if _ends_by_rules(task):
    game, start = symbolic.make_game(task), symbolic.initial_counts(task)
    found = planner.search(game, start, careful=False, parted=True)
    return () if found is None else found.rules
  return planner.shortest_solution(task) or ()


def _ends_by_rules(task: Task) -> bool:
  """Returns True for a negated goal whose objects rules can consume."""
  game, start = symbolic.make_game(task), symbolic.initial_counts(task)
  return (
    game.goal.negated
    and planner.search(game, start, careful=False, parted=True) is not None
  )


def critical_rules(task: Task) -> frozenset[int]:
  """Returns the indices (from 0) of the solution's rules, if there is one."""
  return frozenset(_solution(task))


def _needed_types(task: Task) -> frozenset[int]:
  game = symbolic.make_game(task)
  types = set(game.goal.object_types)
  for index in critical_rules(task):
    types.update(game.rules[index][0].object_types)
  return frozenset(types)


def dead_end_rules(task: Task) -> frozenset[int]:
  """Returns the indices (from 0) of the dead-end rules."""
  game = symbolic.make_game(task)
  critical, needed = critical_rules(task), _needed_types(task)
  return frozenset(
    index
    for index, (_, spawns) in enumerate(game.rules)
    if index not in critical and not needed.intersection(spawns)
  )


def dangerous_rules(task: Task) -> frozenset[int]:
  """Returns the indices (from 0) of the dangerous rules.

  Explores up to _MAX_STATES states breadth-first and marks, backwards, those
  from which a state that meets the goal can be reached. Unexplored states at
  the frontier count as solvable.

  Args:
    task: The task.

  Returns:
    The rules that lead from a marked state to an unmarked one.
  """
  game = symbolic.make_game(task)
  start = symbolic.initial_counts(task)
  by_rules = _ends_by_rules(task)

  def is_met(state: symbolic.Counts) -> bool:
    if by_rules:
      return planner.is_parted(game, state)
    return symbolic.goal_cost(game, state) is not None

  edges: dict[symbolic.Counts, list[tuple[int, symbolic.Counts]]] = {}
  queue, seen = [start], {start}
  while queue and len(edges) < _MAX_STATES:
    here = queue.pop(0)
    edges[here] = list(symbolic.successors(game, here))
    for _, after in edges[here]:
      if after not in seen:
        seen.add(after)
        queue.append(after)
  before: dict[symbolic.Counts, list[symbolic.Counts]] = {}
  for here, steps in edges.items():
    for _, after in steps:
      before.setdefault(after, []).append(here)
  marked = {s for s in seen if s not in edges or is_met(s)}
  stack = list(marked)
  while stack:
    for earlier in before.get(stack.pop(), ()):
      if earlier not in marked:
        marked.add(earlier)
        stack.append(earlier)
  return frozenset(
    index
    for here, steps in edges.items()
    if here in marked
    for index, after in steps
    if after not in marked
  )


def hidden_rules(task: Task) -> frozenset[int]:
  """Returns the indices (from 0) of the hidden rules."""
  hiding = task.hiding[0]
  hidden_types = set(hiding.objects)
  return frozenset(
    index
    for index, rule in enumerate(task.rules)
    if index + 1 in hiding.rules
    or rule.condition.predicate in hiding.predicates
    or hidden_types.intersection(
      (rule.condition.a, rule.condition.b, *rule.spawns)
    )
  )


def number_of_rules(task: Task) -> int:
  """Counts the production rules."""
  return len(task.rules)


def number_of_trials(task: Task) -> int:
  """Counts the trials of an episode."""
  return task.trials


def min_rules_to_solution(task: Task) -> int:
  """Counts the firings in the solution; 0 if there is none."""
  return len(_solution(task))


def hidden_critical_rules(task: Task) -> int:
  """Counts the critical rules that are hidden."""
  return len(critical_rules(task) & hidden_rules(task))


def number_of_dead_end_rules(task: Task) -> int:
  """Counts the dead-end rules."""
  return len(dead_end_rules(task))


def hidden_dead_end_rules(task: Task) -> int:
  """Counts the dead-end rules that are hidden."""
  return len(dead_end_rules(task) & hidden_rules(task))


def initial_objects(task: Task) -> int:
  """Counts the objects at the start of a trial."""
  return sum(spec.count for spec in task.objects)


def distractor_objects(task: Task) -> int:
  """Counts the initial objects of types that the solution never uses."""
  needed = _needed_types(task)
  return sum(
    spec.count for spec in task.objects if spec.type.type_id not in needed
  )


def number_of_dangerous_rules(task: Task) -> int:
  """Counts the dangerous rules."""
  return len(dangerous_rules(task))


def hidden_dangerous_rules(task: Task) -> int:
  """Counts the dangerous rules that are hidden."""
  return len(dangerous_rules(task) & hidden_rules(task))


def critical_dangerous_rules(task: Task) -> int:
  """Counts the rules that the solution needs but that can also spoil it."""
  return len(dangerous_rules(task) & critical_rules(task))


def max_rule_repetitions(task: Task) -> int:
  """Counts the firings of the rule that the solution fires most often."""
  solution = _solution(task)
  return max((solution.count(index) for index in solution), default=0)


MEASURES: dict[str, Callable[[Task], int]] = {
  "rules": number_of_rules,
  "trials": number_of_trials,
  "min_rules_to_solution": min_rules_to_solution,
  "hidden_critical_rules": hidden_critical_rules,
  "dead_end_rules": number_of_dead_end_rules,
  "hidden_dead_end_rules": hidden_dead_end_rules,
  "initial_objects": initial_objects,
  "distractor_objects": distractor_objects,
  "dangerous_rules": number_of_dangerous_rules,
  "hidden_dangerous_rules": hidden_dangerous_rules,
  "critical_dangerous_rules": critical_dangerous_rules,
  "max_rule_repetitions": max_rule_repetitions,
}


# Means over AdA's 1,000 test tasks, read from the paper's figure (within 3 %).
PAPER: dict[str, float] = dict(
  zip(
    MEASURES,
    (3.35, 3.49, 1.77, 1.12, 0.81, 0.45, 7.5, 3.56, 1.12, 0.64, 0.0, 1.0),
    strict=True,
  )
)


def measures(task: Task) -> dict[str, int]:
  """Returns all twelve measures by name, in the paper's order."""
  return {name: measure(task) for name, measure in MEASURES.items()}
