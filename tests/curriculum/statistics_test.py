"""Tests of adaland.curriculum.statistics."""

import numpy as np
from absl.testing import absltest

from adaland.curriculum import statistics


class RecentMeanTest(absltest.TestCase):
  def test_has_no_start_up_bias_and_forgets(self):
    mean = statistics.RecentMean(rate=0.5)
    self.assertEqual(mean.mean, 0.0)
    mean.add(4.0)
    self.assertEqual(mean.mean, 4.0)
    mean.add(1.0)  # (0.25 * 4 + 0.5 * 1) / 0.75
    self.assertAlmostEqual(mean.mean, 2.0)

  def test_the_newest_of_many_values_weighs_a_hundredth(self):
    mean = statistics.RecentMean()
    for _ in range(2000):  # Their weights sum to 1, save for 2e-9.
      mean.add(0.0)
    mean.add(1.0)
    self.assertAlmostEqual(mean.mean, 0.01)

  def test_leaves_out_what_is_not_finite(self):
    mean = statistics.RecentMean()
    mean.add(3.0)
    mean.add(float("nan"))
    self.assertEqual(mean.mean, 3.0)


class RunningMomentsTest(absltest.TestCase):
  def test_is_plain_up_to_the_window(self):
    values = np.random.default_rng(0).normal(3.0, 2.0, 50)
    moments = statistics.RunningMoments(window=50)
    for value in values:
      moments.add(value)
    self.assertAlmostEqual(moments.mean, values.mean())
    self.assertAlmostEqual(moments.variance, values.var())

  def test_then_follows_what_changes(self):
    moments = statistics.RunningMoments(window=10)
    for value in [0.0] * 100 + [5.0, 7.0] * 100:
      moments.add(value)
    self.assertAlmostEqual(moments.mean, 6.0, delta=0.1)
    self.assertAlmostEqual(moments.variance, 1.0, delta=0.1)

  def test_z_score(self):
    moments = statistics.RunningMoments()
    self.assertEqual(moments.z_score(9.0), 0.0)
    for value in (2.0, 6.0):  # Mean 4, deviation 2.
      moments.add(value)
    self.assertEqual(moments.z_score(9.0), 2.5)


if __name__ == "__main__":
  absltest.main()
