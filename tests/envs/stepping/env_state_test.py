"""Tests for what is remembered between steps."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.stepping import env_state, task_rows
from tests.envs import land_fixtures as fixtures


def _played() -> tuple[env_state.Tasks, env_state.Session]:
  """Tasks of two environments, and a session in the midst of things."""
  rows = task_rows.TaskRows(2, fixtures.CONFIG)
  task = task_rows.prepare(fixtures.busy_task(trials=2), fixtures.CONFIG)
  rows.load(np.arange(2), [task, task])
  start = env_state.empty(2, 1, fixtures.CONFIG.num_slots)
  played = jax.tree.map(lambda x: np.full(x.shape, 1, x.dtype), start)
  played = played._replace(pitch=np.full((2, 1), 0.5, np.float32))
  return rows.device, played


class RestartTest(absltest.TestCase):
  def test_a_trial_starts_in_one_environment(self):
    tasks, played = _played()
    trial = np.asarray([False, True])
    after = env_state.restart(tasks, played, trial, np.zeros(2, bool))
    jax.tree.map(
      lambda old, new: np.testing.assert_array_equal(old[0], new[0]),
      played,
      after,
    )
    np.testing.assert_array_equal(after.slot_types[1], tasks.start_types[1])
    np.testing.assert_array_equal(after.frozen[1], tasks.start_frozen[1])
    np.testing.assert_allclose(after.pitch[1], constants.START_PITCH)
    hand = [x[1].tolist() for x in after.hand]
    self.assertEqual(hand, [[-1], [0], [[0, 0, 0]], [True]])
    self.assertEqual(after.lag[1], 0)
    # What the player remembers of the last step is not part of the world.
    self.assertEqual([x[1] for x in after.clock], [1, 1, 1, 1])
    np.testing.assert_array_equal(after.last_action[1], 1)
    np.testing.assert_array_equal(after.last_reward[1], 1)

  def test_an_episode_starts_in_one_environment(self):
    tasks, played = _played()
    episode = np.asarray([True, False])
    after = env_state.restart(tasks, played, np.zeros(2, bool), episode)
    np.testing.assert_array_equal(after.slot_types[0], tasks.start_types[0])
    steps = fixtures.busy_task().trial_steps
    self.assertEqual([x[0] for x in after.clock], [0, 0, 2, steps])
    np.testing.assert_array_equal(after.last_action[0], -1)
    np.testing.assert_array_equal(after.last_reward[0], 0)
    jax.tree.map(
      lambda old, new: np.testing.assert_array_equal(old[1], new[1]),
      played,
      after,
    )


if __name__ == "__main__":
  absltest.main()
