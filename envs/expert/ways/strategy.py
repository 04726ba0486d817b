"""The strategy of scripted experts: the next step of the shortest plan."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from adaland.envs import land
from adaland.envs.expert.ways import distances, navigate, routes
from adaland.envs.tasks import planner, symbolic

# Harm (see `planner.harm`) above which a rule is prevented from firing.
_MIN_HARM = 0.05


class Preparation(NamedTuple):
  """The work of the player that doesn't do the next step.

  Attributes:
    wanted: A condition of a later step to make true already; None if the
      objects don't exist yet, or if it is too early.
    slots: The objects to use for it, the carried one first; -1 for an object
      that doesn't exist yet.
    at: Where to bring the carried object, or to wait for it, metres, float [3].
  """

  wanted: symbolic.Condition | None
  slots: tuple[int, ...]
  at: np.ndarray


class NextStep(NamedTuple):
  """The next step of a plan.

  Attributes:
    wanted: The condition to make true.
    avoid: Conditions of rules that would do harm.
    is_goal: Whether the condition is the goal.
    slots: The objects to use, the carried one first.
    player: Index of the player that does it.
    meanwhile: The other player's work, None if there is nothing to do.
  """

  wanted: symbolic.Condition
  avoid: tuple[symbolic.Condition, ...]
  is_goal: bool
  slots: tuple[int, ...]
  player: int = 0
  meanwhile: Preparation | None = None


class Strategy:
  """The plan for one environment.

  It is made again when objects have appeared or vanished, or an attempt failed.
  """

  def __init__(self):
    """Initializes a strategy without a plan."""
    self._key: object = None
    self._step: NextStep | None = None

  def next_step(
    self,
    game: symbolic.SymbolicGame,
    view: land.WorldView,
    failures: Mapping[tuple[int, ...], int],
    num_players: int = 1,
  ) -> NextStep | None:
    """Returns the next step; None if there is no plan, or nothing to do.

    Args:
      game: Goal and rules.
      view: The true state.
      failures: Number of failed attempts by slots.
      num_players: Number of players that carry out the plan.
    """
    key = (game, view.trial, view.slot_types.tobytes(), sum(failures.values()))
    if key != self._key or view.step == 0:
      self._step = _next_step(game, view, failures, num_players)
      self._key = key
    return self._step


def _next_step(
  game: symbolic.SymbolicGame,
  view: land.WorldView,
  failures: Mapping[tuple[int, ...], int],
  num_players: int,
) -> NextStep | None:
  counts = symbolic.count_types(view.slot_types.tolist())
  plans = planner.alternatives(game, counts)
  if not plans:
    return None
  ground = navigate.ground_of(view.heights, view.ramps)
  plan, steps, at = routes.shortest(
    view, ground, game, plans, failures, num_players
  )
  if not steps:
    return None  # Of two objects to keep apart, only one is left.
  first = steps[0]
  harm = planner.harm(game, counts)
  avoid = tuple(
    condition
    for (condition, _), cost in zip(game.rules, harm, strict=True)
    if cost > _MIN_HARM and not condition.negated and condition != first.wanted
  )
  harmless = {
    rule
    for rule, cost in enumerate(harm)
    if cost <= _MIN_HARM and symbolic.can_fire(game, counts, rule)
  }
  return NextStep(
    first.wanted,
    avoid,
    not plan.rules,
    first.slots,
    first.avatar,
    _meanwhile(plan, steps, at, harmless, _delicate(view, avoid)),
  )


def _delicate(
  view: land.WorldView, avoid: Sequence[symbolic.Condition]
) -> dict[int, np.ndarray]:
  """Returns the objects that would do harm next to others, with positions."""
  kinds = {
    kind
    for condition in avoid
    if len(condition.object_types) == 2
    for kind in condition.object_types
  }
  return {
    int(slot): view.object_pos[slot]
    for slot in np.flatnonzero(view.slot_types)
    if int(view.slot_types[slot]) in kinds
  }


def _meanwhile(
  plan: planner.Plan,
  steps: Sequence[distances.Step],
  at: np.ndarray,
  harmless: Set[int],
  delicate: Mapping[int, np.ndarray],
) -> Preparation | None:
  """Returns the work of the player that doesn't do the first step.

  Args:
    plan: The plan.
    steps: Its steps.
    at: The positions to which they refer, metres, float [K, 3].
    harmless: The rules that can fire now and do no harm.
    delicate: Positions of objects that must not be carried about needlessly;
      it waits next to them.
  """
  first = steps[0]
  for step, rule in zip(steps, (*plan.rules, None), strict=True):
    if step.avatar != first.avatar and step.place is not None:
      if step.slots[0] in delicate:
        return Preparation(None, (-1,), delicate[step.slots[0]])
      missing = set(step.slots) & {-1, *first.slots}
      now = rule in harmless and not missing
      wanted = step.wanted if now else None
      return Preparation(wanted, step.slots, at[step.place])
  return None
