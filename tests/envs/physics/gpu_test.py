"""The suite of all physics back ends, on MJWarp and Warp's CPU device."""

import unittest

from absl.testing import absltest

from tests.envs.physics import backends, contract_test


def _on_gpu_backend(suite):
  """The same tests on the gpu back end.

  All have six slots, as each number compiles kernels of its own.
  """
  name = f"Gpu{suite.__name__}"
  fields = {"backend": "gpu", "many_slots": 6, "__module__": __name__}
  made = type(suite)(name, (suite,), fields)
  return unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)(made)


GpuAvatarTest = _on_gpu_backend(contract_test.AvatarTest)
GpuGripTest = _on_gpu_backend(contract_test.GripTest)
GpuObjectTest = _on_gpu_backend(contract_test.ObjectTest)
GpuTouchingTest = _on_gpu_backend(contract_test.TouchingTest)
GpuRaysTest = _on_gpu_backend(contract_test.RaysTest)
GpuRepeatabilityTest = _on_gpu_backend(contract_test.RepeatabilityTest)

if __name__ == "__main__":
  absltest.main()
