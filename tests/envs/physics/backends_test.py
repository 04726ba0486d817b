"""Tests for the choice of a physics back end."""

import importlib.util
import sys
import types
from unittest import mock

from absl.testing import absltest

from envs.physics import backends, cpu


def _machine(package: bool, cuda: bool = False):
  """A machine that has mujoco_warp or not, and a CUDA device or not."""
  warp = types.SimpleNamespace(
    config=types.SimpleNamespace(), is_cuda_available=lambda: cuda
  )
  stack = mock.patch.dict(sys.modules, {"warp": warp})
  found = mock.patch.object(
    importlib.util, "find_spec", return_value=object() if package else None
  )
  return stack, found


class BackendsTest(absltest.TestCase):
  def _check(self, machine, *args):
    with machine[0], machine[1]:
      backends.check(*args)

  def test_cpu_runs_anywhere(self):
    self._check(_machine(package=False), "cpu", "cuda")
    made = backends.make("cpu", 2, 3, num_players=2, num_threads=1)
    self.assertIsInstance(made, cpu.CpuPhysics)
    self.assertEqual(
      (made.num_envs, made.num_slots, made.num_players), (2, 3, 2)
    )

  def test_gpu_says_what_is_missing(self):
    with self.assertRaisesRegex(ValueError, "pip install mujoco-warp"):
      self._check(_machine(package=False), "gpu", "cpu")
    with self.assertRaisesRegex(ValueError, "no CUDA device"):
      self._check(_machine(package=True), "gpu", "cuda")

  def test_gpu_runs_on_a_device_or_where_it_is_asked_to(self):
    self._check(_machine(package=True, cuda=True), "gpu", "cuda")
    self._check(_machine(package=True), "gpu", "cpu")


if __name__ == "__main__":
  absltest.main()
