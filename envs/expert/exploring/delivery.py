"""Carrying by an avatar whose actions follow from what is in view.

It turns until it sees the object, walks up to it and closes the hand as soon as
that takes it; holds it close; turns until the place is in the field of view,
and walks there. There is no path and no intention, as in `walking`: a network
that imitates it needs to know only which object goes where.

S: objects.
"""

from typing import NamedTuple

import numpy as np

from adaland.envs import constants
from adaland.envs.expert.ways import steering, walking

# Along the ground from the avatar to what it grips: there the object is in
# reach, and in front of the hand at the pitch at which the avatar walks. So it
# need not look down, which is hard to imitate: what the view shows of distances
# changes with the pitch.
_GRIP_METRES = (1.0, 1.4)
_REACH_METRES = 0.95 * constants.REACH_METRES
# Angle off the view axis at which the hand takes an object reliably.
_AIM_RADIANS = 0.3
_HOLD_METRES = 0.85
# A fast turn may tear away what the hand holds far from the body, and small
# errors aren't worth one.
_SWING_METRES = 1.0
_SWING_RADIANS = 0.6
_HAND_STEP = constants.HAND_RATE * constants.STEP_SECONDS


class Scene(NamedTuple):
  """The surroundings of an avatar with something to carry.

  Attributes:
    offset: Vectors from the eye to the objects, metres, float [S, 3].
    radius: Distance to keep from each, 0 for none, metres, float [S].
    in_view: Objects that are in the field of view, bool [S].
    movable: Objects that the hand could take, all visible, bool [S].
    carried: Slot of the object to carry.
    place: Slot of the object to carry it to.
    yaw: Heading, radians.
    pitch: Pitch of the view, radians.
    held: Slot in the hand, -1 for none.
    hand: Distance of the hand from the eye, metres.
    around: The turn by which to look around.
  """

  offset: np.ndarray
  radius: np.ndarray
  in_view: np.ndarray
  movable: np.ndarray
  carried: int
  place: int
  yaw: float
  pitch: float
  held: int
  hand: float
  around: int


def act(scene: Scene) -> tuple[int, ...]:
  """Returns the action that carries the object to its place."""
  holds = scene.held == scene.carried
  target = scene.place if holds else scene.carried
  offset = scene.offset[target]
  action = steering.Action(grip=int(holds))
  action.look = int(walking.level(np.array([scene.pitch]))[0])
  if holds and scene.hand > _HOLD_METRES + _HAND_STEP / 2:
    action.hand = 0
  if not scene.in_view[target]:
    action.turn = scene.around
    return action.indices
  error = steering.wrap(np.arctan2(offset[1], offset[0]) - scene.yaw)
  far_out = scene.hand > _SWING_METRES or abs(error) < _SWING_RADIANS
  steering.turn_towards(action, error, gentle=holds and far_out)
  distance = np.hypot(offset[0], offset[1])
  if holds or distance > _GRIP_METRES[1]:
    _walk(action, scene, target)
  elif distance < _GRIP_METRES[0]:
    action.move = 0
  if scene.held < 0 and _aimed_at(scene) == scene.carried:
    action.grip = 1
  return action.indices


def _walk(action: steering.Action, scene: Scene, target: int) -> None:
  """Sets the move towards an object."""
  [move] = walking.walk_to(
    scene.offset[None, target, :2],
    scene.offset[None, :, :2],
    scene.radius[None],
    np.array([scene.yaw]),
    np.array([action.turn]),
  )
  action.move, action.strafe = (int(x) for x in move)


def _aimed_at(scene: Scene) -> int:
  """Returns the slot that a closing hand would reliably take, -1 for none."""
  distance = np.maximum(np.linalg.norm(scene.offset, axis=-1), 1e-6)
  level = np.cos(scene.pitch)
  axis = np.array(
    [
      level * np.cos(scene.yaw),
      level * np.sin(scene.yaw),
      np.sin(scene.pitch),
    ]
  )
  cosine = scene.offset @ axis / distance
  takes = scene.movable & (distance < _REACH_METRES)
  takes &= cosine > np.cos(_AIM_RADIANS)
  if not takes.any():
    return -1
  return int(np.argmax(np.where(takes, cosine, -1.0)))
