"""Tests of adaland.curriculum.base."""

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base, coplayers


class DrawIndexTest(absltest.TestCase):
  def test_families_may_have_more_tasks_than_numpy_numbers(self):
    rng = np.random.default_rng(0)
    drawn = [base.draw_index(rng, 2**80) for _ in range(20)]
    self.assertLen(set(drawn), 20)
    self.assertGreater(max(drawn), 2**60)

  def test_families_may_have_more_tasks_than_a_pair_numbers(self):
    rng = np.random.default_rng(0)
    for _ in range(20):
      pair = base.draw_index(rng, 2**80, lambda _: coplayers.RANDOM)
      _, coplayer = coplayers.split(pair)
      self.assertEqual(coplayer, coplayers.RANDOM)


class CheckKindTest(absltest.TestCase):
  def test_the_same_kind_passes(self):
    base.check_kind({"kind": "plr", "more": 1}, "plr")

  def test_another_kind_is_named(self):
    with self.assertRaisesRegex(ValueError, "is 'plr', this run has 'uniform'"):
      base.check_kind({"kind": "plr"}, "uniform")

  def test_no_kind_at_all(self):
    with self.assertRaisesRegex(ValueError, "is None, this run has 'plr'"):
      base.check_kind({}, "plr")


if __name__ == "__main__":
  absltest.main()
