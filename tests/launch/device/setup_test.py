"""Tests of launch.device.setup."""

import os

import jax
from absl.testing import absltest, parameterized

from launch import errors
from launch.device import setup
from tests.launch.device import configs


class SetupTest(parameterized.TestCase):
  @parameterized.parameters(
    ("actor.num_actors=2", "actor.num_actors is 2, .*: 1$"),
    ("actor.num_threads=2", "actor.num_threads is 2, .*: 1$"),
    ("actor.inference=accelerator", "inference is 'accelerator', .*: cpu,"),
    ("actor.unroll_length=2", "actor.unroll_length is 2, .*: at least 3$"),
    ("replay.kind=reverb", "replay.kind is 'reverb', .*: auto or memory$"),
    ("replay.sampling=prioritized", "'prioritized', .*: uniform or queue$"),
    ("replay.samples_per_insert=null", "samples_per_insert is None, .* number"),
    ("replay.error_buffer=8", "error_buffer is 8.*, .*: null"),
  )
  def test_refuses_what_means_nothing_in_one_process(self, setting, message):
    with self.assertRaisesRegex(errors.UserError, message) as caught:
      setup.prepare(configs.tiny(setting))
    self.assertNotIn("\n", str(caught.exception))

  def test_sets_memory_and_cache_unless_the_user_did(self):
    updates = {}
    with (
      absltest.mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "/somewhere"}),
      absltest.mock.patch.object(jax.config, "update", updates.__setitem__),
    ):
      for name in (setup.CACHE_VARIABLE, setup.MEMORY_VARIABLE):
        os.environ.pop(name, None)
      setup.prepare(configs.tiny("device.memory_fraction=0.25"))
      self.assertEqual(os.environ[setup.MEMORY_VARIABLE], "0.25")
      folder = updates["jax_compilation_cache_dir"]
      self.assertStartsWith(folder, "/somewhere/adaland/jax-")
      updates.clear()
      os.environ[setup.CACHE_VARIABLE] = "/mine"
      setup.prepare(configs.tiny("device.memory_fraction=0.5"))
      self.assertEqual(os.environ[setup.MEMORY_VARIABLE], "0.25")
      self.assertNotIn("jax_compilation_cache_dir", updates)

  def test_a_queue_needs_no_ratio(self):
    with absltest.mock.patch.object(setup, "_set_up") as set_up:
      setup.prepare(
        configs.tiny("replay.samples_per_insert=null", "replay.sampling=queue")
      )
    set_up.assert_called_once_with(0.6)


if __name__ == "__main__":
  absltest.main()
