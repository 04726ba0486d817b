"""Tests that tests.launch.runtimes.continuity finds breaks and nothing else."""

import numpy as np
from absl.testing import absltest

from tests.launch.runtimes import continuity
from tests.launch.runtimes.continuity import Moment


def _rows(values, updates=None):
  return [
    {"time": float(i), "loss/total": value, "updates": u}
    for i, (value, u) in enumerate(
      zip(values, updates or range(len(values)), strict=True)
    )
  ]


class FallsTest(absltest.TestCase):
  def rows(self, **values):
    size = len(next(iter(values.values())))
    names = ("env_steps", "episodes", "seconds", "updates")
    still = {name: [1.0] * size for name in names}
    columns = {**still, **values, "time": list(map(float, range(size)))}
    return [
      dict(zip(columns, row, strict=True))
      for row in zip(*columns.values(), strict=True)
    ]

  def test_what_goes_back_is_told(self):
    rows = self.rows(env_steps=[1, 5, 5, 7], episodes=[1, 2, 1, 3])
    self.assertEqual(
      continuity.falls(rows, [Moment(1.5, 0)]), ["episodes falls from 2 to 1"]
    )

  def test_updates_fall_to_a_dead_learner_s_checkpoint_only(self):
    rows = self.rows(updates=[3, 9, 4, 6])
    for moments, told in (
      ([], 1),
      ([Moment(1.5, None)], 1),
      ([Moment(1.5, 4)], 0),
      ([Moment(1.5, 3)], 0),
      ([Moment(1.5, 5)], 1),
      ([Moment(2.5, 4)], 1),
    ):
      self.assertLen(continuity.falls(rows, moments), told, moments)


class LossTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    noise = np.random.default_rng(1).normal(size=200)
    # Falls by ten over the run as the agent learns.
    self.curve = np.linspace(10.0, 0.0, 200) + noise

  def test_the_spread_is_that_of_the_noise_not_of_the_drift(self):
    found = continuity.shifts(_rows(self.curve.tolist()), [])
    self.assertBetween(found.spread, 0.8, 1.2)

  def test_a_run_that_goes_on_has_no_break(self):
    moments = [Moment(t + 0.5) for t in range(20, 180, 20)]
    found = continuity.shifts(_rows(self.curve.tolist()), moments)
    self.assertEqual(found.breaks(), [])
    self.assertNotIn(None, found.at)

  def test_a_jump_is_a_break_where_it_is_and_nowhere_else(self):
    self.curve[101:] += 5.0
    moments = [Moment(40.5), Moment(100.5), Moment(160.5)]
    found = continuity.shifts(_rows(self.curve.tolist()), moments)
    self.assertEqual(found.breaks(), [1])

  def test_a_loss_that_is_no_number_is_a_break(self):
    values = self.curve.tolist()
    values[103] = None
    found = continuity.shifts(_rows(values), [Moment(100.5)])
    self.assertEqual(found.breaks(), [0])

  def test_what_is_done_again_is_compared_with_what_was_before_it(self):
    # At row 100 the learner loses 30 updates, in which the loss fell by 60.
    updates = [*range(100), *range(70, 170)]
    values = (100.0 - 2.0 * np.array(updates)).tolist()
    for i in range(200):
      values[i] += 1.0 * (-1) ** i
    for kept, breaks in ((70, []), (None, [0])):
      found = continuity.shifts(_rows(values, updates), [Moment(99.5, kept)])
      self.assertEqual(found.breaks(), breaks, found)

  def test_hand_computed(self):
    n = continuity.WINDOW
    rows = _rows([1.0, 3.0] * (n // 2) + [2.0, 6.0] * (n // 2))
    found = continuity.shifts(rows, [Moment(n - 0.5)])
    self.assertEqual(found.at, [2.0])  # Means 2 and 4.
    # Steps of 2 and of 4, equally many of each.
    self.assertAlmostEqual(found.spread, np.sqrt((4 + 16) / 2 / 2))
    self.assertAlmostEqual(found.allowed, 4 * found.spread * np.sqrt(2 / n))
    self.assertEqual(found.quiet, 0.0)

  def test_a_moment_with_too_few_rows_around_is_left_open(self):
    found = continuity.shifts(_rows([1.0, 2.0, 1.0]), [Moment(1.5)])
    self.assertEqual((found.at, found.breaks()), ([None], []))


if __name__ == "__main__":
  absltest.main()
