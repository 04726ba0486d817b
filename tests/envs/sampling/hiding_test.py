"""Tests of adaland.envs.sampling.hiding."""

import collections

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.sampling import hiding
from adaland.envs.tasks.literals import parse_rule
from adaland.envs.tasks.task import Hiding

_RULES = (
  parse_rule("near(black cube, player1) -> yellow sphere"),
  parse_rule("touching(yellow sphere, black wall) -> black cube"),
)
_KINDS = {"black cube", "yellow sphere", "black wall"}


def _draw(hide, seed=0):
  return hiding.draw_hiding(hide, _RULES, np.random.default_rng(seed))


class DrawHidingTest(absltest.TestCase):
  def test_nothing_or_all_rules(self):
    self.assertEqual(_draw("none"), Hiding())
    self.assertEqual(_draw("rules"), Hiding(rules=(1, 2)))

  def test_one_of_three_ways_and_every_number_of_parts(self):
    counts: collections.Counter = collections.Counter()
    for seed in range(900):
      drawn = _draw("uniform", seed)
      sizes = len(drawn.rules), len(drawn.objects), len(drawn.predicates)
      self.assertLessEqual(np.count_nonzero(sizes), 1)
      self.assertContainsSubset({kind.name for kind in drawn.objects}, _KINDS)
      self.assertContainsSubset(drawn.predicates, {"near", "touching"})
      counts[sizes] += 1
    # Each mode has a third; hiding nothing is one of 3 rule counts, of 4 object
    # counts and of 3 predicate counts. Deltas are five standard deviations.
    for sizes in ((1, 0, 0), (2, 0, 0), (0, 0, 1), (0, 0, 2)):
      self.assertAlmostEqual(counts[sizes], 900 / 9, delta=50)
    for n in (1, 2, 3):
      self.assertAlmostEqual(counts[0, n, 0], 900 / 12, delta=45)
    self.assertAlmostEqual(
      counts[0, 0, 0], 900 / 3 * (1 / 3 + 1 / 4 + 1 / 3), delta=70
    )

  def test_no_more_predicates_than_a_task_may_hide(self):
    drawn = [_draw("uniform", seed) for seed in range(40)]
    with absltest.mock.patch.object(constants, "MAX_HIDDEN_PREDICATES", 1):
      fewer = [_draw("uniform", seed) for seed in range(40)]
    self.assertEqual(max(len(one.predicates) for one in drawn), 2)
    self.assertEqual(max(len(one.predicates) for one in fewer), 1)


if __name__ == "__main__":
  absltest.main()
