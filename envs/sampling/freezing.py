"""The draw of frozen objects, such that the task stays solvable.

As in AdA (arXiv 2301.07608), a task uses freezing with some probability; then
each initial type, with all its objects, is frozen with another probability,
subject to solvability.
"""

from collections.abc import Iterable

from adaland.envs.sampling.choices import Choices
from adaland.envs.tasks.literals import Literal, ObjectType, Rule


def draw_frozen(
  choices: Choices,
  goal: Literal,
  solution: Iterable[Rule],
  other_ways: Iterable[Rule],
  objects: Iterable[ObjectType],
) -> frozenset[ObjectType]:
  """Draws the types whose initial objects never move.

  Another way that needed frozen objects to move would not be one.

  Args:
    choices: Random choices.
    goal: The goal.
    solution: Rules that lead to it.
    other_ways: Rules that can replace some of them.
    objects: Types of the initial objects.
  """
  if not choices.chance(choices.config.freezing_probability):
    return frozenset()
  frozen: set[ObjectType] = set()
  for kind in dict.fromkeys(objects):
    more = frozen | {kind}
    if (
      choices.chance(choices.config.frozen_probability)
      and can_be_done(goal, solution, more)
      and not any(_moves(rule.condition, more) for rule in other_ways)
    ):
      frozen = more
  return frozenset(frozen)


def can_be_done(
  goal: Literal, solution: Iterable[Rule], frozen: set[ObjectType]
) -> bool:
  """Returns True if no step of a solution needs a frozen object to move.

  Ground on which objects start can be reached, so the player can walk to a
  frozen object and carry others to it. `worlds.placement` puts frozen objects
  where they close no passage.

  Args:
    goal: The goal.
    solution: The rules to fire.
    frozen: Types whose initial objects never move; spawned objects can move.
  """
  spawned = {kind for rule in solution for kind in rule.spawns}
  still = frozen - spawned
  return all(
    not _moves(literal, still)
    for literal in (goal, *(rule.condition for rule in solution))
  )


def _moves(literal: Literal, still: set[ObjectType]) -> bool:
  """Returns True if a literal needs objects to move that can't."""
  kinds = literal.object_types
  if literal.means == "hold":
    return kinds[0] in still and not literal.negated
  if literal.means == "see" or len(kinds) < 2:
    return False  # The player moves.
  return set(kinds) <= still
