"""Tests of adaland.launch.roles.learner_group: the orders that learners get."""

import threading

from absl.testing import absltest

from adaland.launch.roles import learner_group, learner_state

_BATCH = learner_state.BatchInfo(10, 3.0)
_OTHER = learner_state.BatchInfo(20, 5.0)
_ORDER = learner_group.Order


class LearnerGroupTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      absltest.mock.patch.object(learner_group, "_ASK_SECONDS", 0.01)
    )
    self.said: list[str] = []
    self.made = learner_group.LearnerGroup("a", 3, self.said.append)

  def meet(self):
    for rank, birth in ((1, "b"), (2, "c")):
      self.assertIsNone(self.made.join(rank, birth))
    self.assertTrue(self.made.wait_complete(0.0))
    self.made.invite("host:1", 7)

  def test_all_join_before_any_is_invited(self):
    self.assertFalse(self.made.wait_complete(0.0))
    self.assertIsNone(self.made.join(1, "b"))
    self.assertIsNone(self.made.join(1, "b"))
    self.assertFalse(self.made.wait_complete(0.0))
    # A worker that dies before it is invited is replaced without loss.
    self.assertIsNone(self.made.join(1, "x"))
    self.assertIsNone(self.made.join(2, "c"))
    self.assertTrue(self.made.wait_complete(0.0))
    self.made.invite("host:1", None)
    self.assertEqual(self.made.join(1, "x"), ("a", "host:1", None))
    self.assertEqual(self.made.members(), {1: "x", 2: "c"})
    self.assertEmpty(self.said)

  def test_a_replaced_worker_ends_the_group(self):
    self.meet()
    self.assertEqual(self.made.join(2, "c"), ("a", "host:1", 7))
    self.assertIsNone(self.made.join(2, "d"))
    self.assertEqual(self.said, ["learner 2 has died"])

  def test_an_update_is_ordered_when_all_hold_their_shard(self):
    self.meet()
    self.assertIsNone(self.made.ask("a", 1, 0, _BATCH))
    self.assertIsNone(self.made.ask("a", 2, 0, None))
    self.assertIsNone(self.made.worker_batches(0.0))
    self.assertIsNone(self.made.ask("a", 2, 0, _OTHER))
    self.assertEqual(self.made.worker_batches(0.0), [_BATCH, _OTHER])
    self.made.give(_ORDER.UPDATE)
    self.assertIsNone(self.made.worker_batches(0.0))
    for rank in (1, 2):
      self.assertIs(self.made.ask("a", rank, 0, _BATCH), _ORDER.UPDATE)
      # Asked again, as after a lost answer, it gives the same order.
      self.assertIs(self.made.ask("a", rank, 0, _BATCH), _ORDER.UPDATE)
    self.assertIsNone(self.made.worker_batches(0.0))
    self.assertIsNone(self.made.ask("a", 1, 1, _BATCH))
    self.assertIsNone(self.made.ask("a", 2, 1, _BATCH))
    self.assertEqual(self.made.worker_batches(0.0), [_BATCH, _BATCH])
    self.made.give(_ORDER.GATHER)
    self.assertIs(self.made.ask("a", 1, 1, _BATCH), _ORDER.GATHER)

  def test_a_worker_with_a_batch_gets_the_order_at_once(self):
    self.meet()
    answers = []
    with absltest.mock.patch.object(learner_group, "_ASK_SECONDS", 60.0):
      threads = [
        threading.Thread(
          target=lambda rank=rank: answers.append(
            self.made.ask("a", rank, 0, _BATCH)
          )
        )
        for rank in (1, 2)
      ]
      for thread in threads:
        thread.start()
      self.assertIsNotNone(self.made.worker_batches(60.0))
      self.made.give(_ORDER.UPDATE)
      for thread in threads:
        thread.join(60.0)
    self.assertEqual(answers, [_ORDER.UPDATE, _ORDER.UPDATE])

  def test_the_end_does_not_wait_for_workers(self):
    self.meet()
    self.made.ask("a", 1, 0, _BATCH)
    self.made.ask("a", 2, 0, _BATCH)
    self.made.give(_ORDER.UPDATE)
    self.made.give(_ORDER.END)
    # The earlier order comes first, however late.
    self.assertIs(self.made.ask("a", 1, 0, _BATCH), _ORDER.UPDATE)
    self.assertIs(self.made.ask("a", 1, 1, None), _ORDER.END)
    self.assertIs(self.made.ask("a", 1, 1, _BATCH), _ORDER.END)
    # A restarted worker is no longer needed.
    self.assertEqual(self.made.join(2, "d"), ("a", "", None))
    self.assertEmpty(self.said)

  def test_a_worker_of_another_leader_has_to_leave(self):
    self.meet()
    self.assertIs(self.made.ask("z", 1, 0, _BATCH), _ORDER.LEAVE)
    self.assertIsNone(self.made.worker_batches(0.0))

  def test_a_group_of_one_waits_for_nothing(self):
    made = learner_group.LearnerGroup("a", 1, self.said.append)
    self.assertTrue(made.wait_complete(0.0))
    self.assertEqual(made.worker_batches(0.0), [])
    made.give(_ORDER.UPDATE)
    self.assertEqual(made.worker_batches(0.0), [])


if __name__ == "__main__":
  absltest.main()
