"""Tests of launch.ray_launcher.cluster: what is refused before Ray starts."""

import importlib.util
import os
import socket

from absl.testing import absltest

from launch import errors
from launch.ray_launcher import cluster


class ClusterTest(absltest.TestCase):
  def test_addresses_that_can_t_be(self):
    with absltest.mock.patch.dict(os.environ):
      for address in ("x", "host:", "host:x", ":1", "ray://host:1"):
        with self.assertRaisesRegex(errors.UserError, "HOST:PORT"):
          cluster.start(address, "test")

  def test_nobody_there(self):
    with socket.socket() as probe:
      probe.bind(("127.0.0.1", 0))  # Bound, but it does not listen.
      port = probe.getsockname()[1]
      with (
        absltest.mock.patch.dict(os.environ),
        self.assertRaisesRegex(
          errors.UserError, f"--ray_address=127.0.0.1:{port}: nothing answers"
        ),
      ):
        cluster.start(f"127.0.0.1:{port}", "test")

  def test_without_ray(self):
    with (
      absltest.mock.patch.object(
        importlib.util, "find_spec", return_value=None
      ),
      self.assertRaisesRegex(errors.UserError, "pip install ray==2.60.0"),
    ):
      cluster.require()


if __name__ == "__main__":
  absltest.main()
