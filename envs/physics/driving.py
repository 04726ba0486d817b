"""Velocities that drive avatars and hands to their targets.

N: environments, P: players.
"""

from typing import Final

import numpy as np

from adaland.envs import constants

# A standing avatar corrects slips of up to this length per step, so that it
# stays in place on a ramp; a push that moves it farther moves its anchor too.
MAX_SLIP_METRES: Final = 0.02
# Metres per second; more than walking, turning and swinging need together.
MAX_HAND_SPEED: Final = 12.0


class Standing:
  """Position control of avatars that stand still.

  Attributes:
    anchor: Positions to which standing avatars return, metres, [N, P, 2].
    stood: Avatars that stood in the last step, bool [N, P, 1].
  """

  def __init__(self, num_envs: int, num_players: int):
    self.anchor = np.zeros((num_envs, num_players, 2))
    self.stood = np.zeros((num_envs, num_players, 1), bool)

  def forget(self, env_ids: np.ndarray) -> None:
    """Drops the anchors of some environments."""
    self.stood[env_ids] = False

  def velocity(self, wanted: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Returns wanted velocities, corrected for slips of standing avatars.

    Args:
      wanted: Planar velocities, metres per second, float [N, P, 2].
      at: Positions of the avatars, metres, float [N, P, 2].

    Returns:
      Metres per second, float [N, P, 2].
    """
    still = wanted == 0
    stands = still[..., :1] & still[..., 1:]  # [N, P, 1]
    back = np.where(stands & self.stood, self.anchor - at, 0.0)
    back = np.maximum(np.minimum(back, MAX_SLIP_METRES), -MAX_SLIP_METRES)
    self.stood = stands
    self.anchor[:] = at + back
    return wanted + back / constants.STEP_SECONDS


def hand_velocity(
  target: np.ndarray, at: np.ndarray, holds: np.ndarray
) -> np.ndarray:
  """Returns velocities that move hands to their targets within a step.

  Args:
    target: Target positions, metres, float [N, P, 3].
    at: Current positions, in the same shape.
    holds: Hands that hold an object, bool [N, P]; the others rest.

  Returns:
    Metres per second, at most MAX_HAND_SPEED, float [N, P, 3].
  """
  velocity = np.zeros_like(at)
  if holds.any():
    way = target[holds] - at[holds]
    speed = np.linalg.norm(way, axis=-1, keepdims=True) / constants.STEP_SECONDS
    slower = np.minimum(1.0, MAX_HAND_SPEED / np.maximum(speed, 1e-6))
    velocity[holds] = way * (slower / constants.STEP_SECONDS)
  return velocity
