"""The choice of the plan that is carried out soonest.

Plans are simulated: for each of a plan's conditions the nearest objects are
fetched and carried, and the spawns of a rule appear where it fired. Two avatars
share the work: each condition is made true by the avatar that it names, or by
the one that does it sooner, and meanwhile the other one prepares what it does
next.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from adaland.envs import land
from adaland.envs.expert.ways import distances, navigate
from adaland.envs.tasks.planner import Plan
from adaland.envs.tasks.symbolic import SymbolicGame

# Metres that one unit of a plan's own cost is worth.
_RISK_METRES = 2.0
# Choices of objects that are simulated for each condition.
_BRANCHES = 2


def shortest(
  view: land.WorldView,
  ground: navigate.Ground,
  game: SymbolicGame,
  plans: Sequence[Plan],
  failures: Mapping[distances.Slots, int],
  num_avatars: int = 1,
) -> tuple[Plan, tuple[distances.Step, ...], np.ndarray]:
  """Returns the plan that is done soonest, and its steps, the goal last.

  Args:
    view: The true state.
    ground: The map of the world.
    game: Goal and rules.
    plans: Plans to choose from, at least one.
    failures: Number of failed attempts by slots, the carried one first.
    num_avatars: Number of avatars that share the work.

  Returns:
    The plan, its steps, none if there is nothing to do, and the positions to
    which they refer, [K, 3].
  """
  measured = distances.Map(view, ground, num_avatars)
  best: tuple[float, Plan, tuple[distances.Step, ...]] = (
    float("inf"),
    plans[0],
    (),
  )
  for plan in plans:
    metres, steps = _follow(
      measured, measured.start, game, plan.rules, failures
    )
    cost = metres + _RISK_METRES * plan.cost
    if cost < best[0]:
      best = (cost, plan, steps)
  return best[1], best[2], measured.at


def _follow(
  measured: distances.Map,
  state: distances.State,
  game: SymbolicGame,
  rules: tuple[int, ...],
  failures: Mapping[distances.Slots, int],
) -> tuple[float, tuple[distances.Step, ...]]:
  """Returns the metres of a plan, and its steps."""
  wanted = game.rules[rules[0]][0] if rules else game.goal
  best: tuple[float, tuple[distances.Step, ...]] = (float("inf"), ())
  for metres, items, step, after in measured.options(state, wanted, failures)[
    :_BRANCHES
  ]:
    later: tuple[distances.Step, ...] = ()
    if rules:
      fired = _fire(after, items, step.avatar, game.rules[rules[0]][1])
      more, later = _follow(measured, fired, game, rules[1:], failures)
      metres += more
    if metres < best[0]:
      best = metres, (step, *later)
  return best


def _fire(
  state: distances.State,
  consumed: tuple[distances.Item, ...],
  by: int,
  spawns: tuple[int, ...],
) -> distances.State:
  """Returns the state after a rule fired, with its spawns where it fired."""
  place = consumed[-1].place if consumed else state.avatars[by].place
  kept = tuple(item for item in state.items if item not in consumed)
  made = tuple(distances.Item(kind, place, -1) for kind in spawns)
  avatars = tuple(
    avatar._replace(held=None) if avatar.held in consumed else avatar
    for avatar in state.avatars
  )
  return state._replace(items=kept + made, avatars=avatars)
