"""Tests of adaland.envs.tasks.description."""

import dataclasses

from absl.testing import absltest

from adaland.envs.tasks import description
from adaland.envs.tasks.task import Task, World


class DescribeTest(absltest.TestCase):
  def test_tells_everything(self):
    task = Task.of(
      goal="hold(player1, black cube)",
      objects=[{"type": "black cube", "count": 2, "at": [[1.5, -2.0], None]}],
      rules=["near(player1, black cube) -> yellow wall"],
      hide_rules=[1],
      hide_objects=["black cube"],
      world_seed=4,
      tiles=(5, 6),
      name="example",
    )
    self.assertEqual(
      description.describe(task).splitlines(),
      [
        "example",
        "World: 5 x 6 tiles, flat, seed 4",
        "Goal of player1: hold(player1, black cube)",
        "Objects:",
        "  2 x black cube, at (1.5, -2)",
        "Rules:",
        "  1. near(player1, black cube) -> yellow wall  [hidden from player1]",
        "Masked in the rules for player1: black cube",
        "Trials: 3 of 20 s (150 steps)",
      ],
    )

  def test_tells_of_walls_and_cliffs_that_there_may_be(self):
    plain = Task.of("near(player1, black cube)", ["black cube"])
    for world, ground in (
      (World(walls=1, diagonals=5), "flat, up to 1 inner wall,"),
      (World(levels=2, diagonals=5), "2 levels, up to 5 diagonal cliffs,"),
    ):
      task = dataclasses.replace(plain, world=world)
      self.assertIn(f" tiles, {ground} seed 0", description.describe(task))


if __name__ == "__main__":
  absltest.main()
