"""Tests of adaland.launch.evaluation.comparison.significance."""

import itertools

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.evaluation.comparison import significance


def _all_means(scores):
  """Returns the mean of every resample of tasks and seeds, once each."""
  seeds, tasks = scores.shape
  return [
    scores[np.ix_(chosen, columns)].mean()
    for chosen in itertools.product(range(seeds), repeat=seeds)
    for columns in itertools.product(range(tasks), repeat=tasks)
  ]


class SignificanceTest(parameterized.TestCase):
  def test_many_tasks_give_the_normal_interval(self):
    rng = np.random.Generator(np.random.PCG64(1))
    common = 5 * rng.normal(size=400)
    gain = 0.3 + 0.5 * rng.normal(size=400)
    found = significance.difference((common + gain)[None], common[None])
    half = 1.96 * gain.std() / np.sqrt(400)
    self.assertAlmostEqual(found.mean, float(gain.mean()))
    # The far larger variation shared across tasks does not widen it.
    self.assertAlmostEqual(found.low, gain.mean() - half, delta=0.004)
    self.assertAlmostEqual(found.high, gain.mean() + half, delta=0.004)

  @parameterized.parameters(1, 2, 3)
  def test_few_give_the_quantiles_of_all_resamples(self, seeds):
    rng = np.random.Generator(np.random.PCG64(seeds))
    scores = rng.normal(size=(seeds, 4))
    found = significance.mean(scores, resamples=40_000)
    self.assertAlmostEqual(found.mean, float(scores.mean()))
    expected = np.quantile(_all_means(scores), [0.025, 0.975])
    np.testing.assert_allclose(found[1:], expected, atol=0.03)

  def test_seeds_of_two_policies_are_drawn_apart_and_tasks_together(self):
    # Seeds differ, tasks do not: differences of two means of two.
    ours, theirs = np.array([[0.0] * 3, [1.0] * 3]), np.array([[0.0] * 3] * 2)
    theirs[1] = 2.0
    found = significance.difference(ours, theirs, resamples=40_000)
    values = [
      (a + b) / 2 - (c + d)
      for a, b, c, d in itertools.product((0, 1), repeat=4)
    ]
    self.assertAlmostEqual(found.mean, float(np.mean(values)))
    np.testing.assert_allclose(found[1:], [min(values), max(values)])

  def test_seeds_of_an_agent_and_its_control_are_drawn_together(self):
    ours, theirs = np.array([[1.0] * 3, [5.0] * 3]), np.array([[0.0] * 3] * 2)
    theirs[1] = 4.0
    found = significance.difference(ours, theirs, same_seeds=True)
    self.assertEqual(found, (1, 1, 1))
    with self.assertRaisesRegex(ValueError, "allowed: the same seeds"):
      significance.difference(ours, theirs[:1], same_seeds=True)

  def test_equal_policies_differ_by_nothing(self):
    scores = np.arange(6.0).reshape(1, 6)
    self.assertEqual(significance.difference(scores, scores), (0, 0, 0))

  def test_coverage(self):
    # Of 200 experiments with 40 tasks, about 190 contain the true mean.
    rng = np.random.Generator(np.random.PCG64(3))
    held = 0
    for _ in range(200):
      found = significance.mean(rng.normal(size=(1, 40)), resamples=500)
      held += found.low <= 0 <= found.high
    self.assertBetween(held, 178, 198)

  def test_refused_tables(self):
    two, three = np.zeros((1, 2)), np.zeros((1, 3))
    with self.assertRaisesRegex(ValueError, "of 2 and of 3 tasks, allowed"):
      significance.difference(two, three)
    with self.assertRaisesRegex(ValueError, r"shape \(0, 2\), allowed: "):
      significance.mean(np.zeros((0, 2)))


if __name__ == "__main__":
  absltest.main()
