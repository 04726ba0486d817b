"""Tests of adaland.envs.stepping.players."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.stepping import players

_HIGHEST = np.array(constants.ACTION_SIZES) - 1


class CheckActionsTest(parameterized.TestCase):
  @parameterized.parameters(np.int8, np.uint8, np.int64, np.uint64)
  def test_whole_numbers_become_int32_with_a_row_for_each_player(self, dtype):
    actions = np.stack([_HIGHEST, 0 * _HIGHEST]).astype(dtype)
    for given, num_players in ((actions, 1), (actions[None], 2)):
      found = players.check_actions(given, 3 - num_players, num_players, False)
      self.assertEqual(found.dtype, np.int32)
      self.assertEqual(found.shape, (3 - num_players, num_players, 6))
      np.testing.assert_array_equal(found.reshape(2, 6), actions)
    listed = players.check_actions(actions[:, None].tolist(), 2, 1, False)
    np.testing.assert_array_equal(listed[:, 0], actions)

  @parameterized.parameters(False, True)
  def test_each_head_has_its_range(self, on_device):
    for head in range(6):
      for beyond in (-1, constants.ACTION_SIZES[head], 2**32):
        actions = np.stack([_HIGHEST, _HIGHEST]).astype(np.int64)
        actions[1, head] = beyond
        with self.assertRaisesRegex(ValueError, "from 0 to below .3, 3, 5"):
          players.check_actions(actions, 2, 1, on_device)

  def test_arrays_on_the_device_are_not_read(self):
    actions = jnp.full((1, 6), 99, jnp.int32)
    found = players.check_actions(actions, 1, 1, True)
    self.assertIsInstance(found, jnp.ndarray)
    self.assertEqual(found.shape, (1, 1, 6))
    with self.assertRaisesRegex(ValueError, "out of range"):
      players.check_actions(actions, 1, 1, False)

  @parameterized.parameters(
    ((2, 6), 2, 2, r"\(2, 6\), allowed: \(2, 2, 6\)"),
    ((2, 1, 6), 2, 2, r"\(2, 1, 6\), allowed: \(2, 2, 6\)"),
    ((1, 6), 2, 1, r"\(1, 6\), allowed: \(2, 6\)"),
    ((6,), 1, 1, r"\(6,\), allowed: \(1, 6\)"),
  )
  def test_refuses_other_shapes(self, shape, num_envs, num_players, message):
    with self.assertRaisesRegex(ValueError, f"actions have shape {message}"):
      players.check_actions(np.zeros(shape, int), num_envs, num_players, False)

  @parameterized.parameters(bool, np.float32)
  def test_refuses_what_is_not_whole(self, dtype):
    with self.assertRaisesRegex(ValueError, "allowed: integers"):
      players.check_actions(np.zeros((1, 6), dtype), 1, 1, False)


class MaskedTest(absltest.TestCase):
  def test_only_absent_players_get_zeros(self):
    present = np.array([[True, False], [True, True]])
    found = players.masked(
      {"reward": np.ones((2, 2), np.float32), "goal": np.full((2, 2, 3), 7)},
      present,
    )
    np.testing.assert_array_equal(found["reward"], present)
    np.testing.assert_array_equal(
      found["goal"], 7 * present[..., None].repeat(3, 2)
    )
    self.assertEqual(found["reward"].dtype, np.float32)
    np.testing.assert_array_equal(players.single(found)["reward"], [1, 1])


if __name__ == "__main__":
  absltest.main()
