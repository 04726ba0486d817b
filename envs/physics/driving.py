"""Speeds that take avatars and hands where they should be.

N: environments, P: players.
"""

from typing import Final

import numpy as np

from adaland.envs import constants

# A standing avatar pulls back to its place when it has slid this far, which
# on the slope of a ramp it does at once; a push takes the place along.
PLACE_METRES: Final = 0.02
# Metres a second: more than walking, turning and swinging at once ask for.
MAX_HAND_SPEED: Final = 12.0


class Standing:
  """Remembers where avatars that stand want to be."""

  def __init__(self, num_envs: int, num_players: int):
    self._place = np.zeros((num_envs, num_players, 2))
    self._stood = np.zeros((num_envs, num_players, 1), bool)  # Last step.

  def forget(self, env_ids: np.ndarray) -> None:
    """Environments begin anew."""
    self._stood[env_ids] = False

  def velocity(self, wanted: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The wish; or, standing, what keeps the place on a ramp.

    Args:
      wanted: Planar velocity, metres a second, float [N, P, 2].
      at: Where the avatars are, metres, float [N, P, 2].

    Returns:
      Metres a second, float [N, P, 2].
    """
    stands = ~np.any(wanted, axis=-1, keepdims=True)  # [N, P, 1]
    back = np.where(stands & self._stood, self._place - at, 0.0)
    back = np.clip(back, -PLACE_METRES, PLACE_METRES)
    self._stood = stands
    self._place[:] = at + back
    return wanted + back / constants.STEP_SECONDS


def hand_velocity(
  target: np.ndarray, at: np.ndarray, holds: np.ndarray
) -> np.ndarray:
  """What takes the hands to their targets in a step; empty ones rest.

  Args:
    target: Where they should be, metres, float [N, P, 3].
    at: Where they are, the same shape.
    holds: Whether they hold anything, bool [N, P].

  Returns:
    Metres a second, float [N, P, 3].
  """
  if not holds.any():
    return np.zeros_like(at)
  way = target - at
  speed = np.linalg.norm(way, axis=-1, keepdims=True) / constants.STEP_SECONDS
  slower = np.minimum(1.0, MAX_HAND_SPEED / np.maximum(speed, 1e-6))
  velocity = way * (slower / constants.STEP_SECONDS)
  return np.where(holds[..., None], velocity, 0.0)
