"""Tests of adaland.launch.runtimes.env_vars."""

import os

from absl.testing import absltest

from adaland.launch.runtimes import env_vars


class ProcessEnvTest(absltest.TestCase):
  def test_an_actor_takes_one_thread_and_no_accelerator(self):
    with (
      absltest.mock.patch.dict(os.environ, {"XLA_FLAGS": "--mine=1"}),
      absltest.mock.patch.object(
        env_vars.metadata, "version", lambda _: "0.7.1"
      ),
    ):
      env = env_vars.actor()
    self.assertEqual(env["JAX_PLATFORMS"], "cpu")
    self.assertEqual(env["CUDA_VISIBLE_DEVICES"], "")
    self.assertEqual(env["OMP_NUM_THREADS"], "1")
    self.assertEqual(
      env["XLA_FLAGS"].split(),
      ["--mine=1", "--xla_cpu_multi_thread_eigen=false"],
    )

  def test_a_learner_has_one_heap_and_any_device(self):
    with (
      absltest.mock.patch.dict(os.environ),
      absltest.mock.patch.object(
        env_vars.metadata, "version", lambda _: "0.7.1"
      ),
    ):
      os.environ.pop("XLA_FLAGS", None)
      self.assertEqual(env_vars.learner(), {"MALLOC_ARENA_MAX": "1"})

  def test_a_learner_among_actors_leaves_them_cores(self):
    with (
      absltest.mock.patch.dict(os.environ),
      absltest.mock.patch.object(env_vars.cores, "num_cores", return_value=8),
    ):
      os.environ.pop("NPROC", None)
      before = dict(os.environ)
      for num_actors, threads in ((2, "6"), (8, "1"), (20, "1")):
        with env_vars.learner_here(num_actors):
          self.assertEqual(os.environ["NPROC"], threads)
          self.assertEqual(env_vars.actor()["NPROC"], "1")
        self.assertEqual(dict(os.environ), before)
      os.environ["NPROC"] = "3"
      with env_vars.learner_here(2):
        self.assertEqual(os.environ["NPROC"], "3")
      self.assertEqual(os.environ["NPROC"], "3")

  def test_a_runtime_that_was_chosen_is_kept(self):
    chosen = "--xla_cpu_use_thunk_runtime=true"
    with (
      absltest.mock.patch.dict(os.environ, {"XLA_FLAGS": chosen}),
      absltest.mock.patch.object(
        env_vars.metadata, "version", lambda _: "0.4.34"
      ),
    ):
      self.assertEqual(env_vars.learner()["XLA_FLAGS"], chosen)

  def test_jax_0_4_is_told_how_to_run_programs(self):
    with (
      absltest.mock.patch.dict(os.environ),
      absltest.mock.patch.object(
        env_vars.metadata, "version", lambda _: "0.4.9"
      ),
    ):
      os.environ.pop("XLA_FLAGS", None)
      flags = env_vars.actor()["XLA_FLAGS"]
    self.assertEqual(
      flags,
      "--xla_cpu_multi_thread_eigen=false --xla_cpu_use_thunk_runtime=false",
    )


if __name__ == "__main__":
  absltest.main()
