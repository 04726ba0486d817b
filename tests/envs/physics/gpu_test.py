"""The suite of all physics back ends, on MJWarp and Warp's CPU device."""

import unittest

import pytest
from absl.testing import absltest

from tests.envs.physics import backends, suite


# The first one to run may have to compile all kernels.
@pytest.mark.timeout(1200)
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class _OnGpu(backends.BackendTest):
  """Six slots everywhere, as each number compiles kernels of its own."""

  backend = "gpu"
  many_slots = 6
  many_steps = 200


class AvatarTest(_OnGpu, suite.AvatarSuite):
  pass


class GripTest(_OnGpu, suite.GripSuite):
  pass


class ObjectTest(_OnGpu, suite.ObjectSuite):
  pass


class TouchingTest(_OnGpu, suite.TouchingSuite):
  pass


class RaysTest(_OnGpu, suite.RaysSuite):
  pass


class RepeatabilityTest(_OnGpu, suite.RepeatabilitySuite):
  pass


@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class MemoryTest(absltest.TestCase):
  def test_says_what_to_lower(self):
    from envs.physics import gpu_memory, gpu_model, mjcf

    model = gpu_model.build(mjcf.Capacity(6, 1, 32, 20)).model
    need = gpu_memory.needed(model, 1000, nconmax=70, njmax=283)
    self.assertGreater(need, 50e6)
    self.assertLess(need, 5e9)
    gpu_memory.check(1000, need, need)
    with self.assertRaisesRegex(ValueError, "1000 worlds need .* lower actor"):
      gpu_memory.check(1000, need, need - 1)


if __name__ == "__main__":
  absltest.main()
