"""Tests of adaland.launch.config.tasks; experiment_test has its bad input."""

from absl.testing import absltest

from adaland.launch.config import tasks


class TasksConfigTest(absltest.TestCase):
  def test_the_sampler_s_limits_are_those_of_its_longest_task(self):
    made = tasks.TasksConfig(
      max_objects=7,
      chain_rules=(1, 2),
      dead_ends=(0, 1),
      trials=(1, 3),
      trial_seconds=(2, 4),
    )
    # 4 s have 30 steps.
    self.assertEqual(made.limits, (7, 3, 90))

  def test_the_limits_of_a_mixture_are_the_largest_of_its_families(self):
    for family in (
      "traps:trials=1-48+chain:places=3",
      "chain:places=3+traps:trials=1-48",
    ):
      limits = tasks.TasksConfig(family=family).limits
      each = [
        tasks.TasksConfig(family=name).limits for name in family.split("+")
      ]
      self.assertEqual(limits, tuple(map(max, *each)))
      for one in each:
        self.assertNotEqual(limits, one)

  def test_named_families_have_no_pairs(self):
    for family, expected in (("", 0.5), ("traps", 0.0)):
      made = tasks.TasksConfig(family=family, two_player_probability=0.5)
      self.assertEqual(made.pair_probability, expected)


if __name__ == "__main__":
  absltest.main()
