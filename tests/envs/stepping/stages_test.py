"""Tests for the jitted stages, as far as they do more than their parts."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.stepping import env_state, stages, task_rows
from tests.envs import fixtures

_N, _S = fixtures.NUM_ENVS, fixtures.CONFIG.num_slots


class StageCase(absltest.TestCase):
  """A test with tasks, and the state at the start of an episode."""

  def setUp(self):
    super().setUp()
    # The player is near the cube from the start.
    task = task_rows.prepare(fixtures.busy_task(trials=2), fixtures.CONFIG)
    rows = task_rows.TaskRows(_N, fixtures.CONFIG)
    rows.load(np.arange(_N), [task, task])
    everywhere = np.ones(_N, bool)
    self.tasks = rows.device
    self.state = stages.restart(
      self.tasks, env_state.empty(_N, 1, _S), ~everywhere, everywhere
    )
    pos = np.stack([task.scene.slot_at] * _N).astype(np.float32)
    pos[:, 0, :2] = 0.5, 0.0
    self.poses = avatar.Poses(
      object_pos=pos,
      player_pos=np.zeros((_N, 1, 3), np.float32),
      player_yaw=np.zeros((_N, 1), np.float32),
      touching=np.zeros((_N, 1 + _S, 1 + _S), bool),
    )
    self.actions = fixtures.noop()[:, None].astype(np.int32)
    self.sees = np.zeros((_N, 1 + _S, 1 + _S), bool)
    self.sees[:, 0, 1] = True


class ControlTest(StageCase):
  def test_a_hand_stays_above_the_ground(self):
    held = self.state.hand._replace(
      held=np.zeros((_N, 1), np.int32), distance=np.full((_N, 1), 2.0)
    )
    self.actions[..., 4] = 1
    state = self.state._replace(hand=held, pitch=np.full((_N, 1), -1.0))
    controls, hand, _ = stages.control(
      self.tasks, state, self.poses, self.actions
    )
    np.testing.assert_array_equal(hand.held, 0)
    # Two metres from the eye, the view's axis is below the ground.
    _, _, _, hand_at = controls
    expected = np.broadcast_to([2 * np.cos(1), 0, 0.1], (_N, 1, 3))
    np.testing.assert_allclose(hand_at, expected, atol=1e-5)


class FinishTest(StageCase):
  def _finish(self, state, starting, size=None):
    _, hand, pitch = stages.control(self.tasks, state, self.poses, self.actions)
    result = stages.finish(
      self.tasks,
      state,
      hand,
      pitch,
      self.poses,
      self.sees,
      self.actions,
      np.asarray(starting),
      size,
    )
    return jax.tree.map(np.asarray, result)

  def test_nothing_happens_where_an_episode_starts(self):
    # The player sees the pyramid, which becomes two spheres; all slots are
    # full, so there is room for only one.
    self.sees[:, 0, 3] = True
    types, rules = map(np.array, (self.state.slot_types, self.tasks.game.rules))
    types[:, 3:] = fixtures.CUBE.type_id
    rules[:, 1, 8:10] = rules[:, 1, 6:8]
    self.tasks = self.tasks._replace(game=self.tasks.game._replace(rules=rules))
    clock = self.state.clock
    late = self.state._replace(
      slot_types=types, clock=clock._replace(step=clock.trial_steps - 1)
    )
    after, outcome, _, _ = self._finish(late, [False, True])
    np.testing.assert_array_equal(outcome.fired[:, 1], [True, False])
    np.testing.assert_array_equal(outcome.changed[:, 2], [True, False])
    np.testing.assert_array_equal(outcome.dropped, [1, 0])
    np.testing.assert_allclose(
      outcome.reward[:, 0], [constants.STEP_SECONDS, 0]
    )
    np.testing.assert_array_equal(after.last_reward, outcome.reward)
    np.testing.assert_array_equal(after.clock.trial[0], 1)

  def test_finish_observes_as_observe_does_afterwards(self):
    after, _, found, rays = self._finish(self.state, [False, False])
    self.assertIsNone(rays)
    again, expected, _ = stages.observe(
      self.tasks, after, self.poses, self.sees, None
    )
    np.testing.assert_array_equal(again.visible, self.sees[:, :1])
    self.assertEqual(set(found), set(expected))
    for name, value in found.items():
      np.testing.assert_allclose(value, expected[name], atol=1e-6)
    np.testing.assert_array_equal(found["entities"][:, 0, :, 0].sum(-1), 1)
    np.testing.assert_array_equal(found["last_action"], self.actions)

  def test_pixels_request_rays_from_the_eyes(self):
    _, _, found, rays = self._finish(self.state, [False, False], (24, 18))
    self.assertNotIn("entities", found)
    self.assertEqual([x.shape for x in rays], [(_N, 24 * 18, 3)] * 2)
    eye = [0, 0, constants.EYE_HEIGHT]
    np.testing.assert_allclose(
      rays.origins, np.broadcast_to(eye, rays.origins.shape)
    )
    np.testing.assert_allclose(
      np.linalg.norm(rays.directions, axis=-1), 1, atol=1e-6
    )


if __name__ == "__main__":
  absltest.main()
