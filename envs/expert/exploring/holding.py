"""Conditions that hold, or may hold, according to what a player has seen."""

from collections.abc import Iterator

import numpy as np

from adaland.envs import constants, land, shapes
from adaland.envs.expert.exploring import sights
from adaland.envs.expert.exploring.beliefs import PLAYER
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.symbolic import Condition

# Positions are known up to rounding. Contacts are not seen, so shapes count as
# balls: the smallest ball around a shape or the largest one inside it.
_SURELY_NEAR = 0.98 * constants.NEAR_METRES
_STEP_METRES = constants.WALK_SPEED * constants.STEP_SECONDS
_MAYBE_NEAR = 1.02 * constants.NEAR_METRES + _STEP_METRES
_BODY = np.array([0, 0, constants.AVATAR_HEIGHT / 2])
_PREDICATES = ("near", "touching", "see")


def surely(
  seen: sights.Sights, view: land.WorldView, ground: navigate.Ground
) -> set[Condition]:
  """Returns the conditions that surely hold for the objects in view."""
  slots = np.flatnonzero(seen.fresh)
  types, at = seen.types[slots].tolist(), seen.pos[slots]
  body = np.linalg.norm(at - view.player_pos[0] - _BODY, axis=1)
  held = int(view.held[0])
  found: set[Condition] = set()
  for k, kind in enumerate(types):
    found.add(Condition("see", PLAYER, kind))
    if slots[k] == held:
      found.add(Condition("hold", PLAYER, kind))
    if body[k] < _SURELY_NEAR:
      found.add(Condition("near", PLAYER, kind))
  gaps = np.linalg.norm(at[:, None] - at[None], axis=-1)
  inner = [_inner_radius(kind) for kind in types]
  for i, j in zip(*np.triu_indices(len(slots), 1), strict=True):
    a, b = sorted((types[i], types[j]))
    if gaps[i, j] < _SURELY_NEAR:
      found.add(Condition("near", a, b))
    if gaps[i, j] < inner[i] + inner[j]:
      found.add(Condition("touching", a, b))
    if gaps[i, j] < _SURELY_NEAR and navigate.in_sight(
      ground, at[i][None], at[j]
    ):
      found.add(Condition("see", a, b))
  return found


def causes(
  lost: dict[int, int],
  beside: dict[int, int],
  before: np.ndarray,
  view: land.WorldView,
  gripping: bool,
) -> list[Condition]:
  """Returns conditions that may explain lost objects, the likeliest first.

  Args:
    lost: Types of the objects that are gone, by slot.
    beside: Types of objects that are out of view and may be gone too, by slot.
    before: The objects' positions before, metres, float [S, 3].
    view: The state after the event.
    gripping: Whether the hand closed in this step.
  """
  slots = list(lost)
  found: list[Condition] = []
  for i, slot in enumerate(slots):
    for other in slots[i + 1 :]:
      gap = float(np.linalg.norm(before[slot] - before[other]))
      found += _pair(lost[slot], lost[other], gap)
  single = list(_single(lost, before, view, gripping))
  doubtful = [
    condition
    for slot in slots
    for other, kind in beside.items()
    for condition in _pair(
      lost[slot], kind, float(np.linalg.norm(before[slot] - before[other]))
    )
    if condition.predicate != "see" and not condition.negated
  ]
  if gripping:
    return found + single + doubtful
  return found + doubtful + single


def _pair(a: int, b: int, gap: float) -> Iterator[Condition]:
  close = gap < _MAYBE_NEAR + _STEP_METRES
  a, b = min(a, b), max(a, b)
  for predicate in _PREDICATES:
    if close or predicate == "see":
      yield Condition(predicate, a, b)
  for predicate in _PREDICATES:
    yield Condition(predicate, a, b, negated=True)


def _single(
  lost: dict[int, int],
  before: np.ndarray,
  view: land.WorldView,
  gripping: bool,
) -> Iterator[Condition]:
  centre = view.player_pos[0] + _BODY
  for slot, kind in lost.items():
    gap = np.linalg.norm(before[slot] - centre)
    if gripping and gap < constants.REACH_METRES + _STEP_METRES:
      yield Condition("hold", PLAYER, kind)
    if gap < _MAYBE_NEAR:
      yield Condition("near", PLAYER, kind)
      yield Condition("touching", PLAYER, kind)
    yield Condition("see", PLAYER, kind)
    for predicate in ("see", "near", "touching", "hold"):
      yield Condition(predicate, PLAYER, kind, negated=True)


def _inner_radius(kind: int) -> float:
  """Returns the radius of the largest ball in an object, metres."""
  return min(shapes.shape_of_type(kind).half_extents)
