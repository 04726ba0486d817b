"""The split of games into a training and a held-out half.

A hash of a game's canonical form decides whether it is held out. The canonical
form ignores the order of rules, of spawns and of symmetric arguments, and all
but goals and rules, so that a game which differs from a held-out one in nothing
else is held out too. The training sampler draws until the hash is on its side,
whatever its settings, so that it can't return a held-out game;
`python -m adaland.envs.sampling.leaks` looks for counterexamples.
"""

import hashlib
from collections.abc import Sequence

from adaland.envs import constants
from adaland.envs.tasks.task import Literal, Rule, Task

HELDOUT_ONE_IN = 8


def _canonical_literal(literal: Literal) -> tuple[int, ...]:
  types = [literal.a.type_id, literal.b.type_id]
  if literal.symmetric:
    types.sort()
  predicate = constants.PREDICATES.index(literal.predicate) + 1
  return int(literal.negated), predicate, *types


def canonical_form(goals: Sequence[Literal], rules: Sequence[Rule]) -> str:
  """Returns a text that is the same for equal games and no others."""
  written = sorted(
    (
      _canonical_literal(rule.condition),
      sorted(spawn.type_id for spawn in rule.spawns),
    )
    for rule in rules
  )
  return repr(([_canonical_literal(goal) for goal in goals], written))


def is_heldout(goals: Sequence[Literal], rules: Sequence[Rule]) -> bool:
  """Returns True for games of the held-out half, one in HELDOUT_ONE_IN."""
  text = canonical_form(goals, rules).encode()
  digest = hashlib.blake2b(text, digest_size=8).digest()
  return int.from_bytes(digest, "big") % HELDOUT_ONE_IN == 0


def is_heldout_game(task: Task) -> bool:
  """Returns True for tasks whose game is of the held-out half."""
  return is_heldout([player.goal for player in task.players], task.rules)
