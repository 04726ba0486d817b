"""Tests for the choice of a physics back end."""

import contextlib
import importlib.util
import subprocess
import sys
import unittest
from collections.abc import Iterator
from unittest import mock

from absl.testing import absltest

from adaland.envs.physics import backends, cpu


@contextlib.contextmanager
def _machine(package: bool, cuda: bool = False) -> Iterator[None]:
  """Simulates a machine with or without mujoco_warp and a CUDA device."""
  found = object() if package else None
  with (
    mock.patch.object(importlib.util, "find_spec", return_value=found),
    mock.patch.object(backends, "has_cuda", return_value=cuda),
  ):
    yield


class BackendsTest(absltest.TestCase):
  def test_cpu_runs_anywhere(self):
    with _machine(package=False):
      backends.check("cpu", "cuda")
      made = backends.make("cpu", 2, 3, num_players=2, num_threads=1)
    self.assertIsInstance(made, cpu.CpuPhysics)
    self.assertEqual(
      (made.num_envs, made.num_slots, made.num_players), (2, 3, 2)
    )

  def test_gpu_errors_name_the_missing_package_or_device(self):
    for device in backends.DEVICES:
      with (
        _machine(package=False),
        self.assertRaisesRegex(ValueError, "pip install mujoco-warp"),
      ):
        backends.check("gpu", device)
    with (
      _machine(package=True),
      self.assertRaisesRegex(ValueError, "no CUDA device"),
    ):
      backends.check("gpu", "cuda")

  @unittest.skipUnless(
    importlib.util.find_spec("warp"), "warp is not installed here"
  )
  def test_looking_for_a_device_prints_nothing_to_stdout(self):
    code = (
      "import types\n"
      "from adaland.envs.physics import backends\n"
      "backends.ctypes = types.SimpleNamespace(CDLL=lambda name: None)\n"
      "print(backends.has_cuda())"
    )
    done = subprocess.run(
      [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    self.assertIn(done.stdout, ("True\n", "False\n"))

  def test_gpu_runs_on_cuda_or_on_request_on_the_cpu(self):
    with _machine(package=True, cuda=True):
      backends.check("gpu", "cuda")
    with _machine(package=True):
      backends.check("gpu", "cpu")


if __name__ == "__main__":
  absltest.main()
