"""Tests of ray_cluster: errors before Ray starts."""

import importlib.util
import os
import socket
import types

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.runtimes import ray_cluster
from tests.launch.roles import fakes


class ClusterTest(absltest.TestCase):
  def test_addresses_that_can_t_be(self):
    for address in ("x", "host:", "host:x", ":1", "ray://host:1"):
      with self.assertRaisesRegex(errors.UserError, "HOST:PORT"):
        ray_cluster.Cluster(address, "test")

  def test_nobody_there(self):
    with socket.socket() as probe:
      probe.bind(("127.0.0.1", 0))  # Bound, but it does not listen.
      port = probe.getsockname()[1]
      with self.assertRaisesRegex(
        errors.UserError, f"^ray_address=127.0.0.1:{port}: nothing answers"
      ):
        ray_cluster.Cluster(f"127.0.0.1:{port}", "test")

  def test_a_busy_machine_gets_another_chance(self):
    class Own(Exception):  # noqa: N818 (any type of Ray's)
      pass

    for raised, tries, error in (
      ([Exception("timed out"), None], 2, None),
      (3 * [Exception("timed out")], 3, errors.RunError),
      ([Own("no")], 1, errors.RunError),
    ):
      ray = types.SimpleNamespace(
        init=absltest.mock.Mock(side_effect=raised), shutdown=lambda: None
      )
      with (
        fakes.installed(ray),
        absltest.mock.patch.object(ray_cluster, "require"),
      ):
        if error is None:
          ray_cluster.Cluster("", "test").stop()
        else:
          with self.assertRaisesRegex(error, "^starting Ray: "):
            ray_cluster.Cluster("", "test")
      self.assertEqual(ray.init.call_count, tries)
      self.assertEqual(ray.init.call_args.kwargs["num_cpus"], 0)

  def test_the_environment_is_as_before_at_the_end(self):
    def init(**options):
      os.environ["RAY_CLIENT_MODE"] = "0"  # As Ray does.
      if options["namespace"] == "bad":
        raise ValueError("no")

    ray = types.SimpleNamespace(init=init, shutdown=absltest.mock.Mock())
    with (
      absltest.mock.patch.dict(os.environ, {"RAY_AUTH_MODE": "x"}),
      fakes.installed(ray),
      absltest.mock.patch.object(ray_cluster, "require"),
    ):
      before = dict(os.environ)
      cluster = ray_cluster.Cluster("", "test")
      for name, value in (
        ("RAY_AUTH_MODE", "token"),
        ("RAY_worker_niceness", "0"),
      ):
        self.assertEqual(os.environ[name], value)
      self.assertLen(os.environ["RAY_AUTH_TOKEN"], 64)
      os.environ["ANOTHER"] = "kept"
      cluster.stop()
      self.assertEqual(os.environ, before | {"ANOTHER": "kept"})
      ray.shutdown.assert_called_once()
      with self.assertRaises(errors.RunError):
        ray_cluster.Cluster("", "bad")
      self.assertEqual(os.environ, before | {"ANOTHER": "kept"})

  def test_without_ray(self):
    with (
      absltest.mock.patch.object(
        importlib.util, "find_spec", return_value=None
      ),
      self.assertRaisesRegex(errors.UserError, "pip install ray==2.60.0"),
    ):
      ray_cluster.require()


if __name__ == "__main__":
  absltest.main()
