"""Tests of adaland.launch.runtimes.single.preflight."""

import os

import jax
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.runtimes.single import preflight
from tests.launch.runtimes.single import configs


class PreflightTest(parameterized.TestCase):
  @parameterized.parameters(
    ("actor.num_actors=2", "actor.num_actors is 2, .*: 1$"),
    ("replay.kind=reverb", "replay.kind is 'reverb', .*: auto or memory$"),
    ("replay.samples_per_insert=null", "samples_per_insert is None, .* number"),
    ("replay.error_buffer=8", "error_buffer is 8.*, .*: null"),
  )
  def test_refuses_settings_without_meaning_in_one_process(
    self, setting, message
  ):
    with self.assertRaisesRegex(errors.UserError, message) as caught:
      preflight.prepare(configs.tiny(setting))
    self.assertNotIn("\n", str(caught.exception))

  def test_a_queue_holds_all_unrolls_that_end_together(self):
    settings = ("replay.sampling=queue", "actor.envs_per_actor=7")
    with self.assertRaisesRegex(
      errors.UserError,
      "replay.capacity is 6, .*: at least 8 for a queue",
    ):
      preflight.prepare(configs.tiny(*settings))
    with absltest.mock.patch.object(preflight, "set_up") as set_up:
      preflight.prepare(configs.tiny(*settings, "replay.capacity=8"))
    set_up.assert_called_once_with(0.6)

  def test_sets_memory_unless_the_user_did(self):
    with (
      absltest.mock.patch.dict(os.environ),
      absltest.mock.patch.object(jax.config, "update"),
    ):
      os.environ.pop(preflight.MEMORY_VARIABLE, None)
      preflight.prepare(configs.tiny("device.memory_fraction=0.25"))
      self.assertEqual(os.environ[preflight.MEMORY_VARIABLE], "0.25")
      preflight.prepare(configs.tiny("device.memory_fraction=0.5"))
      self.assertEqual(os.environ[preflight.MEMORY_VARIABLE], "0.25")

  def test_refuses_physics_that_can_t_run_on_this_machine(self):
    config = configs.tiny("env.backend=gpu")
    with (
      absltest.mock.patch.object(preflight, "set_up"),
      absltest.mock.patch.object(preflight.backends, "has_cuda", lambda: False),
      self.assertRaisesRegex(
        errors.UserError, "^env: .*(no CUDA device|pip install mujoco-warp)"
      ),
    ):
      preflight.prepare(config)

  def test_refuses_worlds_that_do_not_fit_into_memory(self):
    with (
      absltest.mock.patch.object(preflight, "set_up"),
      absltest.mock.patch.object(
        preflight.backends,
        "check_memory",
        side_effect=ValueError("3 worlds need"),
      ) as check,
      self.assertRaisesRegex(errors.UserError, "^env: 3 worlds need$"),
    ):
      preflight.prepare(configs.tiny())
    check.assert_called_once_with("cpu", "cuda", 3, 6, 1)

  def test_a_queue_needs_no_ratio(self):
    with absltest.mock.patch.object(preflight, "set_up") as set_up:
      preflight.prepare(
        configs.tiny("replay.samples_per_insert=null", "replay.sampling=queue")
      )
    set_up.assert_called_once_with(0.6)


if __name__ == "__main__":
  absltest.main()
