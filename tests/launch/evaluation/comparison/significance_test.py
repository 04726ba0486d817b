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


def _mean(scores, **kwargs):
  """Returns the interval of one policy, of scores [S, T]."""
  [found] = significance.Bootstrap({"a": scores[:, :, None]}, **kwargs).mean(
    "a"
  )
  return found


def _difference(ours, theirs, **kwargs):
  """Returns the interval of two policies, of scores [S, T]."""
  tables = {"a": ours[:, :, None], "b": theirs[:, :, None]}
  [found] = significance.Bootstrap(tables, **kwargs).difference("a", "b")
  return found


class BootstrapTest(parameterized.TestCase):
  def test_many_tasks_give_the_normal_interval(self):
    rng = np.random.Generator(np.random.PCG64(1))
    common = 5 * rng.normal(size=450)
    gain = 0.3 + 0.5 * rng.normal(size=450)
    found = _difference((common + gain)[None], common[None], resamples=5_000)
    half = 1.96 * gain.std() / np.sqrt(450)
    self.assertAlmostEqual(found.mean, float(gain.mean()))
    # The far larger variation shared across tasks does not widen it.
    self.assertAlmostEqual(found.low, gain.mean() - half, delta=0.004)
    self.assertAlmostEqual(found.high, gain.mean() + half, delta=0.004)

  @parameterized.parameters(1, 2, 3)
  def test_few_give_the_quantiles_of_all_resamples(self, seeds):
    rng = np.random.Generator(np.random.PCG64(seeds))
    scores = rng.normal(size=(seeds, 4))
    found = _mean(scores, resamples=40_000)
    self.assertAlmostEqual(found.mean, float(scores.mean()))
    expected = np.quantile(_all_means(scores), [0.025, 0.975])
    np.testing.assert_allclose(found[1:], expected, atol=0.03)

  def test_seeds_of_two_policies_are_drawn_apart_and_tasks_together(self):
    # Seeds differ, tasks do not: differences of two means of two.
    ours, theirs = np.array([[0.0] * 3, [1.0] * 3]), np.array([[0.0] * 3] * 2)
    theirs[1] = 2.0
    found = _difference(ours, theirs, resamples=40_000)
    values = [
      (a + b) / 2 - (c + d)
      for a, b, c, d in itertools.product((0, 1), repeat=4)
    ]
    self.assertAlmostEqual(found.mean, float(np.mean(values)))
    np.testing.assert_allclose(found[1:], [min(values), max(values)])

  def test_numbers_of_a_task_and_tables_share_the_resamples(self):
    rng = np.random.Generator(np.random.PCG64(2))
    ours, theirs = rng.normal(size=(3, 5, 4)), rng.normal(size=(2, 5, 4))
    found = significance.Bootstrap({"a": ours, "b": theirs}, resamples=200)
    expected = [_mean(ours[:, :, k], resamples=200) for k in range(4)]
    np.testing.assert_allclose(found.mean("a"), expected)
    np.testing.assert_allclose(
      found.difference("a", "b"),
      [
        _difference(ours[:, :, k], theirs[:, :, k], resamples=200)
        for k in range(4)
      ],
    )
    # The order of the calls does not matter.
    np.testing.assert_allclose(found.mean("a"), expected)

  def test_equal_policies_differ_by_nothing(self):
    scores = np.arange(6.0).reshape(1, 6)
    self.assertEqual(_difference(scores, scores), (0, 0, 0))

  def test_coverage(self):
    # Of 200 experiments with 40 tasks, about 190 contain the true mean.
    rng = np.random.Generator(np.random.PCG64(3))
    held = 0
    for _ in range(200):
      found = _mean(rng.normal(size=(1, 40)), resamples=500)
      held += found.low <= 0 <= found.high
    self.assertBetween(held, 178, 198)

  def test_refused_tables(self):
    for shapes, message in (
      ([(0, 2, 1)], r"shape \(0, 2, 1\), allowed: \[seeds, tasks, "),
      ([(1, 2)], r"shape \(1, 2\), allowed: \[seeds, tasks, "),
      ([(2, 2, 1), (1, 3, 1)], r"\(2, 2, 1\) and \(1, 3, 1\), allowed: the"),
    ):
      tables = {i: np.zeros(shape) for i, shape in enumerate(shapes)}
      with self.assertRaisesRegex(ValueError, message):
        significance.Bootstrap(tables)


if __name__ == "__main__":
  absltest.main()
