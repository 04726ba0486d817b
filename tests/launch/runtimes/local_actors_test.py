"""Tests of adaland.launch.runtimes.local_actors; nothing is started."""

import types
from typing import Any

from absl.testing import absltest

from adaland.launch.run import rundir
from adaland.launch.runtimes import local_actors


class ActorsTest(absltest.TestCase):
  def test_each_gets_its_number_and_log_and_the_key_in_secret(self):
    run = rundir.RunDir(self.create_tempdir().full_path)
    server: Any = types.SimpleNamespace(address="/s/control", key=b"\x01\xff")
    with absltest.mock.patch.object(local_actors.children, "Child") as child:
      started = local_actors.start(run, server, "127.0.0.1:5", range(3), 40)
    self.assertLen(started, 3)
    for index, call in enumerate(child.call_args_list):
      name, module, argv, env, log = call.args
      self.assertEqual(name, f"actor {index}")
      self.assertEqual(module, "adaland.launch.runtimes.local_main")
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
      self.assertEqual(env[local_actors.KEY_VARIABLE], "01ff")
      self.assertEqual(env["CUDA_VISIBLE_DEVICES"], "")
      self.assertEqual(log, str(run.logs / f"actor_{index}.log"))


if __name__ == "__main__":
  absltest.main()
