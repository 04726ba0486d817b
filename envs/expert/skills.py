"""Bringing relations about: fetch, carry, put beside, press, push, face."""

import math

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.expert import navigate, senses, steering, walker
from adaland.envs.expert.senses import Moment

# Pitch and distance of a carried object: above the ground, close to the body.
_CARRY_PITCH = -0.1
_CARRY_METRES = 0.85
# Distance of centres at which a `near` is settled, inside NEAR_METRES.
_SETTLED_METRES = 0.9 * constants.NEAR_METRES
_STAND_NEAR_METRES = 0.85
_VIEW_METRES = 6.0
# Along the ground: what is held counts as above another inside the first, and
# the other is out of the hand's comfortable reach beyond the second.
_ALIGNED_METRES = 0.16
_FAR_METRES = 1.6
_LOOK_STEP = constants.LOOK_RATE * constants.STEP_SECONDS
_HAND_STEP = constants.HAND_RATE * constants.STEP_SECONDS
# Pushing: how far behind an object one lines up, how far off the line one may
# be, and the pitch at which a held tool hangs at the objects' height.
_BEHIND_METRES = 0.65
_OFF_LINE_METRES = 0.2
_TOOL_PITCH = -0.5
_TOOL_METRES = 1.2


class Skills:
  """What one avatar can do; each call fills in one step's action."""

  def __init__(self, walker_: walker.Walker):
    self._walker = walker_

  def fetch(self, moment: Moment, slot: int) -> bool:
    """Gets a certain object into the hand; whether it is there."""
    action, target = moment.action, moment.at(slot)
    if moment.held == slot:
      action.grip = 1
      steering.look_towards(action, _CARRY_PITCH - moment.pitch)
      if moment.hand > _CARRY_METRES + _HAND_STEP / 2:
        action.hand = 0
      return True
    if moment.held >= 0:
      return False  # The open hand drops it.
    reach = moment.eye_distance(slot)
    in_reach = reach < senses.EYE_METRES + 0.1 and moment.sees(slot)
    if in_reach and senses.aimed_at(moment) == slot:
      action.grip = 1
    close = reach < 2 * senses.STAND_METRES[1]
    there = self._walker.go(
      moment,
      ("fetch", slot),
      target,
      senses.stands(moment.ground, target),
      [slot],
      moment.bearing(target) if close else None,
    )
    if there:
      if moment.aim(target) and not action.grip:
        moment.step_towards(target)
    elif close:
      moment.aim_pitch(target)
    return False

  def put_beside(
    self, moment: Moment, carried: int, other: int, touch: bool, force: bool
  ) -> None:
    """Carries one object to another until they are near, or touch.

    Args:
      moment: The step.
      carried: Slot of what is carried.
      other: Slot of what it is carried to.
      touch: Whether they shall touch.
      force: Whether to push them together instead of setting one on top.
    """
    if not self.fetch(moment, carried):
      return
    goal = moment.at(other)
    gap = float(np.linalg.norm(moment.at(carried) - goal))
    if not touch and gap < _SETTLED_METRES:
      moment.hold_still()
      return
    there = self._walker.go(
      moment,
      ("carry", carried, other),
      goal,
      senses.stands(moment.ground, goal),
      [carried, other],
    )
    if not there and moment.eye_distance(other) > senses.STAND_METRES[1]:
      return
    moment.hold_still()
    if touch and not force:
      self._press_down(moment, carried, other)
    else:
      moment.aim(goal)
      self._reach_out(moment, other, touch)

  def _reach_out(self, moment: Moment, other: int, touch: bool) -> None:
    """Moves the hand, then the feet, until what is held meets another."""
    distance = moment.eye_distance(other)
    if moment.hand < min(distance, constants.REACH_METRES - _HAND_STEP / 2):
      moment.action.hand = 2
    if touch or moment.hand > distance - _HAND_STEP or distance > _FAR_METRES:
      moment.step_towards(moment.at(other))

  def _press_down(self, moment: Moment, carried: int, other: int) -> None:
    """Lowers what is held onto another, so that it can't be pushed away."""
    action = moment.action
    at, goal = moment.at(carried), moment.at(other)
    far = math.hypot(*(goal - moment.eye)[:2])
    if math.hypot(*(at - goal)[:2]) < _ALIGNED_METRES and at[2] > goal[2]:
      action.look = 0
    else:
      height = sum(
        shapes.shape_of_type(moment.type_of(slot)).bounding_radius
        for slot in (carried, other)
      )
      moment.aim_pitch(goal + np.array([0, 0, height]))
    error = steering.wrap(moment.bearing(goal) - moment.yaw)
    steering.turn_towards(action, error, gentle=True)
    pitch = moment.pitch + (action.look - 1) * _LOOK_STEP
    stretch = far / math.cos(pitch) - moment.hand
    if abs(stretch) > _HAND_STEP / 2:
      action.hand = 2 if stretch > 0 else 0
    if far < constants.HAND_MIN_METRES:
      action.move = 0
    elif far > _FAR_METRES:
      moment.step_towards(goal)

  def walk_up_to(self, moment: Moment, slot: int) -> None:
    """Stands near an object."""
    target, ground = moment.at(slot), moment.ground
    centre = moment.here + np.array([0, 0, constants.AVATAR_HEIGHT / 2])
    if np.linalg.norm(centre - target) < _SETTLED_METRES:
      return
    distance = np.linalg.norm(ground.centres - target[:2], axis=1)
    height = ground.height + constants.AVATAR_HEIGHT / 2 - target[2]
    ends = np.flatnonzero(np.hypot(distance, height) < _STAND_NEAR_METRES)
    if not len(ends):
      ends = senses.stands(ground, target)
    if self._walker.go(moment, ("near", slot), target, ends, [slot]):
      moment.step_towards(target)

  def pull_close(self, moment: Moment, slot: int) -> None:
    """Holds an object and draws it against the body."""
    if self.fetch(moment, slot):
      moment.action.look = 0
      moment.action.hand = 0

  def bump(self, moment: Moment, slot: int) -> None:
    """Walks into an object."""
    target = moment.at(slot)
    ends = np.array([moment.ground.cell_of(target[:2])])
    if self._walker.go(moment, ("bump", slot), target, ends, [slot]):
      moment.step_towards(target)

  def face(self, moment: Moment, slot: int, walk: bool) -> None:
    """Has an object in view; `walk` says to go there even if it's close."""
    target = moment.at(slot)
    free = navigate.in_sight(moment.ground, moment.eye[None], target)[0]
    if free and moment.eye_distance(slot) < _VIEW_METRES:
      moment.aim(target)
      if not walk:
        return
    ends = senses.stands(moment.ground, target)
    self._walker.go(moment, ("face", slot), target, ends, [slot])

  def push(self, moment: Moment, pushed: int, other: int) -> None:
    """Shoves an object to another, with the body or with a held tool.

    A tool is taken where the body must not touch the object.
    """
    away = 0.0
    if moment.must_not("touching", pushed) or moment.must_not("near", pushed):
      tool = self._tool(moment, {pushed, other})
      if tool is None or not self.fetch(moment, tool):
        return
      steering.look_towards(moment.action, _TOOL_PITCH - moment.pitch)
      if abs(moment.hand - _TOOL_METRES) > _HAND_STEP / 2:
        moment.action.hand = 2 if moment.hand < _TOOL_METRES else 0
      away = _TOOL_METRES * math.cos(_TOOL_PITCH)
    at, goal = moment.at(pushed)[:2], moment.at(other)[:2]
    along = (goal - at) / max(float(np.linalg.norm(goal - at)), 1e-6)
    offset = moment.here[:2] - at
    behind = -float(offset @ along)
    off_line = abs(float(offset @ np.array([-along[1], along[0]])))
    if behind > away + _BEHIND_METRES / 2 and off_line < _OFF_LINE_METRES:
      error = steering.wrap(math.atan2(along[1], along[0]) - moment.yaw)
      steering.turn_towards(moment.action, error, gentle=away > 0)
      if not away or abs(error) < _OFF_LINE_METRES:
        moment.step_towards(at + along)
      return
    start = at - along * (away + _BEHIND_METRES)
    ends = np.array([moment.ground.cell_of(start)])
    anchor = np.append(start, moment.here[2])
    if self._walker.go(moment, ("push", pushed, other), anchor, ends, []):
      moment.step_towards(start)

  def _tool(self, moment: Moment, used: set[int]) -> int | None:
    """An object to push with: the one in the hand, else the closest."""
    types = {moment.type_of(slot) for slot in used}
    tools = [
      int(slot)
      for slot in np.flatnonzero(moment.view.slot_types)
      if moment.type_of(slot) not in types
      and not moment.view.frozen[slot]
      and not moment.must_not("hold", slot)
    ]
    if moment.held in tools:
      return moment.held
    return min(tools, key=moment.eye_distance, default=None)
