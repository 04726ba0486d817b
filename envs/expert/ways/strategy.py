"""The strategy of scripted experts: the next step of the shortest plan."""

from collections.abc import Mapping
from typing import NamedTuple

from adaland.envs import land
from adaland.envs.expert.ways import navigate, routes
from adaland.envs.tasks import planner, symbolic

# Harm (see `planner.harm`) above which a rule is prevented from firing.
_MIN_HARM = 0.05


class NextStep(NamedTuple):
  """The next step of a plan.

  Attributes:
    wanted: The condition to make true.
    avoid: Conditions of rules that would do harm.
    is_goal: Whether the condition is the goal.
    slots: The objects to use, the carried one first.
  """

  wanted: symbolic.Condition
  avoid: tuple[symbolic.Condition, ...]
  is_goal: bool
  slots: tuple[int, ...]


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
  ) -> NextStep | None:
    """Returns the next step; None if there is no plan.

    Args:
      game: Goal and rules.
      view: The true state.
      failures: Number of failed attempts by slots.
    """
    key = (game, view.trial, view.slot_types.tobytes(), sum(failures.values()))
    if key != self._key or view.step == 0:
      self._key, self._step = key, _next_step(game, view, failures)
    return self._step


def _next_step(
  game: symbolic.SymbolicGame,
  view: land.WorldView,
  failures: Mapping[tuple[int, ...], int],
) -> NextStep | None:
  counts = symbolic.count_types(view.slot_types.tolist())
  plans = planner.alternatives(game, counts)
  if not plans:
    return None
  ground = navigate.ground_of(view.heights, view.ramps)
  plan, slots = routes.shortest(view, ground, game, plans, failures)
  wanted = game.rules[plan.rules[0]][0] if plan.rules else game.goal
  harm = planner.harm(game, counts)
  avoid = tuple(
    condition
    for (condition, _), cost in zip(game.rules, harm, strict=True)
    if cost > _MIN_HARM and not condition.negated and condition != wanted
  )
  return NextStep(wanted, avoid, not plan.rules, slots)
