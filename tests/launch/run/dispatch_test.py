"""Tests of adaland.launch.run.dispatch."""

import os
import subprocess
import sys

from absl.testing import absltest

from adaland.launch.runtimes import env_vars

# Prints how often a thread that calls programs and reads their results has
# waited for another.
_CALLS = """
import resource
import jax, numpy as np
from adaland.launch.run import dispatch
dispatch.run_inline()
program = jax.jit(lambda x: [jax.numpy.sin(x @ x.T + i) for i in range(4)])
numbers = np.ones((400, 400), np.float32)
def waits():
  return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
for _ in range(2):
  before = waits()
  for _ in range(50):
    for result in program(numbers):
      np.asarray(result)
print(waits() - before)
"""


class DispatchTest(absltest.TestCase):
  def test_the_caller_waits_for_no_other_thread(self):
    found = subprocess.run(
      [sys.executable, "-c", _CALLS],
      check=True,
      capture_output=True,
      text=True,
      env=os.environ | env_vars.actor(),
    )
    self.assertLess(int(found.stdout), 10)


if __name__ == "__main__":
  absltest.main()
