"""Laws of the worlds, which hold at every step whatever players do.

A law is a pure function of a transition that yields each environment in which
it is broken, with the reason. `LAWS` is the table: one row adds a law.

P: players, S: slots; nodes are numbered players first.
"""

import collections
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from adaland.envs import constants, land, shapes
from adaland.envs.physics import overlap
from adaland.envs.tasks.literals import Literal, Player
from adaland.launch.soaking import bodies, transitions
from adaland.launch.soaking.transitions import Transition

Broken = Iterator[tuple[int, str]]
Law = Callable[[Transition], Broken]

_OVERLAP_METRES: Final = 0.02  # At starts and spawns.
_CENTRE_METRES: Final = 0.03  # Least distance of a centre from any surface.
_PRESSED_METRES: Final = 0.25
_SUBSTEPS: Final = 4  # Fewer than there are, as bodies get faster in a step.
_FEET_METRES: Final = 0.1  # Most that feet are below the ground.
_STEP_ASIDE: Final = 0.1  # Metres within which the lowest ground counts.
_STILL_STEPS: Final = 4
_SUPPORT_METRES: Final = 0.02
_PARKED_METRES: Final = -50.0  # Empty slots are below this.
# Contacts are within 1 mm; the states that laws read are rounded.
_SURELY_TOUCHING: Final = 0.0008
_SURELY_APART: Final = 0.5
_ROUNDING: Final = 1e-4


def finite(t: Transition) -> Broken:
  """Checks that there are no infinities and no NaN."""
  good = np.ones(len(t.tasks), bool)
  view = t.after
  for array in (view.object_pos, view.object_quat, view.player_pos, t.reward):
    good &= np.isfinite(array).reshape(len(good), -1).all(1)
  for env in np.flatnonzero(~good):
    yield int(env), "a position, an orientation or a reward is not finite"


def counted(t: Transition) -> Broken:
  """Checks that objects come and go by rules that fired alone."""
  changed = (t.before.slot_types != t.after.slot_types).any(1)
  for env in np.flatnonzero(t.steady & (changed | t.after.fired.any(1))):
    wanted = collections.Counter(_used(t.before.slot_types[env]))
    for index in np.flatnonzero(t.after.fired[env]):
      rule = t.tasks[env].rules[index]
      wanted.subtract(kind.type_id for kind in rule.condition.object_types)
      wanted.update(kind.type_id for kind in rule.spawns)
    found = collections.Counter(_used(t.after.slot_types[env]))
    lost = int(t.dropped[env])
    missing = {k: n - found[k] for k, n in wanted.items() if n != found[k]}
    surplus = any(n < 0 for n in missing.values()) or set(found) - set(wanted)
    if surplus or sum(missing.values()) != lost:
      yield (
        int(env),
        f"types {sorted(wanted.elements())} should be there with {lost} "
        f"dropped, found {sorted(found.elements())}",
      )


def _used(slot_types: np.ndarray) -> list[int]:
  return slot_types[slot_types > 0].tolist()


def inside(t: Transition) -> Broken:
  """Checks that nothing leaves the arena or sinks into its ground.

  A body enters what it hits by the way of one substep before it is stopped: a
  held object, which the hand speeds up, by up to _PRESSED_METRES.
  """
  view = t.after
  way = np.linalg.norm(view.object_pos - t.before.object_pos, axis=-1)
  pressed = _held(t.before) | _held(view)
  slack = np.minimum(way / _SUBSTEPS, _PRESSED_METRES)
  slack = np.where(pressed, _PRESSED_METRES, slack)
  slack = np.where(t.steady[:, None], slack, 0.0)
  sunk = _beyond(view, view.object_pos) > slack - _CENTRE_METRES
  for env, slot in np.argwhere(sunk & (view.slot_types > 0)):
    at = np.round(view.object_pos[env, slot], 3).tolist()
    yield int(env), f"slot {slot} is outside the world, at {at}"
  way = np.linalg.norm(view.player_pos - t.before.player_pos, axis=-1)
  slack = np.where(t.steady[:, None], way / _SUBSTEPS, 0.0)
  sunk = _beyond(view, view.player_pos) > slack + _FEET_METRES
  for env, player in np.argwhere(sunk):
    at = np.round(view.player_pos[env, player], 3).tolist()
    yield int(env), f"player {player + 1} is outside the world, at {at}"


def _held(view: land.BatchView) -> np.ndarray:
  """Returns the objects that are held, bool [N, S]."""
  slots = np.arange(view.slot_types.shape[1])
  return (view.held[:, :, None] == slots).any(1)


