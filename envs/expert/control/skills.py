"""Skills that make relations true: fetch, carry, press, push, face."""

import math

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.expert.control import senses, walker
from adaland.envs.expert.control.senses import Situation
from adaland.envs.expert.ways import navigate, steering

# Pitch and distance of a carried object: above the ground, close to the body.
_CARRY_PITCH = -0.1
_CARRY_METRES = 0.85
# Distance of centres at which a `near` surely holds, inside NEAR_METRES.
_SETTLED_METRES = 0.9 * constants.NEAR_METRES
_STAND_NEAR_METRES = 0.85
_VIEW_METRES = 6.0
# Distances along the ground: within the first, a held object counts as above
# another; beyond the second, the other is hard to reach.
_ALIGNED_METRES = 0.16
_FAR_METRES = 1.6
# The hand is stretched out within this distance and angle of the goal.
_STRETCH_METRES = 3.2
_STRETCH_RADIANS = 0.3
# Height above the ground of a held object that should touch another.
_ABOVE_METRES = 0.05
# Gap between two objects before one is lowered onto the other.
_OVER_METRES = 0.1
_LOOK_STEP = constants.LOOK_RATE * constants.STEP_SECONDS
_HAND_STEP = constants.HAND_RATE * constants.STEP_SECONDS
# Pushing: the distance behind an object from which to push, the maximum
# distance off the line, and the pitch and distance of the hand at which a held
# tool is at the height of the objects.
_BEHIND_METRES = 0.65
_OFF_LINE_METRES = 0.2
_TOOL_PITCH = -0.5
_TOOL_METRES = 1.2


