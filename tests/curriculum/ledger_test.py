"""Tests of adaland.curriculum.ledger."""

import json
from unittest import mock

from absl.testing import absltest

from adaland.curriculum import base, ledger


class OutstandingTest(absltest.TestCase):
  def test_an_assignment_is_taken_once(self):
    made = ledger.Outstanding()
    keys = [made.add(7, 1), made.add(8, 2)]
    self.assertEqual(keys, [0, 1])
    self.assertEqual(made.take(1), [8, 2])
    self.assertIsNone(made.take(1))
    self.assertIsNone(made.take(5))
    self.assertLen(made, 1)

  def test_the_oldest_are_dropped(self):
    with mock.patch.object(ledger, "_MAX_OUTSTANDING", 2):
      made = ledger.Outstanding()
      for index in range(3):
        made.add(index)
    self.assertEqual([made.take(key) for key in range(3)], [None, [1], [2]])

  def test_it_goes_on_from_its_state(self):
    made, again = ledger.Outstanding(), ledger.Outstanding()
    made.take(made.add(3))
    made.add(4, 0)
    again.load_state_dict(json.loads(json.dumps(made.state_dict())))
    self.assertEqual(again.take(1), [4, 0])
    self.assertEqual(again.add(5), 2)


class DecisionsTest(absltest.TestCase):
  def test_decisions_are_taken_once_and_their_share_stays(self):
    made, again = ledger.Decisions(), ledger.Decisions()
    made.add(3, True, "passes", 0.5)
    made.add(4, False, "too easy", 0.9)
    self.assertEqual(
      made.take(),
      [
        base.Decision(3, True, "passes", 0.5),
        base.Decision(4, False, "too easy", 0.9),
      ],
    )
    self.assertEqual(made.take(), [])
    # The mean of 1 and 0, which counts the former 0.99 times.
    self.assertAlmostEqual(made.accepted_share, 0.99 / 1.99)
    again.load_state_dict(made.state_dict())
    self.assertEqual(again.accepted_share, made.accepted_share)

  def test_the_oldest_that_nobody_takes_are_dropped(self):
    with mock.patch.object(ledger, "_MAX_DECISIONS", 2):
      made = ledger.Decisions()
    for index in range(3):
      made.add(index, True, "passes", 0.5)
    self.assertEqual([each.index for each in made.take()], [1, 2])


if __name__ == "__main__":
  absltest.main()
