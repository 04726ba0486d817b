"""Laws of the worlds, which hold at every step, whatever the players do.

A law is a pure function of a transition that yields each environment in which
it is broken, with the reason. `LAWS` is the table: a new law is a new row.

P: players, S: slots; nodes are numbered players first.
"""

import collections
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from adaland.envs import constants, land
from adaland.envs.physics import overlap
from adaland.launch.soaking import bodies, reports, transitions
from adaland.launch.soaking.transitions import Broken, Transition

Law = Callable[[Transition], Broken]

_OVERLAP_METRES: Final = 0.02  # At starts and spawns.
_CENTRE_METRES: Final = 0.03  # Minimum distance of a centre from any surface.
_PRESSED_METRES: Final = 0.25
_SUBSTEPS: Final = 4  # Fewer than there are, as bodies speed up in a step.
_FEET_METRES: Final = 0.1  # Maximum depth of feet below the ground.
_STEP_ASIDE: Final = 0.1  # Metres within which the lowest ground counts.
_STILL_STEPS: Final = 4
_SUPPORT_METRES: Final = 0.02
_PARKED_METRES: Final = -50.0  # Empty slots are below this.


def finite(t: Transition) -> Broken:
  """Checks that there are no infinities or NaNs."""
  good = np.ones(len(t.tasks), bool)
  view = t.after
  for array in (view.object_pos, view.object_quat, view.player_pos, t.reward):
    good &= np.isfinite(array).reshape(len(good), -1).all(1)
  for env in np.flatnonzero(~good):
    yield int(env), "a position, an orientation or a reward is not finite"


def counted(t: Transition) -> Broken:
  """Checks that objects appear and disappear only by rules that fired."""
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

  Before it is stopped, a body penetrates an obstacle by the distance of one
  substep at the speed of the step before; a held object, which the hand speeds
  up, by up to _PRESSED_METRES.
  """
  view = t.after
  pressed = _held(t.before) | _held(view)
  slack = np.minimum(t.way / _SUBSTEPS, _PRESSED_METRES)
  slack = np.where(pressed, _PRESSED_METRES, slack)
  slack = np.where(t.steady[:, None], slack, 0.0)
  sunk = _beyond(view, view.object_pos, slack) > slack - _CENTRE_METRES
  for env, slot in np.argwhere(sunk & (view.slot_types > 0)):
    at = np.round(view.object_pos[env, slot], 3).tolist()
    yield int(env), f"slot {slot} is outside the world, at {at}"
  way = np.linalg.norm(view.player_pos - t.before.player_pos, axis=-1)
  slack = np.where(t.steady[:, None], way / _SUBSTEPS, 0.0)
  sunk = _beyond(view, view.player_pos, slack) > slack + _FEET_METRES
  for env, player in np.argwhere(sunk):
    at = np.round(view.player_pos[env, player], 3).tolist()
    yield int(env), f"player {player + 1} is outside the world, at {at}"


def _held(view: land.BatchView) -> np.ndarray:
  """Returns the objects that are held, bool [N, S]."""
  slots = np.arange(view.slot_types.shape[1])
  return (view.held[:, :, None] == slots).any(1)


def _beyond(
  view: land.BatchView, at: np.ndarray, slack: np.ndarray
) -> np.ndarray:
  """Returns how far points are in the ground or outside the arena.

  The lowest ground around a point counts, so that a body in contact with a
  cliff, or pressed into it no deeper than into the ground, is not inside it.

  Args:
    view: The state.
    at: Points, [N, K, 3].
    slack: How deep each may be, metres, [N, K].

  Returns:
    The depths, metres, [N, K].
  """
  half = view.tiles[:, None] * constants.TILE_METRES / 2
  aside = np.maximum(slack, _STEP_ASIDE)[..., None]
  ground = np.min(
    [
      transitions.surface(view, at[..., :2] + aside * np.array(direction))
      for direction in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    ],
    axis=0,
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
  """Checks that nobody sees, holds or touches objects that are not there."""
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
  """Checks that unsupported objects fall."""
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


def repeated(t: Transition) -> Broken:
  """Checks that all trials of an episode start in exactly the same state."""
  for name in ("slot_types", "frozen", "object_pos", "object_quat"):
    now, then = getattr(t.after, name), getattr(t.start, name)
    different = (now != then).reshape(len(now), -1).any(1)
    for env in np.flatnonzero(different & t.restarted):
      yield int(env), f"{name} differs from the first trial's start"
  moved = (t.after.player_pos != t.start.player_pos).any((1, 2))
  for env in np.flatnonzero(t.restarted & (moved | (t.after.held >= 0).any(1))):
    yield int(env), "a player starts elsewhere or with an object in hand"


LAWS: Final[Mapping[str, Law]] = {
  "finite": finite,
  "counted": counted,
  "inside": inside,
  "apart": apart,
  "gone": gone,
  "supported": supported,
  "rewarded": reports.rewarded,
  "repeated": repeated,
  "sensed": reports.sensed,
}
