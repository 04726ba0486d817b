"""Contacts in a batch of MuJoCo simulations.

N: environments, P: players, S: slots, M = P + S: nodes, K: sensors.
"""

from typing import Final

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs.physics import models

_POSITION_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_POS)
_NO_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_NONE)


class Contacts:
  """The contacts between nodes in a step, found in each of its substeps.

  A bounce lasts less than a step, so the contacts at the end of steps would
  miss many. MuJoCo finds contacts at the start of a substep, for its own use:
  contacts at the end of a step count in the next step.

  Sensors report the contacts if a world has enough sensors for the pairs that
  its game names, as nearly all have. A crowded world is stopped after each
  substep to read its list of contacts, which takes longer.
  """

  def __init__(self, worlds: models.Models, batch: mujoco_batch.Batch):
    """Initializes a batch without contacts.

    Args:
      worlds: The models of the batch.
      batch: The batch.
    """
    self._worlds = worlds
    self._batch = batch
    self._readings = batch.bind("sensordata")
    num_players = worlds.capacity.num_players
    self._rest = batch.bind("tree_asleep")[:, 2 * num_players :]
    self._data = mujoco.MjData(worlds.models[0])
    # Contacts in all substeps, and in the last one.
    self._found = np.zeros_like(worlds.watched)
    self._latest = np.zeros_like(worlds.watched)
    self._records: dict[str, np.ndarray] = {}

  def simulate(self, substeps: int) -> None:
    """Runs the substeps of a step and finds the contacts in each."""
    crowded = np.flatnonzero(self._worlds.crowded)
    others = np.flatnonzero(~self._worlds.crowded)
    # A gripped object may wake after MuJoCo has searched for contacts.
    self._found[:] = self._at_rest(slice(None))
    if crowded.size:
      for _ in range(substeps):
        self._batch.step(crowded, nstep=1, stage=_NO_STAGE)
        self._read_lists(crowded)
    if not others.size:
      return
    ids = others if crowded.size else None
    if not (self._worlds.sensed[others] >= 0).any():
      self._batch.step(ids, nstep=substeps, stage=_NO_STAGE)
      return
    out = None if crowded.size else self._records
    records = self._batch.rollout(
      substeps, record=("sensordata",), ids=ids, out=out
    )
    if not crowded.size:
      self._records = records
    self._read_sensors(others, records["sensordata"])

  def sense(self, ids: np.ndarray) -> None:
    """Finds contacts in the current state, where any are reported.

    Args:
      ids: Environments, ascending, int [C].
    """
    ids = ids[self._worlds.watched[ids].any(axis=(1, 2))]
    if not ids.size:
      return
    self._batch.forward(ids, stage=_POSITION_STAGE)
    self._found[ids] = False
    crowded = self._worlds.crowded[ids]
    self._read_lists(ids[crowded])
    calm = ids[~crowded]
    self._read_sensors(calm, self._readings[calm][:, None])

  def touching(self) -> np.ndarray:
    """Returns the contacts, bool [N, M, M]."""
    found = self._found | self._worlds.fixed_contacts
    if not found.any():  # As in most steps of most worlds.
      return found
    found &= self._worlds.watched
    return found | found.swapaxes(1, 2)

  def _read_sensors(self, ids: np.ndarray, readings: np.ndarray) -> None:
    """Adds the contacts that the sensors of some environments report.

    Args:
      ids: Environments, int [C].
      readings: Readings in the substeps, float [C, T, K].
    """
    sensed = self._worlds.sensed[ids]
    on = (readings > 0) & (sensed[:, None, :, 0] >= 0)
    self._latest[ids] = False
    for contacts, found in (
      (self._found, on.any(axis=1)),
      (self._latest, on[:, -1]),
    ):
      row, sensor = np.nonzero(found)
      first, second = sensed[row, sensor].T
      contacts[ids[row], first, second] = True

  def _read_lists(self, ids: np.ndarray) -> None:
    """Adds the contacts in MuJoCo's lists of some environments.

    The lists leave out contacts of sleeping objects with sleeping or frozen
    ones; these are as before.
    """
    self._latest[ids] = self._at_rest(ids)
    for env in ids.tolist():
      data = self._batch.get_data(env, self._data)
      nodes = np.sort(self._worlds.geom_nodes[data.contact.geom], axis=1)
      first, second = nodes[nodes[:, 0] >= 0].T
      self._latest[env, first, second] = True
    self._found[ids] |= self._latest[ids]

  def _at_rest(self, ids: np.ndarray | slice) -> np.ndarray:
    """Returns the last contacts of sleeping with sleeping or frozen objects.

    Args:
      ids: Environments.

    Returns:
      The contacts, bool [C, M, M].
    """
    latest = self._latest[ids]
    if not latest.any():
      return latest
    free, rest = self._worlds.free[ids], self._rest[ids]
    asleep = free & (rest >= 0)
    players = np.zeros((len(latest), self._worlds.capacity.num_players), bool)
    asleep, still = (
      np.concatenate([players, objects], axis=1)
      for objects in (asleep, asleep | ~free)
    )
    pairs = asleep[:, :, None] | asleep[:, None]
    return latest & still[:, :, None] & still[:, None] & pairs
