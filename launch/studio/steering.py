"""Turns the avatar in the direction that a person looks in.

The page turns its picture at once; the avatar follows at the turn rates that
all players have.
"""

import math

import numpy as np

from adaland.envs import constants
from adaland.launch.studio import messages

_TURNS = np.array(constants.TURN_RATES) * constants.STEP_SECONDS
_LOOKS = np.array([-1, 0, 1]) * constants.LOOK_RATE * constants.STEP_SECONDS


def action(wish: messages.Act, yaw: float, pitch: float) -> np.ndarray:
  """Returns the action that best follows a person's wish.

  Args:
    wish: The person's input.
    yaw: The avatar's heading, radians.
    pitch: Pitch of the avatar's view, radians.

  Returns:
    Indices of the action heads, int32 [A].
  """
  turn, look = 0.0, 0.0
  if wish.yaw is not None:
    turn = math.remainder(wish.yaw - yaw, 2 * math.pi)
  if wish.pitch is not None:
    limit = constants.PITCH_LIMIT
    look = min(limit, max(-limit, wish.pitch)) - pitch
  return np.array(
    [
      wish.move,
      wish.strafe,
      np.argmin(abs(_TURNS - turn)),
      np.argmin(abs(_LOOKS - look)),
      wish.grip,
      wish.hand,
    ],
    np.int32,
  )
