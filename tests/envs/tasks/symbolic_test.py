"""Tests of adaland.envs.tasks.symbolic."""

from absl.testing import absltest

from adaland.envs.tasks import planner, symbolic


class SymbolicTest(absltest.TestCase):
  def test_counts_by_type(self):
    counts = symbolic.count_types([4, 0, 12, 4])
    self.assertEqual(counts, (0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1))

  def test_full_world_makes_nothing(self):
    game = symbolic.SymbolicGame(
      goal=symbolic.Condition("hold", 13, 2),
      rules=((symbolic.Condition("near", 13, 1), (1, 2)),),
      capacity=1,
    )
    counts = symbolic.count_types([1])
    self.assertEqual(symbolic.fire(game, counts, 0), counts)
    self.assertIsNone(planner.plan(game, counts))


if __name__ == "__main__":
  absltest.main()
