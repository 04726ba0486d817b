"""Tests of ring: slots and masks worked out by hand."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.memory import ring


class WindowMaskTest(absltest.TestCase):
  def test_window_and_episodes(self):
    # Two cached positions; a window of two steps before the current one. The
    # first row continues an episode at age 1; the second starts one at t = 1.
    age = jnp.array([[1, 2, 3], [5, 0, 1]])
    mask = ring.window_mask(age, num_past=2, window=2)
    np.testing.assert_array_equal(
      mask.astype(int),
      [
        [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]],
        [[1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]],
      ],
    )

  def test_without_cache(self):
    age = jnp.array([[0, 1, 2, 0]])
    mask = ring.window_mask(age, num_past=0, window=1)
    np.testing.assert_array_equal(
      mask.astype(int)[0],
      [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]],
    )


class RingTest(absltest.TestCase):
  def test_distances(self):
    # Four slots; steps of age 4 and 5 overwrote those of age 0 and 1.
    age = jnp.array([5, 1])
    np.testing.assert_array_equal(
      ring.since(age, 4), [[1, 0, 3, 2], [1, 0, 3, 2]]
    )

  def test_past_slots(self):
    # The step of age 6 comes after those of age 3, 4 and 5.
    slots = ring.past_slots(jnp.array([6]), window=3)
    np.testing.assert_array_equal(slots, [[3, 0, 1]])

  def test_latest_positions(self):
    # Ten positions, the last of age 6, which goes to slot 2 of 4.
    positions = ring.latest_positions(jnp.array([6]), 10, 4)
    np.testing.assert_array_equal(positions, [[7, 8, 9, 6]])


if __name__ == "__main__":
  absltest.main()
