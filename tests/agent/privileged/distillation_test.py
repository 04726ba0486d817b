"""Tests of adaland.agent.privileged.distillation."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.privileged import distillation


class DistillationTest(parameterized.TestCase):
  def test_cross_entropy_is_summed_over_heads(self):
    p = np.array([[0.2, 0.8, 0.5, 0.25, 0.25]], np.float32)
    loss, has_label = distillation.loss(
      np.log(p), np.array([[1, 2]], np.int8), (2, 3)
    )
    np.testing.assert_allclose(loss, [-np.log(0.8) - np.log(0.25)], rtol=1e-6)
    np.testing.assert_array_equal(has_label, [1.0])

  def test_no_label_no_loss(self):
    loss, has_label = distillation.loss(
      np.full((1, 5), -1.0, np.float32), np.full((1, 2), -1, np.int8), (2, 3)
    )
    np.testing.assert_array_equal(loss, [0.0])
    np.testing.assert_array_equal(has_label, [0.0])

  @parameterized.parameters((0.0, 1.0), (0.2, 1.0), (0.4, 0.5), (0.8, 0.0))
  def test_it_ends_gradually(self, progress, expected):
    left = distillation.remaining(progress, alone=0.2, share=0.6)
    self.assertAlmostEqual(float(left), expected, places=6)


if __name__ == "__main__":
  absltest.main()
