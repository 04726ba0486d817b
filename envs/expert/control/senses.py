"""Geometric facts that the expert's controller derives from the true state."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.ways import navigate, steering
from adaland.envs.tasks.symbolic import Condition

PLAYER = constants.PLAYER_TYPE_IDS[0]
# Distances at which to stand to grip an object, or to put another next to it:
# metres along the ground, and from the eye to the object.
STAND_METRES = (0.75, 1.5)
EYE_METRES = 1.8
# Angles off the view axis: within the first the hand may take an object, which
# it swings onto the axis; within the second the aim is good enough.
_AIM_RADIANS = 0.6
_AIMED_RADIANS = 0.15
# An object hides points if the line to them passes this close to its centre.
_HIDING_METRES = 0.3


@dataclasses.dataclass
class Situation:
  """The state of an environment before a step, and the action to take.

  Attributes:
    view: The true state.
    ground: Map of the world.
    avoid: Conditions that must not be made true.
    action: The action, which skills fill in.
  """

  view: land.WorldView
  ground: navigate.Ground
  avoid: Sequence[Condition]
  action: steering.Action = dataclasses.field(default_factory=steering.Action)

  @property
  def here(self) -> np.ndarray:
    """The avatar's feet, float [3]."""
    return self.view.player_pos[0]

  @property
  def eye(self) -> np.ndarray:
    """The avatar's eyes, float [3]."""
    return self.here + np.array([0, 0, constants.EYE_HEIGHT])

  @property
  def other(self) -> np.ndarray:
    """The centre of the other player's body, float [3]."""
    return self.view.player_pos[1] + np.array(
      [0, 0, constants.AVATAR_HEIGHT / 2]
    )

  @property
  def yaw(self) -> float:
    """The avatar's heading, radians."""
    return float(self.view.yaw[0])

  @property
  def pitch(self) -> float:
    """The pitch of the avatar's view, radians."""
    return float(self.view.pitch[0])

  @property
  def held(self) -> int:
    """Slot of the held object, -1 for none."""
    return int(self.view.held[0])

  @property
  def hand(self) -> float:
    """Distance of the hand from the eye, metres, 0 if empty."""
    return float(self.view.hand_distance[0])

  def at(self, slot: int) -> np.ndarray:
    """Returns the centre of an object, float [3]."""
    return self.view.object_pos[slot]

  def type_of(self, slot: int) -> int:
    """Returns the type id of an object."""
    return int(self.view.slot_types[slot])

  def eye_distance(self, slot: int) -> float:
    """Returns the distance from the eye to an object, metres."""
    return float(np.linalg.norm(self.at(slot) - self.eye))

  def others(self, slot: int) -> np.ndarray:
    """Returns points of the bodies that may hide an object, float [B, 3].

    They are the centres of all objects but this and the held one, and three
    points of the other player.
    """
    slots = np.flatnonzero(self.view.slot_types)
    objects = self.view.object_pos[
      slots[(slots != slot) & (slots != self.held)]
    ]
    heights = constants.AVATAR_HEIGHT * np.array([0.25, 0.5, 0.75])
    players = self.view.player_pos[1:, None] + heights[:, None] * [0, 0, 1]
    return np.concatenate([objects, players.reshape(-1, 3)])

  def sees(self, slot: int) -> bool:
    """Returns True if the avatar sees an object."""
    return bool(self.view.visible[0, self.view.held.size + slot])

  def must_not(self, predicate: str, slot: int) -> bool:
    """Returns True if the avatar must avoid this relation to an object."""
    pair = {PLAYER, self.type_of(slot)}
    return any(
      condition.predicate == predicate and {condition.a, condition.b} == pair
      for condition in self.avoid
    )

  def bearing(self, point: np.ndarray) -> float:
    """Returns the yaw at which a point is straight ahead."""
    offset = point - self.here[: len(point)]
    return math.atan2(offset[1], offset[0])

  def aim(self, point: np.ndarray) -> bool:
    """Turns and looks at a point; returns True once it is nearly aimed at."""
    error = steering.wrap(self.bearing(point) - self.yaw)
    steering.turn_towards(self.action, error)
    return self.aim_pitch(point) and abs(error) < _AIMED_RADIANS

  def aim_pitch(self, point: np.ndarray) -> bool:
    """Looks up or down at a point; returns True once the pitch is close."""
    offset = point - self.eye
    pitch = math.atan2(offset[2], math.hypot(offset[0], offset[1]))
    error = pitch - self.pitch
    steering.look_towards(self.action, error)
    return abs(error) < _AIMED_RADIANS

  def step_towards(self, point: np.ndarray) -> None:
    """Walks straight towards a point on the ground."""
    steering.walk_towards(self.action, point[:2] - self.here[:2], self.yaw)

  def hold_still(self) -> None:
    """Resets the action to the no-op, except for the grip."""
    self.action = steering.Action(grip=self.action.grip)