class Skills:
  """Skills of one avatar; each call fills in the action of one step."""

  def __init__(self, walk: walker.Walker):
    """Initializes the skills, which use `walk` for walking."""
    self._walker = walk

  def fetch(self, situation: Situation, slot: int) -> bool:
    """Fetches an object; returns True once the hand holds it."""
    action, target = situation.action, situation.at(slot)
    if situation.held == slot:
      action.grip = 1
      steering.look_towards(action, _CARRY_PITCH - situation.pitch)
      if situation.hand > _CARRY_METRES + _HAND_STEP / 2:
        action.hand = 0
      return True
    if situation.held >= 0:
      return False  # The open hand drops it.
    reach = situation.eye_distance(slot)
    in_reach = reach < constants.REACH_METRES - 0.02 and situation.sees(slot)
    if in_reach and senses.aimed_at(situation) == slot:
      action.grip = 1
    close = reach < 2 * senses.STAND_METRES[1]
    there = self._walker.go(
      situation,
      ("fetch", slot),
      target,
      senses.stands(situation.ground, target, situation.others(slot)),
      [slot],
      situation.bearing(target) if close else None,
    )
    if there:
      if situation.aim(target) and not action.grip:
        situation.step_towards(target)
        self._walker.press(situation.here)
    elif close:
      situation.aim_pitch(target)
    return False

  def put_beside(
    self,
    situation: Situation,
    carried: int,
    other: int,
    touch: bool,
    force: bool,
    bump: bool = False,
  ) -> None:
    """Carries one object to another until they are near or touch.

    Args:
      situation: The state and the action.
      carried: Slot of the carried object.
      other: Slot of the other object.
      touch: If true, until they touch; otherwise until they are near.
      force: If true, pushes them together instead of putting one on top.
      bump: If true, bumps one into the other, so that they touch for a moment.
    """
    if not self.fetch(situation, carried):
      return
    goal = situation.at(other)
    gap = float(np.linalg.norm(situation.at(carried) - goal))
    bump = bump and goal[2] < situation.eye[2]  # Not if it is up on a cliff.
    if bump:
      goal = _above_ground(situation, carried, goal)
    if not touch and gap < _SETTLED_METRES:
      situation.hold_still()
      return
    there = self._walker.go(
      situation,
      ("carry", carried, other),
      goal,
      senses.stands(situation.ground, goal),
      [carried, other],
    )
    if not there and situation.eye_distance(other) > senses.STAND_METRES[1]:
      self._stretch(situation, goal, touch, bump)
      return
    situation.hold_still()
    if bump:
      self._bump_with(situation, goal)
    elif touch and not force:
      self._press_down(situation, carried, other)
    else:
      self._reach_out(situation, other, touch)

  def _stretch(
    self, situation: Situation, goal: np.ndarray, touch: bool, low: bool
  ) -> None:
    """Stretches out the hand on the last, straight metres to the goal."""
    action, offset = situation.action, goal - situation.eye
    far = math.hypot(*offset[:2])
    error = steering.wrap(situation.bearing(goal) - situation.yaw)
    if far > _STRETCH_METRES or abs(error) > _STRETCH_RADIANS:
      return
    most = senses.STAND_METRES[1] if touch else constants.REACH_METRES
    stretched = situation.hand >= min(far, most) - _HAND_STEP
    action.hand = 1 if stretched else 2
    if low and abs(offset[2]) < situation.hand:
      pitch = math.asin(offset[2] / situation.hand)
      steering.look_towards(action, pitch - situation.pitch)

  def _reach_out(self, situation: Situation, other: int, touch: bool) -> None:
    """Moves the hand, then the feet, until the held object meets another."""
    situation.aim(situation.at(other))
    distance = situation.eye_distance(other)
    if situation.hand < min(distance, constants.REACH_METRES - _HAND_STEP / 2):
      situation.action.hand = 2
    if (
      touch or situation.hand > distance - _HAND_STEP or distance > _FAR_METRES
    ):
      situation.step_towards(situation.at(other))

  def _bump_with(self, situation: Situation, goal: np.ndarray) -> None:
    """Moves the hand and the feet until the hand is at the goal."""
    situation.aim(goal)
    stretch = float(np.linalg.norm(goal - situation.eye)) - situation.hand
    if abs(stretch) > _HAND_STEP / 2:
      situation.action.hand = 2 if stretch > 0 else 0
    if math.hypot(*(goal - situation.eye)[:2]) < constants.HAND_MIN_METRES:
      situation.action.move = 0
    elif stretch > -_HAND_STEP:
      situation.step_towards(goal)

  def _press_down(self, situation: Situation, carried: int, other: int) -> None:
    """Lowers the held object onto another, so as not to push it away."""
    action = situation.action
    at, goal = situation.at(carried), situation.at(other)
    far = math.hypot(*(goal - situation.eye)[:2])
    if math.hypot(*(at - goal)[:2]) < _ALIGNED_METRES and at[2] > goal[2]:
      action.look = 0
    else:
      below, above = (
        shapes.shape_of_type(situation.type_of(slot))
        for slot in (other, carried)
      )
      height = 2 * below.half_extents[2] - below.centre_height
      height += above.centre_height + _OVER_METRES
      situation.aim_pitch(goal + np.array([0, 0, height]))
    error = steering.wrap(situation.bearing(goal) - situation.yaw)
    steering.turn_towards(action, error)
    pitch = situation.pitch + (action.look - 1) * _LOOK_STEP
    # The hand stays close to the body while the avatar turns.
    turned = abs(error) < steering.SWING_RADIANS
    wanted = far / math.cos(pitch) if turned else _CARRY_METRES
    stretch = wanted - situation.hand
    if abs(stretch) > _HAND_STEP / 2:
      action.hand = 2 if stretch > 0 else 0
    if far < constants.HAND_MIN_METRES:
      action.move = 0
    elif far > _FAR_METRES:
      situation.step_towards(goal)

  def walk_up_to(self, situation: Situation, slot: int) -> None:
    """Stands near an object."""
    target, ground = situation.at(slot), situation.ground
    centre = situation.here + np.array([0, 0, constants.AVATAR_HEIGHT / 2])
    if np.linalg.norm(centre - target) < _SETTLED_METRES:
      return
    distance = np.linalg.norm(ground.centres - target[:2], axis=1)
    height = ground.height + constants.AVATAR_HEIGHT / 2 - target[2]
    ends = np.flatnonzero(np.hypot(distance, height) < _STAND_NEAR_METRES)
    if not len(ends):
      ends = senses.stands(ground, target)
    if self._walker.go(situation, ("near", slot), target, ends, [slot]):
      situation.step_towards(target)

  def pull_close(self, situation: Situation, slot: int) -> bool:
    """Pulls an object against the body; returns True if it gets no closer."""
    if not self.fetch(situation, slot):
      return False
    situation.action.look = 0
    situation.action.hand = 0
    return (
      situation.hand < constants.HAND_MIN_METRES + _HAND_STEP / 2
      and situation.pitch < -constants.PITCH_LIMIT + _LOOK_STEP / 2
    )

  def bump(self, situation: Situation, slot: int) -> None:
    """Walks into an object."""
    target = situation.at(slot)
    ends = np.array([situation.ground.cell_of(target[:2])])
    if self._walker.go(situation, ("bump", slot), target, ends, [slot]):
      situation.step_towards(target)

  def face(self, situation: Situation, slot: int, walk: bool) -> None:
    """Gets an object into view; `walk` walks to it even if it is close."""
    target = situation.at(slot)
    free = navigate.in_sight(situation.ground, situation.eye[None], target)[0]
    if free and situation.eye_distance(slot) < _VIEW_METRES:
      situation.aim(target)
      if not walk:
        return
    others = situation.others(slot)
    ends = senses.stands(situation.ground, target, others)
    self._walker.go(situation, ("face", slot), target, ends, [slot])

  def meet(self, situation: Situation, predicate: str) -> None:
    """Goes to the other player until the relation to it holds."""
    target = situation.other
    gap = np.linalg.norm(situation.view.player_pos[1] - situation.here)
    free = navigate.in_sight(situation.ground, situation.eye[None], target)[0]
    if predicate == "see" and free and gap < _VIEW_METRES:
      situation.aim(target)
      return
    if predicate == "near" and gap < _SETTLED_METRES:
      return
    ends = np.array([situation.ground.cell_of(target[:2])])
    if self._walker.go(situation, "meet", target, ends, []):
      situation.step_towards(target)

  def push(self, situation: Situation, pushed: int, other: int) -> None:
    """Pushes an object to another, with the body or with a held tool.

    A tool is used if the body must not touch the object.
    """
    away = 0.0
    if situation.must_not("touching", pushed) or situation.must_not(
      "near", pushed
    ):
      tool = self._tool(situation, {pushed, other})
      if tool is None or not self.fetch(situation, tool):
        return
      steering.look_towards(situation.action, _TOOL_PITCH - situation.pitch)
      if abs(situation.hand - _TOOL_METRES) > _HAND_STEP / 2:
        situation.action.hand = 2 if situation.hand < _TOOL_METRES else 0
      away = _TOOL_METRES * math.cos(_TOOL_PITCH)
    at, goal = situation.at(pushed)[:2], situation.at(other)[:2]
    along = (goal - at) / max(float(np.linalg.norm(goal - at)), 1e-6)
    offset = situation.here[:2] - at
    behind = -float(offset @ along)
    off_line = abs(float(offset @ np.array([-along[1], along[0]])))
    if behind > away + _BEHIND_METRES / 2 and off_line < _OFF_LINE_METRES:
      error = steering.wrap(math.atan2(along[1], along[0]) - situation.yaw)
      steering.turn_towards(situation.action, error, gentle=away > 0)
      if not away or abs(error) < _OFF_LINE_METRES:
        situation.step_towards(at + along)
      return
    start = at - along * (away + _BEHIND_METRES)
    ends = np.array([situation.ground.cell_of(start)])
    anchor = np.append(start, situation.here[2])
    if self._walker.go(situation, ("push", pushed, other), anchor, ends, []):
      situation.step_towards(start)

  def _tool(self, situation: Situation, used: set[int]) -> int | None:
    """Returns an object to push with: the held one, or else the closest."""
    types = {situation.type_of(slot) for slot in used}
    tools = [
      int(slot)
      for slot in np.flatnonzero(situation.view.slot_types)
      if situation.type_of(slot) not in types
      and not situation.view.frozen[slot]
      and not situation.must_not("hold", slot)
    ]
    if situation.held in tools:
      return situation.held
    return min(tools, key=situation.eye_distance, default=None)


def _above_ground(
  situation: Situation, slot: int, point: np.ndarray
) -> np.ndarray:
  """Returns a point raised such that an object there is above the ground."""
  floor = situation.ground.height[situation.ground.cell_of(point[:2])]
  shape = shapes.shape_of_type(situation.type_of(slot))
  height = floor + shape.centre_height + _ABOVE_METRES
  return np.array([point[0], point[1], max(point[2], height)])
