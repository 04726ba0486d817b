"""Tests of adaland.launch.run.resuming."""

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors
from adaland.launch.run import resuming


class ResumingTest(absltest.TestCase):
  def test_a_run_goes_on_with_the_launcher_that_began_it(self):
    one = self.create_tempdir().full_path
    checkpoint.save(one, 1, {"a": np.ones(1)}, resuming.launcher("device"))
    resuming.check_launcher(one, "device")
    with self.assertRaisesRegex(
      errors.UserError, f"^{one}: .* begun with --launcher=device; resume it"
    ):
      resuming.check_launcher(one)
    many = self.create_tempdir().full_path
    checkpoint.save(many, 1, {"a": np.ones(1)}, {})
    resuming.check_launcher(many)
    with self.assertRaisesRegex(errors.UserError, "--launcher=local; resume"):
      resuming.check_launcher(many, "device")


if __name__ == "__main__":
  absltest.main()
