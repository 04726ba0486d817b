"""Tests of adaland.envs.worlds.layout; generation_test has whole worlds."""

import numpy as np
from absl.testing import absltest

from adaland.envs.tasks.task import World
from adaland.envs.worlds import layout


class DrawLevelsTest(absltest.TestCase):
  def test_a_small_arena_has_as_many_levels_as_fit(self):
    # Two by two blocks; from one corner to the opposite one are three.
    drawn = [
      layout.draw_levels(
        World(tiles=(4, 5), levels=4), np.random.default_rng(i)
      )
      for i in range(40)
    ]
    self.assertEqual({levels.shape for levels in drawn}, {(4, 5)})
    # Some of them find no solution, and are flat.
    found = {tuple(np.unique(levels).tolist()) for levels in drawn}
    self.assertIn((0, 1, 2), found)
    self.assertLessEqual(max(levels.max() for levels in drawn), 2)


if __name__ == "__main__":
  absltest.main()
