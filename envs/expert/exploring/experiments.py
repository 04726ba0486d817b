"""Experiments: what to try next to find out useful rules.

An experiment makes a condition true, and weaker ones on the way. Its value is
the worth of the rules that it may settle, per metre to walk.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from adaland.envs import land
from adaland.envs.expert.exploring import beliefs
from adaland.envs.expert.exploring.beliefs import PLAYER
from adaland.envs.expert.ways import distances, navigate
from adaland.envs.tasks.symbolic import Condition

# Worth of settling a rule that is known to spawn a needed type, one that may do
# so, and one that does not.
_HELPS, _MAY_HELP, _IDLE = 1.0, 0.5, 0.02
_PART_FACTOR = 3.0
# Fixed cost of an experiment or a search, in metres.
_SPOT_METRES = 3.0
# Minimum worth of an experiment, per metre.
_LEAST = 1e-5
_SEARCH_WORTH = 0.6


class Experiment(NamedTuple):
  """An experiment to try.

  Attributes:
    wanted: The condition to make true.
    tests: All conditions that it tests on the way.
    slots: The objects to use, the carried one first.
    value: Its worth per metre.
  """

  wanted: Condition
  tests: tuple[Condition, ...]
  slots: tuple[int, ...]
  value: float


def needed_types(
  believed: beliefs.Beliefs, goal: Condition, present: Collection[int]
) -> set[int]:
  """Returns the absent types that lead to the goal.

  Args:
    believed: The beliefs.
    goal: The goal.
    present: Types with at least one object.
  """
  needed, found = set[int](), set(goal.object_types)
  while found - needed:
    needed |= found
    for belief in believed.rules:
      if belief.is_known and needed & set(belief.known_spawns) - set(present):
        found |= set(belief.condition.object_types)
  return needed - set(present)


def worth(belief: beliefs.Belief, needed: set[int]) -> float:
  """Returns the worth of settling a rule."""
  if belief.settled:
    return 0.0
  if needed & set(belief.known_spawns):
    return _HELPS
  spawns = belief.spawns
  is_open = spawns is None or len(belief.known_spawns) < len(spawns)
  return _MAY_HELP if is_open else _IDLE


def best(
  believed: beliefs.Beliefs,
  view: land.WorldView,
  ground: navigate.Ground,
  goal: Condition,
  tried: Collection[Condition],
  failures: Mapping[tuple[int, ...], int],
) -> Experiment | None:
  """Returns the experiment with the highest worth per metre, or None.

  Args:
    believed: The beliefs.
    view: The state as far as the player knows it.
    ground: The map of the world.
    goal: The goal.
    tried: Conditions that could not be made true.
    failures: Number of failed attempts by slots, the carried one first.
  """
  present = {int(kind) for kind in view.slot_types if kind}
  needed = needed_types(believed, goal, present)
  options = list(_options(view))
  tests = {test for _, tests in options for test in tests}
  shares = np.zeros(len(believed.rules))
  for index, belief in enumerate(believed.rules):
    total = 1.0
    if belief.candidates is None:
      total = sum(believed.weight(index, test) for test in tests)
    shares[index] = worth(belief, needed) / max(total, 1e-9)
  ways = distances.Map(view, ground)
  found: list[Experiment] = []
  for wanted, all_tests in options:
    gains = {
      test: sum(
        share * believed.weight(index, test)
        for index, share in enumerate(shares)
      )
      for test in all_tests
      if test not in tried
    }
    gain = sum(gains.values())
    # Objects to be separated may be consumed instead.
    if goal.negated and set(goal.object_types) & set(wanted.object_types):
      gain *= _PART_FACTOR
    strongest = next((x for x in (wanted, *all_tests) if gains.get(x)), None)
    if gain <= 0 or strongest is None:
      continue
    choices = ways.options(ways.start, strongest, failures)
    if not choices:
      continue
    metres, _, step, _ = choices[0]
    value = gain / (metres + _SPOT_METRES)
    found.append(Experiment(strongest, tuple(gains), step.slots, value))
  chosen = max(found, key=lambda each: each.value, default=None)
  return chosen if chosen is not None and chosen.value > _LEAST else None


def _options(
  view: land.WorldView,
) -> Iterator[tuple[Condition, tuple[Condition, ...]]]:
  """Yields conditions to make true, with all that hold on the way."""
  counts = np.bincount(view.slot_types)
  counts[0] = 0
  movable = set(view.slot_types[~view.frozen].tolist())
  kinds = np.flatnonzero(counts).tolist()
  for kind in kinds:
    single = [Condition(p, PLAYER, kind) for p in ("hold", "near", "touching")]
    if kind not in movable:
      single = single[1:]
    yield single[0], tuple(single)
  for a, b in itertools.combinations_with_replacement(kinds, 2):
    if (a == b and counts[a] < 2) or not movable & {a, b}:
      continue
    pair = [Condition(p, a, b) for p in ("touching", "near")]
    yield pair[0], tuple(pair)


def frontier(
  ground: navigate.Ground, here: np.ndarray, viewed: np.ndarray
) -> tuple[int, float] | None:
  """Returns where to look next, and the worth of that per metre.

  Args:
    ground: The map of the world.
    here: The player's position, metres, float [2].
    viewed: Cells that have been in view, bool [C].

  Returns:
    The nearest cell that has not been in view, and the worth; None if there is
    no such cell.
  """
  metres = navigate.distances(ground, np.array([ground.cell_of(here)]))[0]
  metres = np.where(viewed, np.inf, metres)
  cell = int(np.argmin(metres))
  reached = np.isfinite(metres).sum()
  if not reached:
    return None
  share = reached / len(viewed)
  return cell, _SEARCH_WORTH * share / (float(metres[cell]) + _SPOT_METRES)
