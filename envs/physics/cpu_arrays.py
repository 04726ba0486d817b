"""Views of the arrays of a MuJoCo batch, by players, hands and slots.

N: environments, P: players, S: slots.
"""

from typing import Final

import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs.physics import mjcf

MOVING: Final = -11  # MuJoCo's count for a tree that moves.


class BatchArrays:
  """State and controls of a batch, as views that change it in place.

  Attributes:
    qpos: Positions of the players, then the hands, then the slots.
    player_pos: Players' feet, [N, P, 3].
    hand_pos: Hands, [N, P, 3].
    slot_poses: Positions and orientations of the slots' bodies, [N, S, 7].
    grips: Nonzero where a player holds the object in a slot, [N, P, S].
    rest: MuJoCo's count of substeps at rest of the object in each slot, from
      MOVING up; asleep at 0 or more; read-only [N, S].
  """

  def __init__(
    self,
    batch: mujoco_batch.Batch,
    capacity: mjcf.Capacity,
    layout: mjcf.Layout,
  ):
    """Initializes views of the batch's arrays.

    Args:
      batch: The batch.
      capacity: Sizes of its models.
      layout: Addresses in its models' arrays.
    """
    self.qpos = batch.bind("qpos")
    self._qvel = batch.bind("qvel")
    self._warmstart = batch.bind("qacc_warmstart")
    self._ctrl = batch.bind("ctrl")
    N, P, S = len(self.qpos), capacity.num_players, capacity.num_slots
    self.player_pos = self.qpos[:, : 3 * P].reshape(N, P, 3)
    self.hand_pos = self.qpos[:, 3 * P : 6 * P].reshape(N, P, 3)
    self.slot_poses = self.qpos[:, 6 * P :].reshape(N, S, 7)
    self.grips = batch.bind("eq_active").reshape(N, P, S)
    self.rest = batch.bind("tree_asleep")[:, 2 * P :]
    self._slot_cols = layout.slot_qpos[:, None] + np.arange(7)  # [S, 7]
    self._slot_dofs = layout.slot_dofs[:, None] + np.arange(6)  # [S, 6]
    self._hand_cols = layout.hand_qpos[:, None] + np.arange(3)  # [P, 3]

  def drive(self, players: np.ndarray, hands: np.ndarray) -> None:
    """Sets wanted velocities, metres per second, [N, P, 2] and [N, P, 3]."""
    N, P = hands.shape[:2]
    self._ctrl[:, : 2 * P] = players.reshape(N, 2 * P)
    self._ctrl[:, 2 * P :] = hands.reshape(N, 3 * P)

  def rest_slots(
    self, env_ids: np.ndarray, slots: np.ndarray, at: np.ndarray
  ) -> None:
    """Puts the bodies of some slots to rest at positions, [C, 3]."""
    pose = np.zeros((len(slots), 7))
    pose[:, :3], pose[:, 3] = at, 1.0
    rows = env_ids[:, None]
    self.qpos[rows, self._slot_cols[slots]] = pose
    self._qvel[rows, self._slot_dofs[slots]] = 0.0
    self._warmstart[rows, self._slot_dofs[slots]] = 0.0

  def start_hands(
    self, env_ids: np.ndarray, players: np.ndarray, slots: np.ndarray
  ) -> None:
    """Puts hands to rest at the centres of the objects that they grip."""
    at = self.slot_poses[env_ids, slots, :3]
    self.hand_pos[env_ids, players] = at
    self._qvel[env_ids[:, None], self._hand_cols[players]] = 0.0
