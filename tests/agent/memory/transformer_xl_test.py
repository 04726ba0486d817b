"""Tests of the pieces of attention, small enough to read."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from agent.memory import transformer_xl


class SlidingWindowMaskTest(absltest.TestCase):
  def test_window_and_episodes(self):
    # Two cached positions; a window of two steps beside the own one. The first
    # row goes on with an episode of age 1; the second starts one at t = 1.
    age = jnp.array([[1, 2, 3], [5, 0, 1]])
    mask = transformer_xl.sliding_window_mask(age, num_past=2, window=2)
    np.testing.assert_array_equal(
      mask.astype(int),
      [
        [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]],
        [[1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]],
      ],
    )

  def test_without_cache(self):
    age = jnp.array([[0, 1, 2, 0]])
    mask = transformer_xl.sliding_window_mask(age, num_past=0, window=1)
    np.testing.assert_array_equal(
      mask.astype(int)[0],
      [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]],
    )


class ShiftTest(absltest.TestCase):
  def test_puts_distances_where_they_belong(self):
    # Two steps after one cached position; 10 t + n is step t at distance n.
    scores = jnp.array([[2, 1, 0], [12, 11, 10]])
    shifted = transformer_xl.shift(scores)
    np.testing.assert_array_equal(shifted[0, :2], [1, 0])
    np.testing.assert_array_equal(shifted[1], [12, 11, 10])

  def test_many_steps(self):
    length, num_past = 4, 3
    num_positions = length + num_past
    distances = np.arange(num_positions)[::-1]
    scores = jnp.tile(distances, (2, length, 1))
    shifted = transformer_xl.shift(scores)
    for t in range(length):
      expected = num_past + t - np.arange(num_past + t + 1)
      np.testing.assert_array_equal(shifted[1, t, : expected.size], expected)


class RingTest(absltest.TestCase):
  def test_distances(self):
    # Four slots; steps of age 4 and 5 overwrote those of age 0 and 1.
    age = jnp.array([5, 1])
    np.testing.assert_array_equal(
      transformer_xl.ring_distance(age, 4), [[1, 0, 3, 2], [1, 0, 3, 2]]
    )

  def test_past_slots(self):
    # The step of age 6 comes after those of age 3, 4 and 5.
    slots = transformer_xl.past_slots(jnp.array([6]), window=3)
    np.testing.assert_array_equal(slots, [[3, 0, 1]])

  def test_latest_positions(self):
    # Ten positions, the last of age 6, which goes to slot 2 of 4.
    positions = transformer_xl.latest_positions(jnp.array([6]), 10, 4)
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
