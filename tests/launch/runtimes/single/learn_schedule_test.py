"""Tests of adaland.launch.runtimes.single.learn_schedule."""

from absl.testing import absltest

from adaland.agent.replay.config import ReplayConfig
from adaland.launch.runtimes.single import learn_schedule


def _make(**settings):
  return learn_schedule.Schedule(ReplayConfig(**settings))


def _learn(made):
  """Takes all batches that are due; returns their number."""
  batches = 0
  while made.due():
    made.sample()
    batches += 1
  return batches


class ScheduleTest(absltest.TestCase):
  def test_each_unroll_pays_for_its_draws_after_the_first(self):
    made = _make(capacity=10, min_size=3, batch_size=4, samples_per_insert=2.5)
    batches = []
    for _ in range(9):
      made.insert(1)
      batches.append(_learn(made))
    # Draws allowed after n unrolls: 2.5 (n - 3).
    self.assertEqual(batches, [0, 0, 0, 0, 1, 0, 1, 1, 0])
    self.assertEqual(made.samples, 12)

  def test_rows_wrap_round_and_the_oldest_item_leaves(self):
    made = _make(capacity=4, samples_per_insert=1.0)
    self.assertEqual(made.insert(3), [0, 1, 2])
    self.assertEqual((made.oldest, made.size), (0, 3))
    self.assertEqual(made.insert(3), [3, 0, 1])
    self.assertEqual((made.oldest, made.size), (2, 4))

  def test_of_more_unrolls_than_fit_the_last_stay(self):
    made = _make(capacity=3, samples_per_insert=1.0)
    made.insert(1)
    # Of the numbers 1 to 5, 3, 4 and 5 stay; the others are dropped.
    self.assertEqual(made.insert(5), [3, 3, 0, 1, 2])
    self.assertEqual((made.oldest, made.size), (3, 3))

  def test_a_queue_gives_each_unroll_once(self):
    made = _make(sampling="queue", capacity=4, batch_size=2)
    made.insert(3)
    self.assertEqual(_learn(made), 1)
    self.assertEqual((made.oldest, made.size), (2, 1))
    self.assertEqual(made.insert(1), [3])
    self.assertEqual((made.oldest, made.size), (2, 2))
    made.insert(3)  # The five waiting are one too many.
    self.assertEqual((made.oldest, made.size), (3, 4))
    self.assertEqual(_learn(made), 2)
    self.assertFalse(made.due())

  def test_a_restored_schedule_equals_the_saved_one(self):
    made = _make(capacity=4, batch_size=2, samples_per_insert=1.0)
    made.insert(6)
    made.sample()
    again = _make(capacity=4, batch_size=2, samples_per_insert=1.0)
    again.load_state_dict(made.state_dict())
    self.assertEqual(again, made)


if __name__ == "__main__":
  absltest.main()
