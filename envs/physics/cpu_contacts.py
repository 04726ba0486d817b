"""Contact sensors of a batch of MuJoCo simulations.

N: environments, P: players, S: slots, M = P + S: nodes, K: pairs of nodes.
"""

from typing import Final

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs.physics import models

_POSITION_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_POS)
_NO_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_NONE)


class ContactSensors:
  """The contacts between nodes in a step, sensed in each of its substeps.

  A bounce lasts less than a step, so that contacts at the end of steps would
  miss many. MuJoCo finds contacts at the start of a substep, for its own use:
  those of a step's end count in the next step.
  """

  def __init__(self, worlds: models.Models, batch: mujoco_batch.Batch):
    """Initializes the sensors of all environments.

    Args:
      worlds: The models of the batch.
      batch: The batch.
    """
    self.attach(worlds, batch)

  def attach(self, worlds: models.Models, batch: mujoco_batch.Batch) -> None:
    """Replaces models and batch; contacts are to be sensed anew."""
    self._worlds = worlds
    self._batch = batch
    self._data = batch.bind("sensordata")
    pairs, capacity = worlds.layout.pairs, worlds.capacity
    self._found = np.zeros((len(worlds.models), len(pairs)), bool)
    self._records: dict[str, np.ndarray] = {}
    # The sensor of each two nodes; the one past the last never fires.
    first, second = pairs.T
    num_nodes = capacity.num_players + capacity.num_slots
    self._pair_sensors = np.full((num_nodes, num_nodes), len(pairs))
    self._pair_sensors[first, second] = np.arange(len(pairs))
    self._pair_sensors[second, first] = np.arange(len(pairs))

  def simulate(self, substeps: int) -> None:
    """Runs the substeps of a step and senses contacts in each."""
    if not self._worlds.watched.any():
      self._batch.step(nstep=substeps, stage=_NO_STAGE)
      return
    self._records = self._batch.rollout(
      substeps, record=("sensordata",), out=self._records
    )
    np.any(self._records["sensordata"], axis=1, out=self._found)

  def sense(self, ids: np.ndarray) -> None:
    """Senses contacts at the present state, where any are reported.

    Args:
      ids: Environments, ascending, int [C].
    """
    ids = ids[self._worlds.watched[ids].any(axis=1)]
    if ids.size:
      self._batch.forward(ids, stage=_POSITION_STAGE)
      self._found[ids] = self._data[ids] > 0

  def touching(self) -> np.ndarray:
    """Returns the contacts, bool [N, M, M]."""
    fixed, watched = self._worlds.fixed_contacts, self._worlds.watched
    if not watched.any():
      return np.zeros_like(fixed)
    contacts = np.zeros((len(watched), watched.shape[1] + 1), bool)
    np.logical_and(self._found, watched, out=contacts[:, :-1])
    touching = contacts.take(self._pair_sensors, axis=1)
    if fixed.any():
      contacts[:, :-1] = watched
      touching |= fixed & contacts.take(self._pair_sensors, axis=1)
    return touching
