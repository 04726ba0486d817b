"""Tests of adaland.launch.bench.lib.trend against numbers worked by hand."""

import math

import numpy as np
from absl.testing import absltest

from adaland.launch.bench.lib import trend


class TrendTest(absltest.TestCase):
  def test_independent_residuals(self):
    # Around the means, t = -1.5 -.5 .5 1.5, so sum t^2 = 5 and sum t v = 3.
    # Residuals -.1 .3 -.3 .1 have a sum of squares of .2 and anticorrelate.
    found = trend.fit([0, 1, 2, 3], [1, 2, 2, 3])
    self.assertAlmostEqual(found.slope, 0.6)
    self.assertAlmostEqual(found.mean, 2.0)
    self.assertAlmostEqual(found.stderr, math.sqrt(0.2 / (4 - 2) / 5))

  def test_correlated_neighbours_count_for_less(self):
    # No slope; squares of 8, of which neighbours share 1-1+1+1+1-1+1 = 3:
    # r = 3/8, so 8 count as 8 (5/8) / (11/8) = 40/11. Sum t^2 = 42.
    found = trend.fit(range(8), [1, 1, -1, -1, -1, -1, 1, 1])
    self.assertAlmostEqual(found.slope, 0.0)
    self.assertAlmostEqual(found.stderr, math.sqrt(8 / (40 / 11 - 2) / 42))

  def test_a_perfect_line_has_no_error(self):
    self.assertEqual(trend.fit([1, 2, 4], [2, 4, 8]), (2.0, 0.0, 14 / 3))

  def test_time_may_start_anywhere(self):
    late = trend.fit([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3], [1, 2, 2, 3])
    self.assertAlmostEqual(late.slope, 0.6)

  def test_a_series_that_only_bends_counts_as_three(self):
    # Each residual almost equals the next: fewer than three independent ones in
    # 100. The series has neither slope nor mean, so it is its own residuals.
    x = np.linspace(-np.pi / 2, np.pi / 2, 100)
    wave = np.cos(3 * x) + np.cos(x) / 3
    wave -= wave.mean()
    found = trend.fit(x.tolist(), wave.tolist())
    self.assertAlmostEqual(
      found.stderr, math.sqrt(np.sum(wave**2) / np.sum(x**2))
    )

  def test_error_of_correlated_noise_is_right_within_a_factor(self):
    # e_i = .8 e_(i-1) + noise, no slope: in most of 200 series the slope that
    # is found lies within two of its errors, as it would in 95 %.
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 300))
    values = np.zeros_like(noise)
    for i in range(1, 300):
      values[:, i] = 0.8 * values[:, i - 1] + noise[:, i]
    found = [trend.fit(range(300), each.tolist()) for each in values]
    within = sum(abs(each.slope) < 2 * each.stderr for each in found) / 200
    self.assertGreater(within, 0.88)
    self.assertLess(within, 0.99)

  def test_series_without_a_trend_are_refused(self):
    for times, values in (([0, 1], [1, 2]), ([0, 1, 2], [1, 2])):
      with self.assertRaisesRegex(ValueError, "three of each"):
        trend.fit(times, values)
    with self.assertRaisesRegex(ValueError, "at one time"):
      trend.fit([2, 2, 2], [1, 2, 3])


if __name__ == "__main__":
  absltest.main()
