"""Tests of the pieces of attention, small enough to read."""

import numpy as np
from absl.testing import absltest

from agent.memory import transformer_xl


class SlidingWindowMaskTest(absltest.TestCase):
  def test_window_and_episodes(self):
    # Two cached positions; a window of two steps beside the own one. The first
    # row goes on with an episode of age 1; the second starts one at t = 1.
    age = np.array([[1, 2, 3], [5, 0, 1]], np.int32)
    mask = transformer_xl.sliding_window_mask(age, num_past=2, window=2)
    np.testing.assert_array_equal(
      mask.astype(int),
      [
        [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]],
        [[1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]],
      ],
    )

  def test_without_cache(self):
    age = np.array([[0, 1, 2, 0]], np.int32)
    mask = transformer_xl.sliding_window_mask(age, num_past=0, window=1)
    np.testing.assert_array_equal(
      mask.astype(int)[0],
      [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]],
    )


class SkewTest(absltest.TestCase):
  def test_puts_distances_where_they_belong(self):
    for length, num_past, window in (
      (3, 2, 2),
      (4, 0, 1),
      (4, 0, 9),
      (1, 3, 3),
    ):
      num_positions = num_past + length
      num_distances = min(window + 1, num_positions)
      scores = np.zeros((1, 1, length, num_distances), np.float32)
      for t in range(length):
        for n in range(num_distances):
          scores[0, 0, t, num_distances - 1 - n] = 1 + 10 * t + n
      expected = np.zeros((length, num_positions))
      for t in range(length):
        for s in range(num_positions):
          distance = num_past + t - s
          if 0 <= distance < num_distances:
            expected[t, s] = 1 + 10 * t + distance
      actual = transformer_xl.skew(scores, num_positions)
      np.testing.assert_array_equal(actual[0, 0], expected)


class RingTest(absltest.TestCase):
  def test_distances(self):
    # Four slots; steps of age 4 and 5 overwrote those of age 0 and 1.
    age = np.array([5, 1], np.int32)
    np.testing.assert_array_equal(
      transformer_xl.ring_distance(age, 4), [[1, 0, 3, 2], [1, 0, 3, 2]]
    )

  def test_past_slots(self):
    # The step of age 6 comes after those of age 3, 4 and 5.
    slots = transformer_xl.past_slots(np.array([6], np.int32), window=3)
    np.testing.assert_array_equal(slots, [[3, 0, 1]])

  def test_latest_positions(self):
    # Ten positions, the last of age 6, which goes to slot 2 of 4.
    positions = transformer_xl.latest_positions(np.array([6], np.int32), 10, 4)
    np.testing.assert_array_equal(positions, [[7, 8, 9, 6]])


class SinusoidsTest(absltest.TestCase):
  def test_values(self):
    codes = transformer_xl.sinusoids(3, 4)
    np.testing.assert_allclose(codes[0], [0, 0, 1, 1])
    np.testing.assert_allclose(
      codes[2],
      [np.sin(2), np.sin(0.02), np.cos(2), np.cos(0.02)],
      rtol=1e-6,
    )


if __name__ == "__main__":
  absltest.main()
