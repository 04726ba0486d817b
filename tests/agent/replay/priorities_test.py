"""Tests of adaland.agent.replay.priorities."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.replay import priorities


class ClipPriorityTest(parameterized.TestCase):
  @parameterized.parameters(
    (0.5, 0.5),
    (1e-6, 1e-6),
    (1e6, 1e6),
    (0.0, 1e-6),
    (-3.0, 1e-6),
    (1e7, 1e6),
    (float("inf"), 1e6),
    (float("-inf"), 1e-6),
    (float("nan"), 1e-6),
    (np.float32(2), 2.0),
    (7, 7.0),
  )
  def test_is_finite_and_positive(self, given, expected):
    clipped = priorities.clip_priority(given)
    self.assertIsInstance(clipped, float)
    self.assertEqual(clipped, expected)


if __name__ == "__main__":
  absltest.main()
