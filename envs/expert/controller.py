"""Brings about one condition with one avatar: walk, grip, carry, face.

The controller sees the truth (`WorldView`) but acts only through the six
action heads. Each step it is told the condition wanted and the conditions not
to bring about on the way, and gives one action.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from envs import constants, land, shapes
from envs.expert import navigate, steering, walker
from envs.expert.planner import Condition

# Where one stands to grip, or to put one object beside another: metres along
# the ground from the object, and from the eye to it.
_STAND_METRES = (0.75, 1.5)
_EYE_METRES = 1.8
# Angle off the view axis at which the hand reliably takes what is aimed at.
_AIM_RADIANS = 0.3
# Pitch and distance of a carried object: above the ground, close to the body.
_CARRY_PITCH = -0.1
_CARRY_METRES = 0.85
# Inside this distance of centres a `near` is settled, outside the next it is
# undone; halfway lies NEAR_METRES.
_SETTLED_METRES = 0.9 * constants.NEAR_METRES
_APART_METRES = 1.6
# Steps for one attempt before another pair or another way is tried.
_PATIENCE_STEPS = 70
_VIEW_METRES = 6.0
# Along the ground: what is held counts as above another inside the first, and
# the other is out of the hand's comfortable reach beyond the second.
_ALIGNED_METRES = 0.16
_FAR_METRES = 1.6
_LOOK_STEP = constants.LOOK_RATE * constants.STEP_SECONDS
_HAND_STEP = constants.HAND_RATE * constants.STEP_SECONDS


class Controller:
  """Acts for player 1 of one environment."""

  def __init__(self, rng: np.random.Generator):
    self._walker = walker.Walker(rng)
    self.reset()

  def reset(self) -> None:
    """Forgets everything, at the start of a trial."""
    self._walker.reset()
    self._errand: tuple[Condition, tuple[int, ...]] | None = None
    self._attempt_steps = 0
    self._failures: dict[tuple[int, ...], int] = {}

  def act(
    self,
    view: land.WorldView,
    wanted: Condition,
    avoid: Sequence[Condition],
    satisfied: bool = False,
  ) -> tuple[int, ...]:
    """One action towards a condition.

    Args:
      view: The truth about the environment.
      wanted: What shall hold.
      avoid: What shall not come about meanwhile.
      satisfied: Whether it holds already and shall go on to.

    Returns:
      An index for each head.
    """
    action = steering.Action()
    if satisfied:
      action.grip = int(view.held[0] >= 0)
      return action.indices
    self._level_gaze(view, action)
    if wanted.negated:
      self._undo(view, action, wanted, avoid)
    else:
      self._bring_about(view, action, wanted, avoid)
    return action.indices

  # --- What is wanted ------------------------------------------------------

  def _bring_about(self, view, action, wanted, avoid) -> None:
    slots = self._choose(view, wanted, avoid)
    if slots is None:
      return
    if len(slots) == 2:
      self._put_beside(view, action, wanted, slots[0], slots[1], avoid)
      return
    slot = slots[0]
    second_try = self._failures.get(slots, 0) % 2 == 1
    if wanted.predicate == "hold":
      self._fetch(view, action, slot, avoid)
    elif wanted.predicate == "see":
      self._face(view, action, slot, avoid)
    elif wanted.predicate == "near" and (
      not second_try or self._must_not_hold(view, slot, avoid)
    ):
      self._walk_up_to(view, action, slot, avoid)
    elif wanted.predicate == "touching" and (
      second_try or self._must_not_hold(view, slot, avoid)
    ):
      self._bump(view, action, slot, avoid)
    else:
      self._pull_close(view, action, slot, avoid)

  def _undo(self, view, action, wanted, avoid) -> None:
    """Makes a relation false."""
    types = wanted.object_types
    slots = [np.flatnonzero(view.slot_types == t) for t in types]
    if wanted.predicate == "hold":
      return  # The open hand of the no-op does.
    if len(types) == 1:
      if wanted.predicate == "see":
        self._look_away(view, action, slots[0])
      else:
        self._keep_away(view, action, slots[0], avoid)
      return
    pairs = [(i, j) for i, j in itertools.product(*slots) if i != j]
    if not pairs:
      return
    if wanted.predicate == "see":
      self._stand_between(view, action, pairs, avoid)
    else:
      self._separate(view, action, pairs, avoid)

  def _choose(self, view, wanted, avoid) -> tuple[int, ...] | None:
    """The instances to use: those of the last step, else the nearest."""
    types = wanted.object_types
    candidates = [
      tuple(int(s) for s in slots)
      for slots in itertools.product(
        *(np.flatnonzero(view.slot_types == t) for t in types)
      )
      if len(set(slots)) == len(types)
    ]
    # Either of the two may be the one that is carried.
    candidates += [pair[::-1] for pair in candidates if len(pair) == 2]
    if not candidates:
      return None
    errand = self._errand
    if errand is not None and errand[0] == wanted and errand[1] in candidates:
      self._attempt_steps += 1
      if self._attempt_steps <= _PATIENCE_STEPS:
        return errand[1]
      self._failures[errand[1]] = self._failures.get(errand[1], 0) + 1
    slots = min(candidates, key=lambda s: self._effort(view, wanted, s, avoid))
    self._errand, self._attempt_steps = (wanted, slots), 0
    return slots

  def _effort(self, view, wanted, slots, avoid) -> float:
    """Rough metres to walk, for the choice among instances."""
    at = view.object_pos
    effort = 10.0 * self._failures.get(slots, 0)
    held = int(view.held[0])
    if held != slots[0]:
      effort += float(np.linalg.norm(at[slots[0]] - view.player_pos[0]))
      if held >= 0:
        effort += 2.0
    if len(slots) == 2:
      effort += float(np.linalg.norm(at[slots[0]] - at[slots[1]]))
      if view.frozen[slots[0]]:
        effort += 1000.0
      if self._must_not_hold(view, slots[0], avoid):
        effort += 100.0
    return effort

  def _must_not_hold(self, view, slot, avoid) -> bool:
    held_type = int(view.slot_types[slot])
    player = constants.PLAYER_TYPE_IDS[0]
    return Condition("hold", player, held_type) in avoid

  # --- Skills --------------------------------------------------------------

  def _fetch(self, view, action, slot, avoid) -> bool:
    """Gets a certain object into the hand; whether it is there."""
    if view.held[0] == slot:
      action.grip = 1
      self._carry_pose(view, action)
      return True
    if view.held[0] >= 0:
      return False  # The open hand drops it.
    reach = self._eye_distance(view, slot)
    in_reach = reach < _EYE_METRES + 0.1 and view.visible[0, 1 + slot]
    if in_reach and self._aimed_at(view) == slot:
      action.grip = 1
    target = view.object_pos[slot]
    ends = self._stands(view, target)
    if self._walker.go(
      view,
      action,
      ("fetch", slot),
      target,
      ends,
      [slot],
      avoid,
      self._bearing(view, target) if reach < 3 else None,
    ):
      if self._aim(view, action, target) and not action.grip:
        self._step_towards(view, action, target)
    elif reach < 3:
      self._aim_pitch(view, action, target)
    return False

  def _put_beside(self, view, action, wanted, carried, other, avoid) -> None:
    """Carries one object to another until they are near, or touch."""
    if not self._fetch(view, action, carried, avoid):
      return
    at, goal = view.object_pos[carried], view.object_pos[other]
    gap = float(np.linalg.norm(at - goal))
    touch = wanted.predicate == "touching"
    if not touch and gap < _SETTLED_METRES:
      self._hold_still(action)
      return
    there = self._walker.go(
      view,
      action,
      ("carry", carried, other),
      goal,
      self._stands(view, goal),
      [carried, other],
      avoid,
    )
    if not there and self._eye_distance(view, other) > _STAND_METRES[1]:
      return
    self._hold_still(action)
    if touch and self._failures.get((carried, other), 0) % 2 == 0:
      self._press_down(view, action, carried, other)
    else:
      self._aim(view, action, goal)
      self._reach_out(view, action, other, touch)

  def _reach_out(self, view, action, other, touch) -> None:
    """Moves the hand, then the feet, until what is held meets another."""
    distance = self._eye_distance(view, other)
    if view.hand_distance[0] < min(distance, constants.REACH_METRES - 0.1):
      action.hand = 2
    if touch or view.hand_distance[0] > distance - 0.2 or distance > 1.6:
      self._step_towards(view, action, view.object_pos[other])

  def _press_down(self, view, action, carried, other) -> None:
    """Lowers what is held onto another, so that it can't be pushed away."""
    at, goal = view.object_pos[carried], view.object_pos[other]
    eye = walker.eye_of(view)
    far = math.hypot(*(goal - eye)[:2])
    gap = math.hypot(*(at - goal)[:2])
    if gap < _ALIGNED_METRES and at[2] > goal[2]:
      action.look = 0
      pitch = float(view.pitch[0]) - _LOOK_STEP
    else:
      radii = [
        shapes.shape_of_type(int(view.slot_types[slot])).bounding_radius
        for slot in (carried, other)
      ]
      self._aim(view, action, goal + np.array([0, 0, sum(radii)]))
      pitch = float(view.pitch[0]) + (action.look - 1) * _LOOK_STEP
    steering.turn_towards(
      action,
      steering.wrap(self._bearing(view, goal) - float(view.yaw[0])),
      gentle=True,
    )
    error = far / math.cos(pitch) - float(view.hand_distance[0])
    if abs(error) > _HAND_STEP / 2:
      action.hand = 2 if error > 0 else 0
    if far < constants.HAND_MIN_METRES:
      action.move = 0
    elif far > _FAR_METRES:
      self._step_towards(view, action, goal)

  def _walk_up_to(self, view, action, slot, avoid) -> None:
    """Stands near an object."""
    target = view.object_pos[slot]
    centre = view.player_pos[0] + [0, 0, constants.AVATAR_HEIGHT / 2]
    if np.linalg.norm(centre - target) < _SETTLED_METRES:
      return
    ground = self._walker.ground(view)
    distance = np.linalg.norm(ground.centres - target[:2], axis=1)
    height = ground.height + constants.AVATAR_HEIGHT / 2 - target[2]
    ends = np.flatnonzero(np.hypot(distance, height) < 0.85)
    if not len(ends):
      ends = self._stands(view, target)
    if self._walker.go(
      view, action, ("near", slot), target, ends, [slot], avoid
    ):
      self._step_towards(view, action, target)

  def _pull_close(self, view, action, slot, avoid) -> None:
    """Holds an object and draws it against the body."""
    if not self._fetch(view, action, slot, avoid):
      return
    action.look = 0
    action.hand = 0

  def _bump(self, view, action, slot, avoid) -> None:
    """Walks into an object."""
    target = view.object_pos[slot]
    ends = np.array([self._walker.ground(view).cell_of(target[:2])])
    if self._walker.go(
      view, action, ("bump", slot), target, ends, [slot], avoid
    ):
      self._step_towards(view, action, target)

  def _face(self, view, action, slot, avoid) -> None:
    """Has an object in view."""
    target = view.object_pos[slot]
    eye = walker.eye_of(view)
    ground = self._walker.ground(view)
    if self._eye_distance(view, slot) < _VIEW_METRES and bool(
      navigate.in_sight(ground, eye[None], target)[0]
    ):
      self._aim(view, action, target)
      if self._attempt_steps < 12 or view.visible[0, 1 + slot]:
        return
    self._walker.go(
      view,
      action,
      ("face", slot),
      target,
      self._stands(view, target),
      [slot],
      avoid,
    )

  def _keep_away(self, view, action, slots, avoid) -> None:
    """Stands far from some objects."""
    if not len(slots):
      return
    at = view.object_pos[slots]
    if np.min(np.linalg.norm(at - view.player_pos[0], axis=1)) > _APART_METRES:
      return
    ends = self._clear_cells(view, at)
    self._walker.go(view, action, "away", view.player_pos[0], ends, [], avoid)

  def _look_away(self, view, action, slots) -> None:
    """Turns to where none of some objects is in view."""
    if not len(slots):
      return
    offset = view.object_pos[slots] - walker.eye_of(view)
    bearing = np.arctan2(offset[:, 1], offset[:, 0])
    yaws = np.linspace(-np.pi, np.pi, 48, endpoint=False)
    off = np.abs(steering_wrap(bearing[None] - yaws[:, None]))  # [48, K]
    half = constants.FOV_X / 2
    in_view = np.sum(off < half + 0.1, axis=1)
    turn = np.abs(steering_wrap(yaws - view.yaw[0]))
    best = yaws[np.argmin(in_view * 100.0 + turn)]
    steering.turn_towards(action, steering.wrap(best - float(view.yaw[0])))
    if in_view.min() > 0:
      action.look = 2  # What can't be turned from may be looked over.

  def _stand_between(self, view, action, pairs, avoid) -> None:
    """Blocks lines of sight with the body: as many as one place can."""
    ground = self._walker.ground(view)
    at = view.object_pos
    free = [
      (at[i, :2], at[j, :2])
      for i, j in pairs
      if navigate.in_sight(ground, at[i][None], at[j])[0]
    ]
    blocked = np.zeros(len(ground.centres))
    for a, b in free:
      along = b - a
      length = max(float(np.linalg.norm(along)), 1e-6)
      offset = ground.centres - a
      share = offset @ along / length
      across = np.abs(offset @ np.array([-along[1], along[0]])) / length
      between = (share > 0.5) & (share < length - 0.5)
      blocked += between & (across < navigate.CELL_METRES / 2)
    if not blocked.any():
      return
    ends = np.flatnonzero(blocked == blocked.max())
    if not self._walker.go(
      view, action, "between", at[pairs[0][0]], ends, [], avoid
    ):
      return
    # Inside the cell, onto the nearest line itself.
    here = view.player_pos[0][:2]
    feet = [
      a + (b - a) * np.clip((here - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
      for a, b in free
    ]
    nearest = min(feet, key=lambda foot: float(np.linalg.norm(foot - here)))
    steering.walk_towards(action, nearest - here, float(view.yaw[0]))

  def _separate(self, view, action, pairs, avoid) -> None:
    """Carries an object away from those it shall be apart from."""
    at = view.object_pos
    close = [
      (i, j) for i, j in pairs if np.linalg.norm(at[i] - at[j]) < _APART_METRES
    ]
    held = int(view.held[0])
    carried = [p[0] if held == p[0] else p[1] for p in close if held in p]
    if not close:
      return
    if not carried:
      mobile = [s for pair in close for s in pair if not view.frozen[s]]
      if not mobile:
        return
      eye = walker.eye_of(view)
      slot = min(mobile, key=lambda s: float(np.linalg.norm(at[s] - eye)))
      self._fetch(view, action, int(slot), avoid)
      return
    slot = int(carried[0])
    others = [(set(pair) - {slot}).pop() for pair in pairs if slot in pair]
    if self._fetch(view, action, slot, avoid):
      self._walker.go(
        view,
        action,
        ("apart", slot),
        view.player_pos[0],
        self._clear_cells(view, at[others]),
        [slot],
        avoid,
      )

  # --- Pieces of skills ----------------------------------------------------

  def _stands(self, view, target) -> np.ndarray:
    """Cells from which a point is in the hand's reach and in sight."""
    ground = self._walker.ground(view)
    distance = np.linalg.norm(ground.centres - target[:2], axis=1)
    eyes = np.concatenate(
      [ground.centres, ground.height[:, None] + constants.EYE_HEIGHT], axis=1
    )
    reach = np.linalg.norm(eyes - target, axis=1)
    low, high = _STAND_METRES
    cells = np.flatnonzero(
      (distance > low) & (distance < high) & (reach < _EYE_METRES)
    )
    if len(cells):
      cells = cells[navigate.in_sight(ground, eyes[cells], target)]
    if not len(cells):
      # In a corner or a gap: as close as one gets.
      cells = np.argsort(reach)[:3]
    return cells

  def _clear_cells(self, view, points) -> np.ndarray:
    """Cells well away from some points; the farthest where none is."""
    ground = self._walker.ground(view)
    offset = ground.centres[:, None] - points[None, :, :2]
    distance = np.min(np.linalg.norm(offset, axis=2), axis=1)
    cells = np.flatnonzero(distance > _APART_METRES + 1.2)
    return cells if len(cells) else np.argsort(-distance)[:3]

  def _eye_distance(self, view, slot) -> float:
    return float(np.linalg.norm(view.object_pos[slot] - walker.eye_of(view)))

  def _bearing(self, view, target) -> float:
    offset = target - view.player_pos[0]
    return math.atan2(offset[1], offset[0])

  def _aimed_at(self, view) -> int:
    """The slot that a closing hand would take, -1 for none."""
    eye = walker.eye_of(view)
    yaw, pitch = float(view.yaw[0]), float(view.pitch[0])
    axis = np.array(
      [
        math.cos(pitch) * math.cos(yaw),
        math.cos(pitch) * math.sin(yaw),
        math.sin(pitch),
      ]
    )
    slots = np.flatnonzero(
      (view.slot_types > 0) & ~view.frozen & view.visible[0, 1:]
    )
    offset = view.object_pos[slots] - eye
    distance = np.linalg.norm(offset, axis=1)
    near = distance <= constants.REACH_METRES
    slots, offset, distance = slots[near], offset[near], distance[near]
    if not len(slots):
      return -1
    cosine = offset @ axis / np.maximum(distance, 1e-6)
    best = int(np.argmax(cosine))
    return int(slots[best]) if cosine[best] > math.cos(_AIM_RADIANS) else -1

  def _aim(self, view, action, target) -> bool:
    """Turns and looks at a point; whether it is (nearly) done."""
    error = steering.wrap(self._bearing(view, target) - float(view.yaw[0]))
    steering.turn_towards(action, error)
    return self._aim_pitch(view, action, target) and abs(error) < 0.15

  def _aim_pitch(self, view, action, target) -> bool:
    offset = target - walker.eye_of(view)
    pitch = math.atan2(offset[2], math.hypot(offset[0], offset[1]))
    error = pitch - float(view.pitch[0])
    steering.look_towards(action, error)
    return abs(error) < 0.15

  def _level_gaze(self, view, action) -> None:
    steering.look_towards(action, constants.START_PITCH - float(view.pitch[0]))

  def _carry_pose(self, view, action) -> None:
    """Draws the held object close and up, for the way."""
    steering.look_towards(action, _CARRY_PITCH - float(view.pitch[0]))
    if view.hand_distance[0] > _CARRY_METRES + 0.1:
      action.hand = 0

  def _hold_still(self, action) -> None:
    """Undoes what walking and carrying asked for; the grip stays."""
    still = steering.Action(grip=action.grip)
    action.__dict__.update(still.__dict__)

  def _step_towards(self, view, action, target) -> None:
    steering.walk_towards(
      action, target[:2] - view.player_pos[0][:2], float(view.yaw[0])
    )


def steering_wrap(angles: np.ndarray) -> np.ndarray:
  """Angles between -pi and pi."""
  return (angles + np.pi) % (2 * np.pi) - np.pi
