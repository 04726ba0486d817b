"""Tests of the views of a batch's arrays."""

import numpy as np
from absl.testing import absltest
from mujoco import batch as mujoco_batch

from adaland.envs.physics import cpu_arrays, mjcf, terrain

_CAPACITY = mjcf.Capacity(num_slots=3, num_players=2, max_boxes=12, max_ramps=2)


class BatchArraysTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    flat = np.zeros((3, 3), int)
    model = mjcf.build(_CAPACITY, terrain.pieces(flat, flat))
    self.batch = mujoco_batch.Batch(model, 2, 1, persistent=True)
    self.arrays = cpu_arrays.BatchArrays(
      self.batch, _CAPACITY, mjcf.layout(_CAPACITY)
    )

  def test_drive_sets_players_then_hands(self):
    players = np.arange(8.0).reshape(2, 2, 2)
    hands = 10 + np.arange(12.0).reshape(2, 2, 3)
    self.arrays.drive(players, hands)
    np.testing.assert_array_equal(
      self.batch.bind("ctrl")[1],
      [4, 5, 6, 7, 16, 17, 18, 19, 20, 21],
    )

  def test_rest_slots_poses_bodies_upright_without_speed(self):
    speeds = self.batch.bind("qvel")
    speeds[:] = 1.0
    at = np.array([[1.0, 2.0, 3.0]])
    self.arrays.rest_slots(np.array([1]), np.array([2]), at)
    np.testing.assert_array_equal(
      self.arrays.slot_poses[1, 2], [1, 2, 3, 1, 0, 0, 0]
    )
    # Six degrees of freedom for players, six for hands, then six per slot.
    np.testing.assert_array_equal(speeds[1, 24:], 0)
    np.testing.assert_array_equal(speeds[1, :24], 1)
    np.testing.assert_array_equal(speeds[0], 1)

  def test_hands_start_at_the_gripped_objects(self):
    speeds = self.batch.bind("qvel")
    speeds[:] = 1.0
    one = np.array([1])
    self.arrays.rest_slots(one, one, np.array([[1.0, 2.0, 3.0]]))
    self.arrays.start_hands(one, np.array([0]), one)
    np.testing.assert_array_equal(self.arrays.hand_pos[1, 0], [1, 2, 3])
    np.testing.assert_array_equal(speeds[1, 6:9], 0)
    np.testing.assert_array_equal(speeds[1, 9:12], 1)


if __name__ == "__main__":
  absltest.main()
