"""Tests of adaland.launch.acting.unrolls."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.acting import unrolls


def _play(length, episodes, store_memory=False):
  """Feeds rows of episodes with the given lengths; returns what was cut.

  Observation "at" is (row + 1) * 1000 + step since the start, the memory at
  that step its negative, action, reward and logits derive from it.
  """
  num_envs = len(episodes)
  cutter = unrolls.UnrollCutter(
    num_envs, length, {"at": ((), np.int32)}, 2, 3, store_memory
  )
  cut = []
  # Each row: (first, final) over time; an episode of L actions is L + 1 looks.
  rows = [
    [(t == 0, t == n) for n in lengths for t in range(n + 1)]
    for lengths in episodes
  ]
  for t in range(min(len(row) for row in rows)):
    at = np.array([(i + 1) * 1000 + t for i in range(num_envs)], np.int32)
    ends = np.array([t + 1 < len(r) and r[t + 1][1] for r in rows])
    cutter.before_acting(
      lambda row, at=at: {"m": -at[row, None].astype(np.float32)}
    )
    cutter.add(
      {"at": at},
      np.array([row[t][0] for row in rows]),
      np.stack([at % 7, at % 5], -1).astype(np.int8),
      np.repeat(at[:, None], 3, 1).astype(np.float32),
      at.astype(np.float32),
      np.where(ends, 0.0, 1.0),
      np.array([row[t][1] for row in rows]),
      t,
      lambda i, unroll: cut.append((i, unroll)),
    )
  return cut


class UnrollCutterTest(parameterized.TestCase):
  def test_whole_episode_is_padded(self):
    ((row, unroll),) = _play(length=6, episodes=[[4]])
    self.assertEqual(row, 0)
    np.testing.assert_array_equal(
      unroll.observation["at"], [1000, 1001, 1002, 1003, 0, 0]
    )
    np.testing.assert_array_equal(unroll.mask, [1, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(unroll.first, [1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(unroll.discount, [1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(unroll.reward, [1000, 1001, 1002, 1003, 0, 0])
    np.testing.assert_array_equal(unroll.action[3], [1003 % 7, 1003 % 5])
    self.assertEqual(unroll.initial_memory, {})
    self.assertEqual(unroll.params_version, 3)

  def test_long_episode_is_cut_with_one_step_of_overlap(self):
    cut = [unroll for _, unroll in _play(4, [[8]], store_memory=True)]
    self.assertLen(cut, 3)
    np.testing.assert_array_equal(
      [u.observation["at"] for u in cut],
      [[1000, 1001, 1002, 1003], [1003, 1004, 1005, 1006], [1006, 1007, 0, 0]],
    )
    np.testing.assert_array_equal(
      [u.initial_memory["m"] for u in cut], [[-1000], [-1003], [-1006]]
    )
    np.testing.assert_array_equal(
      [u.first for u in cut], [[1, 0, 0, 0], [0] * 4, [0] * 4]
    )
    np.testing.assert_array_equal(
      [u.discount for u in cut], [[1] * 4, [1] * 4, [1, 0, 0, 0]]
    )
    np.testing.assert_array_equal(cut[2].mask, [1, 1, 0, 0])

  def test_episode_that_fills_an_unroll_exactly_needs_no_other(self):
    cut = [unroll for _, unroll in _play(4, [[4, 4]])]
    np.testing.assert_array_equal(
      [u.observation["at"] for u in cut],
      [[1000, 1001, 1002, 1003], [1005, 1006, 1007, 1008]],
    )

  @parameterized.parameters(2, 5, 20)
  def test_rows_do_not_disturb_each_other_and_all_is_learned_once(self, length):
    episodes = [[3, 3, 9, 1, 2, 1], [10, 8, 2], [1] * 12]
    learned = []
    for row, unroll in _play(length, episodes):
      at, mask = unroll.observation["at"], unroll.mask.astype(bool)
      self.assertTrue(np.all(at[mask] // 1000 == row + 1))
      np.testing.assert_array_equal(np.diff(at[mask]), 1)
      self.assertEqual(unroll.first[1:].sum(), 0)
      np.testing.assert_array_equal(
        unroll.behaviour_logits[mask], np.repeat(at[mask][:, None], 3, 1)
      )
      np.testing.assert_array_equal(unroll.reward[mask], at[mask])
      ended = unroll.discount[mask][-1] == 0
      learned += at[mask].tolist() if ended else at[mask][:-1].tolist()
    # 23 looks, at which an episode of L actions takes L + 1.
    done = [
      [0, 1, 2, 4, 5, 6, *range(8, 17), 18, 20, 21],
      [*range(10), *range(11, 19), 20, 21],
      [*range(0, 24, 2)],
    ]
    expected = [(i + 1) * 1000 + t for i, row in enumerate(done) for t in row]
    self.assertEqual(sorted(learned), expected)


if __name__ == "__main__":
  absltest.main()