def _beyond(view: land.BatchView, at: np.ndarray) -> np.ndarray:
  """Returns how far points, [N, K, 3], are in the ground or out of the arena.

  The lowest ground around counts, so that a body in contact with a cliff is
  not inside it.
  """
  half = view.tiles[:, None] * constants.TILE_METRES / 2
  around = _STEP_ASIDE * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
  ground = np.min(
    [transitions.surface(view, at[..., :2] + aside) for aside in around], axis=0
  )
  out = (np.abs(at[..., :2]) - half).max(-1)
  return np.maximum(out, ground - at[..., 2])


def apart(t: Transition) -> Broken:
  """Checks that nothing starts or is spawned inside anything else."""
  starts = t.first | t.restarted
  spawned = t.steady[:, None] & (t.after.slot_types > 0)
  spawned &= t.before.slot_types != t.after.slot_types
  num_players = t.after.player_pos.shape[1]
  for env in np.flatnonzero(starts | spawned.any(1)):
    new = np.ones(num_players + spawned.shape[1], bool)
    if not starts[env]:
      new = np.concatenate([np.zeros(num_players, bool), spawned[env]])
    for a, b, depth in overlap.find(
      bodies.of(t.after, env), least=_OVERLAP_METRES
    ):
      frozen = t.after.frozen[env]
      both = min(a, b) >= num_players and frozen[a - num_players]
      both = both and frozen[b - num_players]
      if (new[a] or new[b]) and not both:
        yield (
          int(env),
          f"nodes {a} and {b} appear {depth:.3f} m inside each other",
        )


def gone(t: Transition) -> Broken:
  """Checks that nobody sees, holds or touches what is not there."""
  view = t.after
  num_players = view.player_pos.shape[1]
  empty = view.slot_types == 0
  seen = view.visible[:, :, num_players:].any(1)
  touched = t.touching[:, num_players:].any(2)
  present = view.object_pos[..., 2] > _PARKED_METRES
  for what, broken in (
    ("seen", seen),
    ("touched", touched & t.steady[:, None]),
    ("held", _held(view)),
    ("in the world", present),
  ):
    for env, slot in np.argwhere(broken & empty):
      yield int(env), f"the empty slot {slot} is {what}"


def supported(t: Transition) -> Broken:
  """Checks that what rests on nothing falls."""
  view = t.after
  rests = (view.slot_types > 0) & ~view.frozen & ~_held(view)
  rests &= t.still >= _STILL_STEPS
  rests &= ~_on_ground(view, rests)
  num_players = view.player_pos.shape[1]
  for env in np.flatnonzero(rests.any(1)):
    found = overlap.find(bodies.of(view, env), least=-_SUPPORT_METRES)
    borne = {node for a, b, _ in found for node in (a, b)}
    for slot in np.flatnonzero(rests[env]):
      if num_players + slot not in borne:
        where = np.round(view.object_pos[env, slot], 3).tolist()
        yield int(env), f"slot {slot} rests on nothing at {where}"


def _on_ground(view: land.BatchView, which: np.ndarray) -> np.ndarray:
  """Returns the objects that stand on the ground, bool [N, S]."""
  result = np.zeros(which.shape, bool)
  for env in np.flatnonzero(which.any(1)):
    for slot in np.flatnonzero(which[env]):
      points = bodies.surface_points(view, env, slot)
      row = land.BatchView(*(array[env : env + 1] for array in view))
      ground = transitions.surface(row, points[None, :, :2])[0]
      result[env, slot] = (points[:, 2] - ground).min() <= _SUPPORT_METRES
  return result


def rewarded(t: Transition) -> Broken:
  """Checks rewards against a recount from the states, and their sums."""
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
  """Returns whether a literal holds after a step, None if it can't be told."""
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
    return None  # Who sees whom among objects is not part of the state.
  related = related & ~np.eye(len(types), dtype=bool)
  return bool(related[np.ix_(firsts, seconds)].any()) != literal.negated


def repeated(t: Transition) -> Broken:
  """Checks that all trials of an episode start in the same state, exactly."""
  for name in ("slot_types", "frozen", "object_pos", "object_quat"):
    now, then = getattr(t.after, name), getattr(t.start, name)
    different = (now != then).reshape(len(now), -1).any(1)
    for env in np.flatnonzero(different & t.restarted):
      yield int(env), f"{name} differs from the first trial's start"
  moved = (t.after.player_pos != t.start.player_pos).any((1, 2))
  for env in np.flatnonzero(t.restarted & (moved | (t.after.held >= 0).any(1))):
    yield int(env), "a player starts elsewhere, or with an object in hand"


def sensed(t: Transition) -> Broken:
  """Checks contacts within the step against the poses at its ends.

  What touches when a step begins is in contact in that step; what is in
  contact in a step is close at its begin or at its end.
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


LAWS: Final[Mapping[str, Law]] = {
  "finite": finite,
  "counted": counted,
  "inside": inside,
  "apart": apart,
  "gone": gone,
  "supported": supported,
  "rewarded": rewarded,
  "repeated": repeated,
  "sensed": sensed,
}
