"""Tests of adaland.launch.roles.learner_metrics."""

import numpy as np
from absl.testing import absltest

from adaland.launch.roles import learner_metrics


class SumsTest(absltest.TestCase):
  def test_sums(self):
    made = learner_metrics.Sums()
    made.add({"x": np.float32(1.5)}, 10, 2.0)
    made.add({"x": np.float32(2.5)}, 20, -7.0)
    expected = {
      "count": 2,
      "learned": 30,
      "lag_sum": 2.0,
      "sums": {"x": 4.0},
      "counts": {"x": 2},
    }
    self.assertEqual(made.read(), expected)
    self.assertEqual(made.read(), expected)

  def test_updates_may_have_different_names(self):
    made = learner_metrics.Sums()
    made.add({"x": 1.0}, 10, 0.0)
    made.add({"x": 2.0, "y": 5.0}, 10, 0.0)
    self.assertEqual(made.read()["sums"], {"x": 3.0, "y": 5.0})
    self.assertEqual(made.read()["counts"], {"x": 2, "y": 1})


if __name__ == "__main__":
  absltest.main()
