"""The objects that players hold, in a batch of MuJoCo simulations.

N: environments, P: players, S: slots, C: changes.
"""

from collections.abc import Callable

import numpy as np

from adaland.envs.physics import cpu_arrays, models


class Grips:
  """The constraints that pull held objects to hands.

  Attributes:
    held: Slot that each player holds, -1 for none, int [N, P].
  """

  def __init__(
    self,
    worlds: models.Models,
    arrays: cpu_arrays.BatchArrays,
    wake: Callable[[np.ndarray], None],
  ):
    """Initializes empty hands.

    Args:
      worlds: The models of the batch.
      arrays: The state of the batch.
      wake: Wakes all objects of some environments, which are ascending.
    """
    self.held = np.full(arrays.hand_pos.shape[:2], -1)
    self._worlds = worlds
    self._arrays = arrays
    self._wake = wake

  def forget(self, env_ids: np.ndarray) -> None:
    """Empties the hands of environments whose simulation restarts."""
    self.held[env_ids] = -1

  def drop(self, env_ids: np.ndarray, slots: np.ndarray) -> None:
    """Empties the hands that hold objects in changing slots.

    Args:
      env_ids: Environment of each change, int [C].
      slots: Slot of each change, int [C].
    """
    self._arrays.grips[env_ids, :, slots] = 0.0
    row, player = np.nonzero(self.held[env_ids] == slots[:, None])
    self.held[env_ids[row], player] = -1
    self._wake_resting(env_ids[row], slots[row])

  def change(self, wanted: np.ndarray) -> None:
    """Releases objects that are no longer held, and grips new ones.

    Args:
      wanted: Slot that each player should hold, -1 for none, int [N, P].
    """
    if (wanted == self.held).all():
      return
    rows = np.arange(len(wanted))[:, None]
    free = self._worlds.free[rows, np.maximum(wanted, 0)]
    held = np.where(free & (wanted >= 0), wanted, -1)
    changes = held != self.held
    env, player = np.nonzero(changes & (self.held >= 0))
    self._wake_resting(env, self.held[env, player])
    num_slots = self._worlds.capacity.num_slots
    self._arrays.grips[:] = held[..., None] == np.arange(num_slots)
    env, player = np.nonzero(changes & (held >= 0))
    self._arrays.start_hands(env, player, held[env, player])
    self.held[:] = held

  def _wake_resting(self, env_ids: np.ndarray, slots: np.ndarray) -> None:
    """Wakes environments in which a released object is at rest.

    An object that was held still counts as at rest and would fall asleep in
    mid-air, as would an object that a rule puts in its slot.

    Args:
      env_ids: Environment of each release, int [C].
      slots: Slot of each release, int [C].
    """
    if not env_ids.size:
      return
    rests = self._arrays.rest[env_ids, slots]
    self._wake(np.unique(env_ids[rests > cpu_arrays.MOVING]))
