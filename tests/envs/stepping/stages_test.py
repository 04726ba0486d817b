"""Tests for the stages of a step, where they do more than their parts."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.stepping import env_state, stages, task_rows
from tests.envs import land_fixtures as fixtures

_N, _S = fixtures.NUM_ENVS, fixtures.CONFIG.num_slots


class FinishTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    # Two trials of one step: the player is near the cube from the start.
    task = task_rows.prepare(fixtures.busy_task(trials=2), fixtures.CONFIG)
    rows = task_rows.TaskRows(_N, fixtures.CONFIG)
    rows.load(np.arange(_N), [task, task])
    everywhere = np.ones(_N, bool)
    self.tasks = rows.device
    self.session = stages.restart(
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

  def _finish(self, session_, starting, size=None):
    _, hand, pitch = stages.control(session_, self.poses, self.actions)
    result = stages.finish(
      self.tasks,
      session_,
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
    late = self.session._replace(
      clock=self.session.clock._replace(step=self.session.clock.trial_steps - 1)
    )
    after, outcome, _ = self._finish(late, [False, True])
    np.testing.assert_allclose(
      outcome.reward[:, 0], [constants.STEP_SECONDS, 0]
    )
    np.testing.assert_array_equal(after.last_reward, outcome.reward)
    np.testing.assert_array_equal(after.clock.trial[0], 1)

  def test_what_is_shown_is_what_observe_shows_of_the_session(self):
    after, _, shown = self._finish(self.session, [False, False])
    again, reshown = stages.observe(
      self.tasks, after, self.poses, self.sees, None
    )
    np.testing.assert_array_equal(again.visible, self.sees[:, :1])
    self.assertEqual(set(shown[0]), set(reshown[0]))
    for name, value in shown[0].items():
      np.testing.assert_allclose(value, reshown[0][name], atol=1e-6)
    np.testing.assert_array_equal(shown[0]["entities"][:, 0, :, 0].sum(-1), 1)
    np.testing.assert_array_equal(shown[0]["last_action"], self.actions)

  def test_pictures_come_as_rays(self):
    _, _, (shown, rays) = self._finish(self.session, [False, False], (4, 3))
    self.assertNotIn("entities", shown)
    self.assertEqual([x.shape for x in rays], [(_N, 12, 3)] * 2)
    eye = [0, 0, constants.EYE_HEIGHT]
    np.testing.assert_allclose(rays[0], np.broadcast_to(eye, (_N, 12, 3)))
    np.testing.assert_allclose(np.linalg.norm(rays[1], axis=-1), 1, atol=1e-6)


if __name__ == "__main__":
  absltest.main()
