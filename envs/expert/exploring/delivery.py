"""Carrying by an avatar whose actions follow from what is in view.

The avatar turns until it sees the object, then walks up to it with a closed
hand, which takes the object as soon as it is in reach. It holds the object
close, turns until the place is in the field of view, and walks there, keeping
the place to one side of the held object, which would hide it. As in `walking`,
there is no path and no intention: a network that imitates it only needs to know
which object goes where. Nor does the avatar look down to grip, or wait for the
right moment: actions that are needed in only a few steps are learned late.

S: objects.
"""

from typing import NamedTuple

import numpy as np

from adaland.envs import constants
from adaland.envs.expert.exploring import errands
from adaland.envs.expert.ways import steering, walking

# A closed hand takes the object nearest to the view axis within its reach.
# Objects beyond this distance won't be in reach before the next action.
_OUT_OF_REACH_METRES = constants.REACH_METRES + 0.4
# A hand that was closed this near to the object but is empty has lost it, and
# must open before it can take anything.
_LOST_METRES = 1.5
_HOLD_METRES = 0.85
# The place is kept this far off the view axis, where the held object hides it.
_ASIDE_RADIANS = 0.5
_HAND_STEP = constants.HAND_RATE * constants.STEP_SECONDS


class Scene(NamedTuple):
  """The surroundings of an avatar with something to carry.

  Attributes:
    offset: Vectors from the eye to the objects, metres, float [S, 3].
    radius: Distance to keep from each, 0 for none, metres, float [S].
    in_view: Objects that are in the field of view, bool [S].
    movable: Visible objects that the hand could take, bool [S].
    errand: The object and the place; without a place, the object is to be near
      the avatar.
    yaw: Heading, radians.
    pitch: Pitch of the view, radians.
    held: Slot in the hand, -1 for none.
    hand: Distance of the hand from the eye, metres.
    closed: Whether the last action closed the hand.
    around: The turn with which to look around.
  """

  offset: np.ndarray
  radius: np.ndarray
  in_view: np.ndarray
  movable: np.ndarray
  errand: errands.Errand
  yaw: float
  pitch: float
  held: int
  hand: float
  closed: bool
  around: int


def act(scene: Scene) -> tuple[int, ...]:
  """Returns the action that brings the object to its place."""
  holds = scene.held == scene.errand.slot
  target = scene.errand.target(scene.held)
  offset = scene.offset[target]
  action = steering.Action(grip=int(holds))
  action.look = int(walking.level(np.array([scene.pitch]))[0])
  if holds and scene.hand > _HOLD_METRES + _HAND_STEP / 2:
    action.hand = 0
  if holds and scene.errand.place < 0:
    return action.indices
  if not scene.in_view[target]:
    action.turn = scene.around
    return action.indices
  error = steering.wrap(np.arctan2(offset[1], offset[0]) - scene.yaw)
  if holds:
    error -= np.copysign(_ASIDE_RADIANS, error)
  gentle = holds and steering.could_tear(scene.hand, error)
  steering.turn_towards(action, error, gentle)
  objects, radius = scene.offset[None, :, :2], scene.radius[None]
  [move] = walking.walk_to(
    walking.detour(offset[None, :2], objects, radius),
    objects,
    radius,
    np.array([scene.yaw]),
    np.array([action.turn]),
  )
  action.move, action.strafe = (int(x) for x in move)
  lost = scene.closed and np.linalg.norm(offset) < _LOST_METRES
  if scene.held < 0 and not lost and _takes_first(scene, target):
    action.grip = 1
  return action.indices


def _takes_first(scene: Scene, target: int) -> bool:
  """Returns True if a closed hand would take no other object first."""
  distance = np.maximum(np.linalg.norm(scene.offset, axis=-1), 1e-6)
  axis = steering.view_axis(scene.yaw, scene.pitch)
  cosine = scene.offset @ axis / distance
  others = scene.movable & (distance < _OUT_OF_REACH_METRES)
  others[target] = False
  if distance[target] > constants.REACH_METRES:
    return not others.any()
  return not (others & (cosine > cosine[target])).any()
