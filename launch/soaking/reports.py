"""Laws about the game's reports: rewards, and contacts within steps.

P: players, S: slots; nodes are numbered players first.
"""

from typing import Final

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.physics import overlap
from adaland.envs.tasks.literals import Literal, Player
from adaland.launch.soaking import bodies
from adaland.launch.soaking.transitions import Broken, Transition

# Contacts are within 1 mm, and the states that laws read are rounded.
_SURELY_TOUCHING: Final = 0.0008
_SURELY_APART: Final = 0.5
_ROUNDING: Final = 1e-4


def rewarded(t: Transition) -> Broken:
  """Checks rewards against the states, and their sums."""
  rows = np.arange(len(t.tasks))
  summed = t.after.trial_rewards[rows, t.trial]
  apart_ = np.abs(summed - t.trial_reward) > _ROUNDING
  for env, player in np.argwhere(apart_ & ~t.first[:, None]):
    yield (
      int(env),
      f"player {player + 1} has {summed[env, player]:.4f} s in the trial, its "
      f"steps {t.trial_reward[env, player]:.4f} s",
    )
  for env in np.flatnonzero(t.steady & ~t.after.fired.any(1)):
    for player, spec in enumerate(t.tasks[env].players):
      met = _holds(spec.goal, t, env)
      given = t.reward[env, player] > 0
      if met is not None and met != given:
        yield (
          int(env),
          f"player {player + 1} {'got' if given else 'did not get'} its "
          f"reward, but {spec.goal} is {str(met).lower()}",
        )


def _holds(literal: Literal, t: Transition, env: int) -> bool | None:
  """Returns whether a literal holds after a step; None if unknown."""
  view = t.after
  num_players = view.player_pos.shape[1]
  types = np.concatenate(
    [constants.PLAYER_TYPE_IDS[:num_players], view.slot_types[env]]
  )
  firsts, seconds = (
    np.flatnonzero(types == argument.type_id) for argument in literal.arguments
  )
  related = np.zeros((len(types), len(types)), bool)
  if literal.predicate == "near":
    # In single precision, as the game measures.
    lift = np.array([0.0, 0.0, constants.AVATAR_HEIGHT / 2], np.float32)
    centres = np.concatenate(
      [view.player_pos[env] + lift, view.object_pos[env]]
    )
    gap = np.linalg.norm(centres[:, None] - centres, axis=-1)
    close = np.abs(gap - constants.NEAR_METRES)[np.ix_(firsts, seconds)]
    if close.size and close.min() < _ROUNDING:
      return None
    related = gap <= constants.NEAR_METRES
  elif literal.predicate == "touching":
    related = t.touching[env]
  elif literal.predicate == "hold":
    for player, slot in enumerate(view.held[env]):
      related[player, num_players + slot] = slot >= 0
  elif isinstance(literal.a, Player):
    related[:num_players] = view.visible[env]
  else:
    return None  # Visibility between objects is not part of the state.
  related = related & ~np.eye(len(types), dtype=bool)
  return bool(related[np.ix_(firsts, seconds)].any()) != literal.negated


def sensed(t: Transition) -> Broken:
  """Checks contacts within the step against the poses at its ends.

  Nodes that touch when a step begins are in contact in that step; nodes in
  contact in a step are close at its beginning or end.
  """
  num_players = t.after.player_pos.shape[1]
  for env in np.flatnonzero(t.steady & ~t.after.fired.any(1)):
    literals = [player.goal for player in t.tasks[env].players]
    literals += [rule.condition for rule in t.tasks[env].rules]
    pairs = {
      (x.a.type_id, x.b.type_id) for x in literals if x.predicate == "touching"
    }
    if not pairs:
      continue
    pairs |= {(b, a) for a, b in pairs}
    types = np.concatenate(
      [constants.PLAYER_TYPE_IDS[:num_players], t.before.slot_types[env]]
    )
    begin = bodies.of(t.before, env, {kind for pair in pairs for kind in pair})
    for a, b, _ in overlap.find(begin, least=-_SURELY_TOUCHING):
      at_rest = a >= num_players and t.before.frozen[env, a - num_players]
      at_rest = at_rest and t.before.frozen[env, b - num_players]
      watched = (types[a], types[b]) in pairs
      if watched and not at_rest and not t.touching[env, a, b]:
        yield int(env), f"nodes {a} and {b} touch, which was not sensed"
    for a, b in np.argwhere(np.triu(t.touching[env])):
      gaps = [
        float(np.linalg.norm(centres[a] - centres[b])) - _radius(types[[a, b]])
        for centres in (
          bodies.centres(t.before, env),
          bodies.centres(t.after, env),
        )
      ]
      if min(gaps) > _SURELY_APART:
        yield int(env), f"nodes {a} and {b} are in contact but far apart"


def _radius(types: np.ndarray) -> float:
  """Returns the sum of the bounding radii of nodes."""
  return sum(
    shapes.shape_of_type(int(kind)).bounding_radius
    if kind <= constants.NUM_OBJECT_TYPES
    else constants.AVATAR_HEIGHT / 2
    for kind in types
  )
