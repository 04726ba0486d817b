"""Tests for the state that is kept between steps."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.stepping import env_state, task_rows
from tests.envs import fixtures


def _stepped() -> tuple[env_state.TaskBatch, env_state.EnvState]:
  """Returns tasks of two environments and a state other than their start."""
  rows = task_rows.TaskRows(2, fixtures.CONFIG)
  task = task_rows.prepare(fixtures.busy_task(trials=2), fixtures.CONFIG)
  rows.load(np.arange(2), [task, task])
  empty = env_state.empty(2, 1, fixtures.CONFIG.num_slots)
  stepped = jax.tree.map(lambda x: np.full(x.shape, 1, x.dtype), empty)
  stepped = stepped._replace(
    pitch=np.full((2, 1), 0.5, np.float32),
    hand=stepped.hand._replace(ready=np.zeros((2, 1), bool)),
  )
  return rows.device, stepped


class RestartTest(absltest.TestCase):
  def test_trial_start_resets_one_environment(self):
    tasks, stepped = _stepped()
    trial = np.asarray([False, True])
    after = env_state.restart(tasks, stepped, trial, np.zeros(2, bool))
    jax.tree.map(
      lambda old, new: np.testing.assert_array_equal(old[0], new[0]),
      stepped,
      after,
    )
    np.testing.assert_array_equal(after.slot_types[1], tasks.start_types[1])
    np.testing.assert_array_equal(after.frozen[1], tasks.start_frozen[1])
    np.testing.assert_allclose(after.pitch[1], constants.START_PITCH)
    hand = [x[1].tolist() for x in after.hand]
    self.assertEqual(hand, [[-1], [0], [[0, 0, 0]], [True]])
    self.assertEqual(after.lag[1], 0)
    # Time, last action and last reward are not part of the world.
    self.assertEqual([x[1] for x in after.clock], [1, 1, 1, 1])
    np.testing.assert_array_equal(after.last_action[1], 1)
    np.testing.assert_array_equal(after.last_reward[1], 1)

  def test_episode_start_resets_one_environment(self):
    tasks, stepped = _stepped()
    episode = np.asarray([True, False])
    after = env_state.restart(tasks, stepped, np.zeros(2, bool), episode)
    np.testing.assert_array_equal(after.slot_types[0], tasks.start_types[0])
    steps = fixtures.busy_task().trial_steps
    self.assertEqual([x[0] for x in after.clock], [0, 0, 2, steps])
    np.testing.assert_array_equal(after.last_action[0], -1)
    np.testing.assert_array_equal(after.last_reward[0], 0)
    jax.tree.map(
      lambda old, new: np.testing.assert_array_equal(old[1], new[1]),
      stepped,
      after,
    )


if __name__ == "__main__":
  absltest.main()
