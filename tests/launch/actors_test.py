"""Tests of launch.local.actors; nothing is started."""

import os
import types
from typing import Any

from absl.testing import absltest

from launch import rundir
from launch.local import actors


class ActorsTest(absltest.TestCase):
  def test_an_actor_takes_one_thread_and_no_accelerator(self):
    with (
      absltest.mock.patch.dict(os.environ, {"XLA_FLAGS": "--mine=1"}),
      absltest.mock.patch.object(actors.metadata, "version", lambda _: "0.7.1"),
    ):
      env = actors.environment()
    self.assertEqual(env["JAX_PLATFORMS"], "cpu")
    self.assertEqual(env["CUDA_VISIBLE_DEVICES"], "")
    self.assertEqual(env["OMP_NUM_THREADS"], "1")
    self.assertEqual(
      env["XLA_FLAGS"].split(),
      ["--mine=1", "--xla_cpu_multi_thread_eigen=false"],
    )

  def test_jax_0_4_is_told_how_to_run_programs(self):
    with (
      absltest.mock.patch.dict(os.environ),
      absltest.mock.patch.object(actors.metadata, "version", lambda _: "0.4.9"),
    ):
      os.environ.pop("XLA_FLAGS", None)
      flags = actors.environment()["XLA_FLAGS"]
    self.assertEqual(
      flags,
      "--xla_cpu_multi_thread_eigen=false --xla_cpu_use_thunk_runtime=false",
    )

  def test_each_gets_its_number_and_log_and_the_key_in_secret(self):
    run = rundir.RunDir(self.create_tempdir().full_path)
    server: Any = types.SimpleNamespace(address="/s/control", key=b"\x01\xff")
    with absltest.mock.patch.object(actors.children, "Child") as child:
      started = actors.start(run, server, "127.0.0.1:5", 3, first_seed=40)
    self.assertLen(started, 3)
    for index, call in enumerate(child.call_args_list):
      name, module, argv, env, log = call.args
      self.assertEqual(name, f"actor {index}")
      self.assertEqual(module, "launch.local.actor_main")
      self.assertEqual(
        argv,
        [
          f"--workdir={run.path}",
          "--control=/s/control",
          "--replay=127.0.0.1:5",
          f"--index={index}",
          "--seed=40",
        ],
      )
      # Arguments of a process can be read by anyone; its environment can't.
      self.assertEqual(env[actors.KEY_VARIABLE], "01ff")
      self.assertEqual(log, str(run.logs / f"actor_{index}.log"))


if __name__ == "__main__":
  absltest.main()
