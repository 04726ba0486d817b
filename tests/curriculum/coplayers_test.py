"""Tests of adaland.curriculum.coplayers."""

import collections

import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import coplayers

_FIRST = coplayers.FIRST_SNAPSHOT


class PairTest(parameterized.TestCase):
  @parameterized.parameters(
    (0, 0), (7, 2), (coplayers.MAX_TASKS - 1, _FIRST + 1_000_000)
  )
  def test_a_pair_s_number_holds_task_and_co_player(self, index, coplayer):
    pair = coplayers.join(index, coplayer)
    self.assertEqual(coplayers.split(pair), (index, coplayer))
    self.assertLess(pair, 2**63)  # Archives hold numbers of 64 bits.

  def test_the_agent_s_own_pair_is_the_task_s_index(self):
    self.assertEqual(coplayers.join(5, coplayers.SELF), 5)


class CoplayersTest(parameterized.TestCase):
  def draws(self, self_share, snapshots=(), n=4000):
    config = coplayers.CoplayersConfig(self_share=self_share)
    pool = coplayers.Coplayers(config)
    pool.snapshots = snapshots
    rng = np.random.default_rng(0)
    found = collections.Counter(pool.draw(rng) for _ in range(n))
    return {number: count / n for number, count in found.items()}

  def test_a_pool_starts_with_noop_and_random(self):
    shares = self.draws(self_share=0.5)
    self.assertEqual(set(shares), {0, 1, 2})
    self.assertAlmostEqual(shares[coplayers.SELF], 0.5, delta=0.03)
    self.assertAlmostEqual(shares[coplayers.RANDOM], 0.25, delta=0.03)

  def test_all_of_the_pool_are_drawn_alike(self):
    shares = self.draws(0.0, (_FIRST, _FIRST + 3))
    self.assertEqual(set(shares), {1, 2, _FIRST, _FIRST + 3})
    for share in shares.values():
      self.assertAlmostEqual(share, 0.25, delta=0.03)

  @parameterized.parameters(
    (coplayers.SELF, (), coplayers.SELF),
    (coplayers.NOOP, (), coplayers.NOOP),
    (_FIRST + 4, (), coplayers.RANDOM),
    (_FIRST + 4, (_FIRST + 2, _FIRST + 4), _FIRST + 4),
    (_FIRST, (_FIRST + 2, _FIRST + 4), _FIRST + 2),
    (_FIRST + 9, (_FIRST + 2, _FIRST + 4), _FIRST + 4),
    # Of two that are equally near, the older one, in whichever order.
    (_FIRST + 3, (_FIRST + 2, _FIRST + 4), _FIRST + 2),
    (_FIRST + 3, (_FIRST + 4, _FIRST + 2), _FIRST + 2),
  )
  def test_the_nearest_in_age_stands_in(self, coplayer, snapshots, expected):
    self.assertEqual(coplayers.nearest(coplayer, snapshots), expected)

  def test_names(self):
    self.assertEqual(
      [coplayers.name(number) for number in range(4)],
      ["self", "noop", "random", "snapshot 0"],
    )

  @parameterized.parameters(
    ({"self_share": 1.5}, "coplayers.self_share is 1.5, allowed: 0 to 1"),
    ({"self_share": -0.5}, "coplayers.self_share is -0.5, allowed: 0 to 1"),
    ({"pool_size": 1001}, "coplayers.pool_size is 1001, allowed: 0 to 1000"),
    ({"pool_size": -1}, "coplayers.pool_size is -1, allowed: 0 to 1000"),
    ({"snapshot_updates": 0}, "snapshot_updates is 0, allowed: at least 1"),
  )
  def test_settings_are_checked(self, settings, message):
    with self.assertRaisesRegex(ValueError, message):
      coplayers.CoplayersConfig(**settings)

  def test_the_ends_of_the_ranges_are_allowed(self):
    for self_share, pool_size in ((0.0, 0), (1.0, 1000)):
      config = coplayers.CoplayersConfig(self_share, pool_size, 1)
      self.assertEqual(config.pool_size, pool_size)


if __name__ == "__main__":
  absltest.main()
