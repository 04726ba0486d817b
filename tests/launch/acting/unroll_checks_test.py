"""Tests that unroll_checks finds faults."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import types
from adaland.envs import constants
from tests.launch.acting import unroll_checks

_LENGTH, _PADDED = 3, 5


def _episode() -> types.Unroll:
  """Returns an episode of three steps and two steps of padding."""
  heads = len(constants.ACTION_SIZES)
  action = np.zeros((_PADDED, heads), np.int8)
  action[:_LENGTH] = np.arange(_LENGTH)[:, None] % 2
  reward = np.array([0.5, 1.0, 2.0, 0, 0], np.float32)
  last_action = np.roll(action.astype(np.int32), 1, axis=0)
  last_action[0] = -1
  last_reward = np.roll(reward, 1)
  last_reward[0] = 0
  return types.Unroll(
    observation={
      "goal": np.ones(6, np.int32),
      "rules": np.ones((2, 14), np.int32),
      "last_action": last_action,
      "last_reward": last_reward,
    },
    first=np.array([1, 0, 0, 0, 0], np.uint8),
    action=action,
    behaviour_logits=np.zeros((_PADDED, 20), np.float32),
    reward=reward,
    discount=np.array([1, 1, 0, 0, 0], np.float32),
    mask=np.array([1, 1, 1, 0, 0], np.uint8),
    initial_memory={},
    params_version=np.array(7, np.int64),
    privileged={},
  )


class UnrollChecksTest(parameterized.TestCase):
  def test_an_episode_passes(self):
    unroll_checks.check_episode(_episode(), newest_version=7)

  @parameterized.parameters(
    ("first", 1, 1, "not one episode"),
    ("first", 0, 0, "not one episode"),
    ("discount", 1, 0, "does not end"),
    ("discount", 2, 1, "does not end"),
    ("mask", 1, 0, "holes"),
    ("action", (1, 0), 2, "actions of another"),
    ("action", (1, 0), 100, "impossible"),
    ("reward", 0, 9, "rewards of another"),
    ("behaviour_logits", (0, 0), np.nan, "not finite"),
    ("params_version", (), 8, "parameters 8"),
    ("params_version", (), -1, "parameters -1"),
  )
  def test_a_fault_is_found(self, field, index, value, fault):
    unroll = _episode()
    getattr(unroll, field)[index] = value
    with self.assertRaisesRegex(AssertionError, fault):
      unroll_checks.check_episode(unroll, newest_version=7)


if __name__ == "__main__":
  absltest.main()
