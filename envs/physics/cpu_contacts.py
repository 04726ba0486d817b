"""Contact sensors of a batch of MuJoCo simulations.

N: environments, P: players, S: slots, M = P + S: nodes.
"""

from typing import Final

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs.physics import models

_VELOCITY_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_VEL)


class ContactSensors:
  """The contacts between nodes, sensed once at the end of a step.

  Sensors stay off during substeps, and everywhere in environments that never
  report contacts.

  Attributes:
    watched: Environments that report contacts, bool [N].
  """

  def __init__(self, worlds: models.Models, batch: mujoco_batch.Batch):
    """Initializes the sensors of all environments.

    Args:
      worlds: The models of the batch.
      batch: The batch.
    """
    self.watched = np.ones(len(worlds.models), bool)
    self.attach(worlds, batch)

  def attach(self, worlds: models.Models, batch: mujoco_batch.Batch) -> None:
    """Replaces models and batch; `watched` stays as it is."""
    self._worlds = worlds
    self._batch = batch
    self._data = batch.bind("sensordata")
    pairs, capacity = worlds.layout.pairs, worlds.capacity
    # The sensor of each two nodes; the one past the last never fires.
    first, second = pairs.T
    num_nodes = capacity.num_players + capacity.num_slots
    self._pair_sensors = np.full((num_nodes, num_nodes), len(pairs))
    self._pair_sensors[first, second] = np.arange(len(pairs))
    self._pair_sensors[second, first] = np.arange(len(pairs))
    self.find_options()

  def find_options(self) -> None:
    """Looks up the models' options again, after models were exchanged."""
    self._options = [model.opt for model in self._worlds.models]

  def sense(self, ids: np.ndarray | None = None) -> None:
    """Computes contacts at the present state, where they are reported.

    The next step continues from what is computed here, so that little is
    computed twice.

    Args:
      ids: Environments, ascending, int [C]; None for all.
    """
    if ids is None:
      ids = np.arange(len(self.watched))
    ids = ids[self.watched[ids]]
    if not ids.size:
      return
    options = [self._options[env] for env in ids]
    for option in options:
      option.disableflags = 0
    try:
      self._batch.forward(ids, stage=_VELOCITY_STAGE)
    finally:
      for option in options:
        option.disableflags = models.SENSORS_OFF

  def touching(self) -> np.ndarray:
    """Returns the contacts as of the last `sense`, bool [N, M, M]."""
    if not self.watched.any():
      return np.zeros_like(self._worlds.fixed_contacts)
    num_envs, num_sensors = self._data.shape
    contacts = np.zeros((num_envs, num_sensors + 1), bool)
    np.greater(self._data, 0, out=contacts[:, :-1])
    touching = contacts.take(self._pair_sensors, axis=1)
    touching |= self._worlds.fixed_contacts
    return touching & self.watched[:, None, None]
