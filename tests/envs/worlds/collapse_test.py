"""Tests of adaland.envs.worlds.collapse."""

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs.worlds import collapse

# Four levels; neighbours differ by one at most.
STAIRS = [0b0011, 0b0111, 0b1110, 0b1100]


def made_of(shape, fits, fixed, rng):
  made = collapse.collapse(shape, fits, fixed, rng)
  assert made is not None
  return made


class CollapseTest(absltest.TestCase):
  @settings(max_examples=60, deadline=None)
  @given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(2, 6), st.integers(2, 6)),
  )
  def test_neighbours_fit(self, seed, shape):
    rng = np.random.default_rng(seed)
    made = made_of(shape, STAIRS, {(0, 0): 1}, rng)
    self.assertEqual(made.shape, shape)
    self.assertEqual(made[0, 0], 1)
    for axis in (0, 1):
      self.assertLessEqual(np.abs(np.diff(made, axis=axis)).max(), 1)

  def test_what_is_given_is_kept_and_forces_what_is_between(self):
    rng = np.random.default_rng(0)
    made = made_of((4, 1), STAIRS, {(0, 0): 0, (3, 0): 3}, rng)
    self.assertEqual(made[:, 0].tolist(), [0, 1, 2, 3])

  def test_contradiction(self):
    rng = np.random.default_rng(0)
    fixed = {(0, 0): 0, (2, 0): 3}
    self.assertIsNone(collapse.collapse((3, 1), STAIRS, fixed, rng))

  def test_equal_cells_gather(self):
    # Any two options may be adjacent: without gathering, half the pairs differ.
    rng = np.random.default_rng(0)
    made = [made_of((8, 8), [3, 3], {}, rng) for _ in range(40)]
    differing = np.mean([np.diff(x, axis=0) != 0 for x in made])
    self.assertLess(differing, 0.4)


if __name__ == "__main__":
  absltest.main()
