"""Tests of adaland.curriculum.archive."""

import numpy as np
from absl.testing import absltest

from adaland.curriculum.archive import Archive


def _filled(fitness, capacity=None):
  archive = Archive(capacity or len(fitness))
  for index, value in enumerate(fitness):
    archive.offer(index, value, trials=2, now=index)
  return archive


class ArchiveTest(absltest.TestCase):
  def test_the_means_of_an_empty_archive_are_zero(self):
    archive = Archive(3)
    self.assertEqual((archive.mean_fitness, archive.mean_trials), (0.0, 0.0))

  def test_the_worst_leaves_for_a_better_one_only(self):
    archive = _filled([3.0, 1.0, 2.0])
    archive.offer(7, 1.0, trials=2, now=9)
    self.assertEqual(sorted(archive.indices), [0, 1, 2])
    archive.offer(8, 1.5, trials=5, now=9)
    self.assertEqual(sorted(archive.indices), [0, 2, 8])
    self.assertAlmostEqual(archive.mean_fitness, 6.5 / 3)
    self.assertEqual(archive.mean_trials, 3.0)
    self.assertIn(8, archive)
    self.assertNotIn(1, archive)
    self.assertEqual((archive.trials(2), archive.trials(8)), (2, 5))

  def test_a_task_that_takes_a_place_has_just_been_played(self):
    archive = Archive(1)
    archive.offer(0, 1.0, trials=2, now=0)
    archive.offer(1, 2.0, trials=2, now=9)
    self.assertEqual(archive.state_dict()["played"], [9])

  def test_a_refreshed_task_may_become_the_worst(self):
    archive = _filled([3.0, 1.0, 2.0])
    archive.refresh(0, -5.0)
    archive.offer(8, 0.0, trials=2, now=9)
    self.assertEqual(sorted(archive.indices), [1, 2, 8])

  def test_probabilities_by_hand(self):
    archive = _filled([3.0, 1.0, 2.0])
    # Ranks 1, 3, 2; beta 1/2: weights 1, 1/9, 1/4, which sum to 49/36.
    by_rank = np.array([36.0, 4.0, 9.0]) / 49.0
    # Played at 0, 1, 2; now 4: ages 4, 3, 2, which sum to 9.
    by_age = np.array([4.0, 3.0, 2.0]) / 9.0
    np.testing.assert_allclose(
      archive.probabilities(now=4, beta=0.5, staleness=0.2),
      0.8 * by_rank + 0.2 * by_age,
    )

  def test_of_equally_fit_tasks_the_earlier_ranks_higher(self):
    np.testing.assert_allclose(
      _filled([1.0, 1.0]).probabilities(now=1, beta=1.0, staleness=0.0),
      [2 / 3, 1 / 3],
    )

  def test_a_refreshed_task_has_not_been_played(self):
    archive = _filled([3.0, 1.0])
    archive.refresh(0, 2.0)
    self.assertEqual(archive.state_dict()["played"], [0, 1])

  def test_only_ranks_count_while_nothing_is_stale(self):
    archive = Archive(2)
    archive.offer(0, 5.0, trials=1, now=3)
    archive.offer(1, 9.0, trials=1, now=3)
    np.testing.assert_allclose(
      archive.probabilities(now=3, beta=1.0, staleness=1.0), [1 / 3, 2 / 3]
    )

  def test_draws_follow_the_probabilities_and_refresh_the_age(self):
    archive = _filled([3.0, 1.0, 2.0])
    rng = np.random.default_rng(0)
    index = archive.draw(rng, now=10, beta=0.3, staleness=1.0)
    stale = archive.probabilities(now=10, beta=0.3, staleness=1.0)
    self.assertEqual(stale[archive.indices.index(index)], 0.0)
    fresh = _filled([3.0, 1.0])
    drawn = [fresh.draw(rng, 10, 1.0, 0.0) for _ in range(3000)]
    self.assertAlmostEqual(drawn.count(0) / 3000, 2 / 3, delta=0.04)

  def test_a_smaller_archive_keeps_the_fittest(self):
    archive, other = Archive(3), Archive(2)
    for row, fitness in enumerate([1.0, 3.0, 2.0]):
      archive.offer(10 + row, fitness, trials=1 + row, now=20 + row)
    other.load_state_dict(archive.state_dict())
    self.assertEqual(
      other.state_dict(),
      {
        "indices": [11, 12],
        "fitness": [3.0, 2.0],
        "trials": [2, 3],
        "played": [21, 22],
      },
    )


if __name__ == "__main__":
  absltest.main()