def slots_of(view: land.WorldView, type_id: int) -> list[int]:
  """Returns the slots that hold objects of a type."""
  return [int(slot) for slot in np.flatnonzero(view.slot_types == type_id)]


def aimed_at(situation: Situation) -> int:
  """Returns the slot that closing the hand would reliably take, else -1."""
  view = situation.view
  seen = view.visible[0, view.held.size :]
  slots = np.flatnonzero((view.slot_types > 0) & ~view.frozen & seen)
  offset = view.object_pos[slots] - situation.eye
  distance = np.linalg.norm(offset, axis=1)
  near = distance <= constants.REACH_METRES
  slots, offset, distance = slots[near], offset[near], distance[near]
  if not len(slots):
    return -1
  axis = steering.view_axis(situation.yaw, situation.pitch)
  cosine = offset @ axis / np.maximum(distance, 1e-6)
  best = int(np.argmax(cosine))
  return int(slots[best]) if cosine[best] > math.cos(_AIM_RADIANS) else -1


def stands(
  ground: navigate.Ground, point: np.ndarray, bodies: np.ndarray | None = None
) -> np.ndarray:
  """Returns cells from which a point is in reach and in sight, int [K].

  If there are none, as in corners and gaps, returns the three closest cells.

  Args:
    ground: The map.
    point: The point, metres, float [3].
    bodies: Centres of objects that may hide it, metres, float [B, 3]; they are
      ignored if they hide it from every cell.
  """
  distance = np.linalg.norm(ground.centres - point[:2], axis=1)
  eyes = np.concatenate(
    [ground.centres, ground.height[:, None] + constants.EYE_HEIGHT], axis=1
  )
  reach = np.linalg.norm(eyes - point, axis=1)
  low, high = STAND_METRES
  cells = np.flatnonzero(
    (distance > low) & (distance < high) & (reach < EYE_METRES)
  )
  if len(cells):
    cells = cells[navigate.in_sight(ground, eyes[cells], point)]
  if len(cells) and bodies is not None and len(bodies):
    free = ~_hidden(eyes[cells], point, bodies)
    cells = cells[free] if free.any() else cells
  return cells if len(cells) else np.argsort(reach)[:3]


def _hidden(
  eyes: np.ndarray, point: np.ndarray, bodies: np.ndarray
) -> np.ndarray:
  """Returns the eyes [K, 3] from which bodies [B, 3] hide a point, bool [K]."""
  line = (point - eyes)[:, None]
  offset = bodies[None] - eyes[:, None]
  share = np.sum(offset * line, axis=-1) / np.maximum(
    np.sum(line**2, axis=-1), 1e-6
  )
  gap = np.linalg.norm(offset - share[..., None] * line, axis=-1)
  between = (share > 0) & (share < 1)
  return (between & (gap < _HIDING_METRES)).any(axis=1)


def clear_cells(
  ground: navigate.Ground, points: np.ndarray, metres: float
) -> np.ndarray:
  """Returns cells farther than `metres` from all points [K, 3].

  If there are none, returns the three farthest cells.
  """
  offset = ground.centres[:, None] - points[None, :, :2]
  distance = np.min(np.linalg.norm(offset, axis=2), axis=1)
  cells = np.flatnonzero(distance > metres)
  return cells if len(cells) else np.argsort(-distance)[:3]
