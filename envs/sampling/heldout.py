"""The split of games and terrains into a training and a held-out half.

A hash of a game's canonical form decides whether it is held out. The canonical
form ignores the order of rules, of spawns, of symmetric arguments and of the
players, the number of players with a common goal, and everything but goals and
rules, so a game that differs from a held-out one only in these is held out too.
The probes' games are held out whatever their hash. The training sampler draws
until a game is in its half, whatever its settings, so it can't return a
held-out game; `python -m adaland.envs.sampling.leaks` searches for
counterexamples.

If there are so few games that training shows nearly all of its half, the split
is not fair: a candidate that was never right for a goal in training is right in
the held-out half, where an agent that memorised the training games is worse
than chance. `hidden_tasks` has a split for small families.

Terrains are split in the same way, by a hash that is the same for rotated or
mirrored terrains. An empty flat room is in both halves: there is nothing to see
in it but objects, whose positions are drawn from seeds that the halves do not
share.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from adaland.envs import constants
from adaland.envs.tasks import probes
from adaland.envs.tasks.literals import Argument, Player
from adaland.envs.tasks.task import Literal, Rule, Task
from adaland.envs.worlds.terrain import Terrain

HELDOUT_ONE_IN = 8

# Tile forms after quarter turns from x to y, and with y mirrored.
_TURNED = [
  np.array([0, *(1 + k - k % 4 + (k + turns) % 4 for k in range(8))])
  for turns in range(4)
]
_MIRRORED = np.array([0, 1, 4, 3, 2, 8, 7, 6, 5])


def _number(argument: Argument) -> int:
  """Returns a number that is independent of the shapes in the table."""
  shape, colour = argument.ids
  return (shape - 1) * constants.NUM_COLOURS + colour


def _canonical_literal(literal: Literal) -> tuple[int, ...]:
  types = [_number(literal.a), _number(literal.b)]
  if literal.symmetric:
    types.sort()
  return int(literal.negated), literal.row.id, *types


def _with_players_exchanged(literal: Literal) -> Literal:
  a, b = (
    Player(3 - each.index) if isinstance(each, Player) else each
    for each in (literal.a, literal.b)
  )
  return dataclasses.replace(literal, a=a, b=b)


def _written(
  goals: Sequence[Literal], rules: Sequence[Rule]
) -> tuple[list[tuple[int, ...]], list[tuple[tuple[int, ...], list[int]]]]:
  """Returns goals and rules as numbers, with the rules sorted."""
  return [_canonical_literal(goal) for goal in goals], sorted(
    (
      _canonical_literal(rule.condition),
      sorted(map(_number, rule.spawns)),
    )
    for rule in rules
  )


def canonical_form(goals: Sequence[Literal], rules: Sequence[Rule]) -> str:
  """Returns a text that equal games, and no others, share.

  A two-player game equals that with the players exchanged, and, if both have
  the same goal, the single-player game.

  Args:
    goals: Goals of the players, one or two.
    rules: The rules.
  """
  forms = [_written(goals, rules)]
  if len(goals) == 2:
    exchanged = [
      Rule(_with_players_exchanged(rule.condition), rule.spawns)
      for rule in rules
    ]
    second, first = map(_with_players_exchanged, goals)
    forms.append(_written([first, second], exchanged))
  written_goals, written_rules = min(forms)
  if len(goals) == 2 and written_goals[0] == written_goals[1]:
    written_goals.pop()
  return repr((written_goals, written_rules))


def is_heldout(goals: Sequence[Literal], rules: Sequence[Rule]) -> bool:
  """Returns True for games of the held-out half.

  These are one in HELDOUT_ONE_IN, and the probes' games.
  """
  text = canonical_form(goals, rules)
  digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
  hashed = int.from_bytes(digest, "big") % HELDOUT_ONE_IN == 0
  return hashed or text in _probe_games()


@functools.cache
def _probe_games() -> frozenset[str]:
  """Returns the canonical forms of the probes' games."""
  names = (*probes.names(1), *probes.names(2))
  tasks = [probes.load(name) for name in names]
  return frozenset(
    canonical_form([player.goal for player in task.players], task.rules)
    for task in tasks
  )


def canonical_terrain(ground: Terrain) -> bytes:
  """Returns bytes that are the same for terrains equal up to symmetry."""
  forms = []
  for turns in range(4):
    heights = np.rot90(ground.heights, turns)
    # After a quarter turn from x to y, directions and corners increase by one.
    ramps = np.rot90(_TURNED[turns][ground.ramps], turns)
    mirrored = heights[:, ::-1], _MIRRORED[ramps][:, ::-1]
    for form in ((heights, ramps), mirrored):
      stacked = np.stack(form).astype(np.uint8)
      forms.append(repr(stacked.shape).encode() + stacked.tobytes())
  return min(forms)


def is_heldout_terrain(ground: Terrain) -> bool | None:
  """Returns True for terrain in the held-out half, None if it is in both.

  One terrain in HELDOUT_ONE_IN is held out.
  """
  if ground.is_flat():
    return None
  digest = hashlib.blake2b(canonical_terrain(ground), digest_size=8).digest()
  return int.from_bytes(digest, "big") % HELDOUT_ONE_IN == 0


def is_heldout_game(task: Task) -> bool:
  """Returns True for tasks whose game is in the held-out half."""
  return is_heldout([player.goal for player in task.players], task.rules)
