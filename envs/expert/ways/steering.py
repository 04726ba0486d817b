"""Indices of the action heads for a wanted movement of one avatar."""

import dataclasses
import math

import numpy as np

from adaland.envs import constants

_WALKS = tuple((move, strafe) for move in range(3) for strafe in range(3))
# Closer than this to its destination, the avatar stands still.
_ARRIVED_METRES = 0.1
# The held object follows a fast turn only if it is close to the body. Smaller
# errors than this don't need a fast turn.
_SWING_METRES = 1.0
SWING_RADIANS = 0.6


@dataclasses.dataclass
class Action:
  """Indices of the action heads, initially those of the no-op.

  Attributes have the names in `constants.ACTION_HEADS`.
  """

  move: int = constants.NOOP_ACTION[0]
  strafe: int = constants.NOOP_ACTION[1]
  turn: int = constants.NOOP_ACTION[2]
  look: int = constants.NOOP_ACTION[3]
  grip: int = constants.NOOP_ACTION[4]
  hand: int = constants.NOOP_ACTION[5]

  @property
  def indices(self) -> tuple[int, ...]:
    """The indices in the order of the heads."""
    return (self.move, self.strafe, self.turn, self.look, self.grip, self.hand)


def wrap(angle):
  """Returns angles wrapped to [-pi, pi), a float or an array."""
  return (angle + math.pi) % (2 * math.pi) - math.pi


def lengths(vectors: np.ndarray) -> np.ndarray:
  """Returns the lengths of vectors, as `numpy.linalg.norm` over the last axis.

  It is several times as fast for many vectors of two or three components.

  Args:
    vectors: Float [..., D].

  Returns:
    Float [...].
  """
  return np.sqrt(np.einsum("...d,...d->...", vectors, vectors))


def turn_towards(action: Action, error: float, gentle: bool = False) -> None:
  """Sets the turn that leaves the least error in yaw.

  Args:
    action: The action to change.
    error: Wanted yaw minus current yaw, radians.
    gentle: If true, excludes the fast turns.
  """
  turns = [
    i
    for i, rate in enumerate(constants.TURN_RATES)
    if not gentle or abs(rate) < 1
  ]
  action.turn = min(
    turns,
    key=lambda i: abs(
      wrap(error - constants.TURN_RATES[i] * constants.STEP_SECONDS)
    ),
  )


def could_tear(hand: float, error: float) -> bool:
  """Returns True if a fast turn could tear the held object away.

  Args:
    hand: Distance of the hand from the eye, metres.
    error: Wanted yaw minus current yaw, radians.
  """
  return hand > _SWING_METRES or abs(error) < SWING_RADIANS


def view_axis(yaw: float, pitch: float) -> np.ndarray:
  """Returns the direction of a view, a unit vector, float [3]."""
  level = math.cos(pitch)
  return np.array(
    [level * math.cos(yaw), level * math.sin(yaw), math.sin(pitch)]
  )


def look_towards(action: Action, error: float) -> None:
  """Sets the look that leaves the least error in pitch, radians."""
  change = constants.LOOK_RATE * constants.STEP_SECONDS
  action.look = min(range(3), key=lambda i: abs(error - (i - 1) * change))


def walk_towards(action: Action, offset: np.ndarray, yaw: float) -> None:
  """Sets the movement that ends nearest to a point, for any heading.

  Args:
    action: The action to change; its turn, already set, bends the path.
    offset: Vector from the feet to the point, world frame, metres, float [2].
    yaw: Current heading, radians.
  """
  if math.hypot(*offset) < _ARRIVED_METRES:
    return
  rate = constants.TURN_RATES[action.turn]
  heading = yaw + rate * constants.STEP_SECONDS / 2
  cos, sin = math.cos(heading), math.sin(heading)
  ahead_wanted = offset[0] * cos + offset[1] * sin
  left_wanted = offset[1] * cos - offset[0] * sin
  step = constants.WALK_SPEED * constants.STEP_SECONDS

  def miss(walk: tuple[int, int]) -> float:
    ahead, left = walk[0] - 1, 1 - walk[1]
    scale = step / max(math.hypot(ahead, left), 1.0)
    return math.hypot(ahead_wanted - ahead * scale, left_wanted - left * scale)

  action.move, action.strafe = min(_WALKS, key=miss)
