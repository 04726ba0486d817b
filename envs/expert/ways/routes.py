"""Estimates of how far an avatar has to walk to carry out plans.

A plan is simulated: for each of its conditions the nearest objects are fetched
and carried, and the spawns of a rule appear where it fired. Positions are
numbered: 0 is the avatar's, the others are the objects'.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land, shapes
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.planner import Plan
from adaland.envs.tasks.symbolic import Condition, SymbolicGame

# Costs in metres: of picking up an object; of pressing it against another, and
# more if that may roll away; of an action on the spot; of separating objects or
# blocking their line of sight; of an attempt that failed; and of one unit of a
# plan's own cost.
_GRIP_METRES = 2.0
_TOUCH_METRES = 1.0
_SLIP_METRES = 5.0
_SPOT_METRES = 0.5
_PART_METRES = 2.0
_SCREEN_METRES = 30.0
# Distance below which the body squeezes between two objects, since there is no
# room to stand there, and the cost of that.
CLOSE_METRES = 1.6
_PUSH_METRES = 3.0
_FAILURE_METRES = 10.0
_RISK_METRES = 2.0
# Extra cost of objects on ground without a path to it, reached only by luck.
_LOST_METRES = 20.0
# Choices of objects that are simulated for each condition.
_BRANCHES = 2

Slots = tuple[int, ...]


class _Item(NamedTuple):
  """A simulated object; its slot is -1 if a rule will spawn it."""

  kind: int
  place: int
  slot: int


class _State(NamedTuple):
  """A simulated state."""

  items: tuple[_Item, ...]
  place: int
  held: _Item | None


class Map:
  """Distances between the avatar and the objects of one state."""

  def __init__(self, view: land.WorldView, ground: navigate.Ground):
    """Measures a state."""
    self.slots = [int(slot) for slot in np.flatnonzero(view.slot_types)]
    at = np.concatenate([view.player_pos[:1], view.object_pos[self.slots]])
    cells = np.array([ground.cell_of(xy) for xy in at[:, :2]])
    metres = navigate.distances(ground, cells)[:, cells]
    straight = np.linalg.norm(at[:, None, :2] - at[None, :, :2], axis=-1)
    self.metres = np.where(
      np.isfinite(metres), metres, straight + _LOST_METRES
    ).tolist()
    eyes = at + np.array([0, 0, constants.EYE_HEIGHT])
    eyes[1:] = at[1:]
    self.sight = [
      navigate.in_sight(ground, eyes, point).tolist() for point in eyes
    ]
    self.frozen = view.frozen
    items = tuple(
      _Item(int(view.slot_types[slot]), place + 1, slot)
      for place, slot in enumerate(self.slots)
    )
    held = next((x for x in items if x.slot == view.held[0]), None)
    self.start = _State(items, 0, held)

  def options(
    self, state: _State, wanted: Condition, failures: Mapping[Slots, int]
  ) -> list[tuple[float, tuple[_Item, ...], _State]]:
    """Returns ways to make a condition true, the shortest first.

    Args:
      state: The simulated state.
      wanted: The condition.
      failures: Number of failed attempts by slots, the carried one first.

    Returns:
      For each way the metres, the objects, and the state once it is done.
    """
    found = []
    for items in self._choices(state, wanted):
      slots = tuple(item.slot for item in items)
      way = self._way(state, wanted, items)
      moves = items and way > _SPOT_METRES
      place = items[-1].place if moves else state.place
      held = items[0] if wanted.predicate == "hold" else None
      way += _FAILURE_METRES * failures.get(slots, 0)
      found.append((way, items, state._replace(place=place, held=held)))
    return sorted(found, key=lambda option: option[0])

  def _choices(
    self, state: _State, wanted: Condition
  ) -> Iterator[tuple[_Item, ...]]:
    """Yields objects for a condition, the carried one first."""
    kinds = wanted.object_types
    if wanted.negated and any(
      not any(item.kind == kind for item in state.items) for kind in kinds
    ):
      yield ()  # A relation to an absent object is already false.
      return
    if len(kinds) < 2:
      if not kinds:
        yield ()
      for item in state.items:
        if item.kind in kinds:
          yield (item,)
      return
    for a in state.items:
      for b in state.items:
        if a is not b and (a.kind, b.kind) in (kinds, kinds[::-1]):
          yield (a, b)

  def _way(
    self, state: _State, wanted: Condition, items: tuple[_Item, ...]
  ) -> float:
    """Returns the metres to walk until a condition holds for some objects."""
    if not items:
      return 0.0
    first, last = items[0], items[-1]
    there = self.metres[state.place][first.place]
    touch = 0.0
    if wanted.predicate == "touching":
      touch = _TOUCH_METRES + _SLIP_METRES * _rolls(last, self.frozen)
    if len(items) == 1:
      if wanted.negated:
        close = there < constants.NEAR_METRES or wanted.predicate == "see"
        return _SPOT_METRES * close
      if wanted.predicate == "see":
        seen = self.sight[state.place][first.place]
        return _SPOT_METRES if seen else there
      if wanted.predicate == "hold":
        return 0.0 if first == state.held else there + _GRIP_METRES
      return there + touch
    gap = self.metres[first.place][last.place]
    seen = self.sight[first.place][last.place]
    fetch = 0.0 if first == state.held else there + _GRIP_METRES
    fetch += _LOST_METRES * self._is_frozen(first)
    if wanted.predicate == "see":
      if wanted.negated:
        stuck = all(self._is_frozen(item) for item in items)
        close = gap < CLOSE_METRES and not stuck
        screen = _PUSH_METRES if close else _SCREEN_METRES
        # The body blocks one pair's line of sight; every further pair is extra.
        others = self._num_seen(state, wanted) - 1
        return there + screen + _SCREEN_METRES * others if seen else 0.0
      return 0.0 if seen else fetch + gap
    if wanted.negated:
      return fetch + _PART_METRES if gap < constants.NEAR_METRES else 0.0
    if wanted.predicate == "near" and gap < constants.NEAR_METRES / 2:
      return 0.0
    return fetch + gap + touch

  def _num_seen(self, state: _State, wanted: Condition) -> int:
    """Returns the number of pairs of a condition that see each other."""
    pairs = self._choices(state, wanted)
    return sum(self.sight[a.place][b.place] for a, b in pairs) // 2

  def _is_frozen(self, item: _Item) -> bool:
    return item.slot >= 0 and bool(self.frozen[item.slot])


def shortest(
  view: land.WorldView,
  ground: navigate.Ground,
  game: SymbolicGame,
  plans: Sequence[Plan],
  failures: Mapping[Slots, int],
) -> tuple[Plan, Slots]:
  """Returns the plan with the shortest way, and the slots to start with.

  Args:
    view: The true state.
    ground: The map of the world.
    game: Goal and rules.
    plans: Plans to choose from, at least one.
    failures: Number of failed attempts by slots, the carried one first.
  """
  measured = Map(view, ground)
  best = (float("inf"), plans[0], ())
  for plan in plans:
    metres, slots = _follow(
      measured, measured.start, game, plan.rules, failures
    )
    cost = metres + _RISK_METRES * plan.cost
    if cost < best[0]:
      best = (cost, plan, slots)
  return best[1], best[2]


def _rolls(item: _Item, frozen: np.ndarray) -> bool:
  """Returns True if an object may roll away when pressed."""
  ball = shapes.shape_of_type(item.kind).form == "ball"
  return ball and not (item.slot >= 0 and bool(frozen[item.slot]))


def _follow(
  measured: Map,
  state: _State,
  game: SymbolicGame,
  rules: tuple[int, ...],
  failures: Mapping[Slots, int],
) -> tuple[float, Slots]:
  """Returns the metres of a plan, and the slots to start with."""
  wanted = game.rules[rules[0]][0] if rules else game.goal
  best: tuple[float, Slots] = (float("inf"), ())
  for metres, items, after in measured.options(state, wanted, failures)[
    :_BRANCHES
  ]:
    if rules:
      spawns = game.rules[rules[0]][1]
      fired = _fire(after, items, spawns)
      metres += _follow(measured, fired, game, rules[1:], failures)[0]
    if metres < best[0]:
      best = metres, tuple(item.slot for item in items)
  return best


def _fire(
  state: _State, consumed: tuple[_Item, ...], spawns: tuple[int, ...]
) -> _State:
  """Returns the state after a rule fired, with its spawns where it fired."""
  place = consumed[-1].place if consumed else state.place
  kept = tuple(item for item in state.items if item not in consumed)
  made = tuple(_Item(kind, place, -1) for kind in spawns)
  held = None if state.held in consumed else state.held
  return _State(kept + made, state.place, held)
